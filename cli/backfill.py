"""`backfill`: rows of an event flow are read from the source once more and written where they are not as they should be."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from batch_timers.jobs import Job, backfill_schedule, job_named
from cli.databases import databases
from cli.errors import PROBLEM
from cli.job_options import Force
from cli.job_requests import ask_for_runs
from cli.job_view import run_document, run_rows
from cli.moments import moment
from cli.options import FlowName, Json, Reason, actor
from cli.output import console, show, table
from cli.run_watch import followed
from flows.model import CapturedFlow, Flow
from settings import PROGRAM, load_settings
from sinks.job_ledger import State
from sinks.operations import jobs
from sinks.operations.audit import RefusedError
from sinks.operations.jobs import JobRun

KeyFrom = Annotated[str | None, typer.Option("--key-from", help="Only source rows whose primary key is this one or greater.")]
KeyTo = Annotated[str | None, typer.Option("--key-to", help="Only source rows whose primary key is below this one.")]
Since = Annotated[
    datetime | None,
    typer.Option("--since", parser=moment, metavar="TIME", help="Only rows changed since then; what was deleted stays."),
]
Rate = Annotated[
    int | None, typer.Option("--rate", min=0, help="Rows a second; 0: as fast as it goes. In peak hours never more than usual.")
]
Detach = Annotated[bool, typer.Option("--detach", help="Do not wait for the end.")]


def backfill(  # noqa: PLR0913 each is an option of the command
    flow: FlowName,
    *,
    key_from: KeyFrom = None,
    key_to: KeyTo = None,
    since: Since = None,
    rate: Rate = None,
    force: Force = False,
    detach: Detach = False,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Bring a flow's target up to its source: all rows, a range of keys, or what has changed since a moment.

    A worker does it, as a run of the job backfill_FLOW that `jobs` shows, pauses and cancels; Ctrl-C ends the looking only.
    Exit code 1 when it does not succeed. In maintenance and peak hours it needs --force.
    """
    job = _job(flow)
    parameters = _parameters(flow, job, key_from=key_from, key_to=key_to, since=since, rate=rate)
    with databases(load_settings()) as sessions:
        session = sessions[job.database]
        (run,) = ask_for_runs(sessions, [job], actor=actor(), reason=reason, parameters=parameters, force=force)
        if not detach:
            run = followed(session, run, console(stderr=True))
        _show(run, jobs.missed(session, run), as_json=as_json)
    raise typer.Exit(0 if run.open or run.state == State.SUCCEEDED else PROBLEM)


def _job(flow: Flow) -> Job:
    """Raises ``RefusedError`` for a flow whose state only the owners of its partitions may write."""
    if not isinstance(flow, CapturedFlow):
        raise RefusedError(f"{flow.name} has no source table; `{PROGRAM} resync {flow.name}` reads its topic again")
    schedule = backfill_schedule(flow)
    if schedule is None:
        raise RefusedError(
            f"what {flow.name} keeps is written by the workers that own its partitions; `{PROGRAM} resync {flow.name}` has them"
            f" read the whole source again, `{PROGRAM} reconcile run {flow.name} --key-from KEY --key-to KEY` repairs a range"
        )
    return job_named(schedule.job)


def _parameters(
    flow: Flow, job: Job, *, key_from: str | None, key_to: str | None, since: datetime | None, rate: int | None
) -> dict[str, Any]:
    """What is given, as the job reads it."""
    if since is not None and job.schedule.changed is None:
        raise typer.BadParameter(f"no captured column of {flow.name} says when a row has changed", param_hint="--since")
    if since is not None and since > datetime.now(UTC):
        raise typer.BadParameter("that moment is still to come", param_hint="--since")
    given = {
        "low": _spelled(flow, key_from, "--key-from"),
        "high": _spelled(flow, key_to, "--key-to"),
        "since": since and since.isoformat(),
        "rows_per_second": rate,
    }
    return {name: value for name, value in given.items() if value is not None}


def _spelled(flow: Flow, key: str | None, option: str) -> str | None:
    """A primary key as the source spells it."""
    if key is None:
        return None
    kind = flow.source.column(flow.source.primary_key).sql_type.base
    try:
        return str(UUID(key)) if kind == "uuid" else str(int(key))
    except ValueError:
        raise typer.BadParameter(f"{key!r} is no {kind}, which the key of {flow.name} is", param_hint=option) from None


def _show(run: JobRun, missed: list[jobs.Missed], *, as_json: bool) -> None:
    show(run_document(run) | {"missed": missed}, table(f"Run of {run.job}", ("what", ""), run_rows(run)), as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(backfill)
