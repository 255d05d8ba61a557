"""`audit`: who did what, when, from where and why, by commands and by the web view alike."""

from datetime import datetime
from typing import Annotated

import typer

from cli.databases import databases
from cli.moments import moment
from cli.options import Json
from cli.output import show, table
from flows.tables import Database
from settings import load_settings
from sinks.operations import audit
from sinks.operations.audit import Deed, Result, Selection
from views.formatting import both_zones

commands = typer.Typer(help="Who did what, when and why.", no_args_is_help=True)

OnlyActor = Annotated[str | None, typer.Option("--actor", help="Only what this one did.")]
OnlyAction = Annotated[str | None, typer.Option("--action", help="Only this, such as 'pause' or 'run job'.")]
OnlyResult = Annotated[Result | None, typer.Option("--result", help="Only what ended so.")]
Since = Annotated[datetime | None, typer.Option("--since", parser=moment, metavar="TIME", help="Only from then on.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many, newest first.")]


@commands.callback()
def _group() -> None:
    """Who did what, when and why."""


@commands.command("list")
def list_deeds(
    *,
    actor: OnlyActor = None,
    action: OnlyAction = None,
    result: OnlyResult = None,
    since: Since = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List the audit of both databases, newest first: each deed stands in the database that it changed."""
    selection = Selection(actor, action, result.value if result else None, since, limit=limit)
    with databases(load_settings()) as sessions:
        found = [(database, deed) for database in Database for deed in audit.deeds(sessions[database], selection)]
    found = sorted(found, key=lambda pair: pair[1].at, reverse=True)[:limit]
    columns = ("at", "who", "role", "from", "what", "on what", "reason", "result")
    document = [{"database": database.value, **vars(deed)} for database, deed in found]
    show(document, table("Audit", columns, [_row(deed) for _, deed in found]), as_json=as_json)


def _row(deed: Deed) -> tuple[str | None, ...]:
    result = f"{deed.result}: {deed.problem}" if deed.problem else deed.result
    at = both_zones(deed.at)
    return (at, deed.actor, deed.role, deed.origin, deed.action, deed.subject, deed.reason, result)
