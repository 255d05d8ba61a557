"""`jobs`: the batch jobs, when they run and what became of their runs."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from batch_timers.closures import Calendar
from batch_timers.jobs import JOBS
from batch_timers.plan import Planned, plan
from cli.moments import moment
from cli.options import Json
from cli.output import show, table
from views.formatting import both_zones

commands = typer.Typer(help="Batch jobs: when they run and what became of their runs.", no_args_is_help=True)

LONGEST_PLAN = timedelta(days=366)

From = Annotated[datetime | None, typer.Option("--from", parser=moment, metavar="TIME", help="Beginning; by default now.")]
To = Annotated[datetime | None, typer.Option("--to", parser=moment, metavar="TIME", help="End; by default a day later.")]


@commands.callback()
def _group() -> None:
    """Batch jobs: when they run and what became of their runs."""


@commands.command("plan")
def plan_jobs(*, start: From = None, end: To = None, as_json: Json = False) -> None:
    """Show what will run, when and why, as if every run took as long as it is expected to."""
    begins = start or datetime.now(UTC).replace(second=0, microsecond=0)
    ends = end or begins + timedelta(days=1)
    if not begins < ends <= begins + LONGEST_PLAN:
        raise typer.BadParameter(f"the end must be behind the beginning, at most {LONGEST_PLAN.days} days", param_hint="--to")
    found = plan(JOBS, begins, ends, Calendar())
    columns = ("scheduled for", "job", "what", "starts, not before", "why")
    show(found, table("Plan", columns, map(_planned_row, found)), as_json=as_json)


def _planned_row(planned: Planned) -> tuple[str, ...]:
    starts = both_zones(planned.starts_at) if planned.starts_at else f"into {both_zones(planned.into)}" if planned.into else "-"
    return (both_zones(planned.scheduled_for), planned.job, planned.fate.value, starts, planned.why)
