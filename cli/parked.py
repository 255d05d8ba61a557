"""`parked`: keys whose events wait for a row that they refer to."""

from typing import Annotated

import typer

from cli.databases import databases
from cli.options import Json, MaybeFlow
from cli.output import show, table
from flows.registry import FLOWS
from settings import load_settings
from sinks.operations import parked
from views.formatting import both_zones

commands = typer.Typer(help="Keys whose events wait for a row that they refer to.", no_args_is_help=True)

Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many, oldest first.")]


@commands.callback()
def _group() -> None:
    """Keys whose events wait for a row that they refer to."""


@commands.command("list")
def list_parked(*, flow: MaybeFlow = None, limit: Limit = 100, as_json: Json = False) -> None:
    """List parked keys, oldest first: what each waits for, since when and until when."""
    targets = dict.fromkeys(each.target.table.database for each in ((flow,) if flow else FLOWS))
    with databases(load_settings()) as sessions:
        found = [key for target in targets for key in parked.find(sessions[target], flow.name if flow else None, limit)]
    found = sorted(found, key=lambda key: key.since)[:limit]
    columns = ("flow", "key", "reference", "records", "since", "deadline", "state")
    rows = [
        (each.flow, each.key, each.reference, each.records, both_zones(each.since), both_zones(each.deadline), each.state)
        for each in found
    ]
    show(found, table("Parked keys", columns, rows), as_json=as_json)
