"""`maintenance`: keep batch jobs from working for a while. Event flows go on; `pause` is for them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from cli.databases import databases
from cli.moments import moment
from cli.options import Json, Reason, actor
from cli.output import show, table
from flows.tables import Database
from settings import load_settings
from sinks.operations import maintenance
from views.formatting import both_zones

commands = typer.Typer(help="Maintenance on demand: batch jobs pause, event flows go on.", no_args_is_help=True)

USUAL: Final = timedelta(hours=2)

Until = Annotated[datetime | None, typer.Option("--until", parser=moment, metavar="TIME", help="End; by default in two hours.")]
Why = Annotated[str, typer.Option("--reason", help="Why; shown to who looks, and kept in the audit.")]


@commands.callback()
def _group() -> None:
    """Maintenance on demand: batch jobs pause, event flows go on."""


@commands.command("start")
def start(*, until: Until = None, reason: Why, as_json: Json = False) -> None:
    """Begin now: no batch job starts, those under way pause at their next chunk. It ends by itself."""
    ends = until or datetime.now(UTC).replace(microsecond=0) + USUAL
    with databases(load_settings()) as sessions:
        for database in Database:
            maintenance.start(sessions[database], ends, reason, actor())
    _show_all(as_json=as_json)


@commands.command("stop")
def stop(*, reason: Reason = None, as_json: Json = False) -> None:
    """End it now: jobs go on where they were."""
    with databases(load_settings()) as sessions:
        for database in Database:
            maintenance.stop(sessions[database], actor(), reason)
    _show_all(as_json=as_json)


@commands.command("show")
def show_maintenance(*, as_json: Json = False) -> None:
    """Show what is going on."""
    _show_all(as_json=as_json)


def _show_all(*, as_json: bool) -> None:
    with databases(load_settings()) as sessions:
        found = {database.value: maintenance.maintenance(sessions[database]) for database in Database}
    rows = [
        (name, both_zones(each.starts_at), both_zones(each.ends_at), each.reason, each.asked_by)
        for name, standing in found.items()
        for each in standing
    ]
    show(found, table("Maintenance on demand", ("database", "since", "until", "reason", "asked for by"), rows), as_json=as_json)
