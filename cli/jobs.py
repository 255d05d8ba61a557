"""`jobs`: the batch jobs, when they run, what became of their runs, and what operators do about them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import typer

from batch_timers.closures import Calendar
from batch_timers.jobs import JOBS, Job
from batch_timers.plan import plan
from batch_timers.slots import slot_before, slot_from
from cli.databases import databases
from cli.job_options import CalendarOnly, Chosen, Days, Force, From, JobName, Jobs, Limit, MaybeJob, MaybeJobs, Slot, To
from cli.job_requests import ask_for_runs, calendar_with, cancel_run, set_paused
from cli.job_view import ListedJob, history_row, listed_row, planned_row, run_document, run_rows
from cli.options import Json, Reason, actor
from cli.output import show, table
from flows.batch_model import AggregateFlow
from flows.batch_registry import BATCH_FLOWS
from flows.tables import Database
from settings import load_settings
from sinks.job_ledger import EVERY_JOB
from sinks.operations import jobs
from sinks.operations.connection import Connection
from sinks.operations.jobs import JobRun

commands = typer.Typer(help="Batch jobs: when they run and what became of their runs.", no_args_is_help=True)

LONGEST_PLAN: Final = timedelta(days=366)


@commands.callback()
def _group() -> None:
    """Batch jobs: when they run and what became of their runs."""


@commands.command("list")
def list_jobs(*, as_json: Json = False) -> None:
    """List all jobs: when each runs next, and how its newest run stands."""
    with databases(load_settings()) as sessions:
        found = [_listed(job, sessions[job.database]) for job in JOBS]
    columns = ("job", "cron (UTC)", "lane", "next slot", "newest run", "state", "progress", "reason")
    show(found, table("Jobs", columns, map(listed_row, found)), as_json=as_json)


@commands.command("plan")
def plan_jobs(*, start: From = None, end: To = None, calendar_only: CalendarOnly = False, as_json: Json = False) -> None:
    """Show what will run, when and why, as if every run took as long as it is expected to."""
    begins = start or datetime.now(UTC).replace(second=0, microsecond=0)
    ends = end or begins + timedelta(days=1)
    if not begins < ends <= begins + LONGEST_PLAN:
        raise typer.BadParameter(f"the end must be behind the beginning, at most {LONGEST_PLAN.days} days", param_hint="--to")
    found = plan(JOBS, begins, ends, Calendar() if calendar_only else _whole_calendar())
    columns = ("scheduled for", "job", "what", "starts, not before", "why")
    show(found, table("Plan", columns, map(planned_row, found)), as_json=as_json)


@commands.command("run")
def run_job(
    job: Jobs, *, slot: Slot = None, days: Days = None, force: Force = False, reason: Reason = None, as_json: Json = False
) -> None:
    """Ask for a run now, or for a past slot again. In maintenance and peak hours it needs --force."""
    for each in job.jobs:
        _check_request(each, slot, days)
    parameters = {"days": [day.isoformat() for day in days]} if days else {}
    with databases(load_settings()) as sessions:
        asked = ask_for_runs(sessions, job.jobs, actor=actor(), reason=reason, slot=slot, parameters=parameters, force=force)
    if len(asked) == 1:
        _show_run(asked[0], [], as_json=as_json)
    else:
        _show_runs(asked, as_json=as_json)


@commands.command("pause")
def pause_jobs(job: MaybeJobs = None, *, reason: Reason = None, as_json: Json = False) -> None:
    """Pause a job, or all; kept across restarts. A run under way pauses at its next chunk."""
    _set_paused(job, paused=True, reason=reason, as_json=as_json)


@commands.command("resume")
def resume_jobs(job: MaybeJobs = None, *, reason: Reason = None, as_json: Json = False) -> None:
    """Let a paused job run again, or lift the pause of all; a run that paused goes on where it was."""
    _set_paused(job, paused=False, reason=reason, as_json=as_json)


@commands.command("cancel")
def cancel(job: JobName, *, slot: Slot = None, reason: Reason = None, as_json: Json = False) -> None:
    """End a run at its next chunk; what it has written stays. By default the newest."""
    with databases(load_settings()) as sessions:
        run = cancel_run(sessions, job, slot=slot, actor=actor(), reason=reason)
    _show_run(run, [], as_json=as_json)


@commands.command("history")
def show_history(job: MaybeJob = None, *, limit: Limit = 20, as_json: Json = False) -> None:
    """List runs, newest first: also slots that were coalesced, superseded or deferred, with the reason."""
    with databases(load_settings()) as sessions:
        ledgers = [job.database] if job else list(Database)
        found = [run for each in ledgers for run in jobs.history(sessions[each], job.name if job else None, limit)]
    _show_runs(sorted(found, key=lambda run: run.scheduled_for, reverse=True)[:limit], as_json=as_json)


@commands.command("show")
def show_run(job: JobName, *, slot: Slot = None, as_json: Json = False) -> None:
    """Show a run with its progress, and the rows that events had missed. By default the newest."""
    with databases(load_settings()) as sessions:
        session = sessions[job.database]
        run = jobs.run_of(session, job.name, slot)
        _show_run(run, jobs.missed(session, run), as_json=as_json)


def _check_request(job: Job, slot: datetime | None, days: list[date] | None) -> None:
    if slot is not None and (slot > datetime.now(UTC) or not job.schedule.cron or slot_before(job.schedule.cron, slot) != slot):
        raise typer.BadParameter(f"{job.name} has no past slot at {slot:%Y-%m-%d %H:%M} UTC", param_hint="--slot")
    if days and not any(isinstance(flow, AggregateFlow) and flow.name == job.flow for flow in BATCH_FLOWS):
        raise typer.BadParameter(f"{job.name} does not work by days", param_hint="--day")


def _show_runs(found: Sequence[JobRun], *, as_json: bool) -> None:
    columns = ("scheduled for", "job", "state", "took", "read", "written", "unchanged", "skipped", "failed", "missed", "reason")
    show([run_document(run) for run in found], table("Runs", columns, map(history_row, found)), as_json=as_json)


def _whole_calendar() -> Calendar:
    with databases(load_settings()) as sessions:
        return calendar_with(*(sessions[database] for database in Database))


def _set_paused(job: Chosen | None, *, paused: bool, reason: str | None, as_json: bool) -> None:
    name = job.name if job else EVERY_JOB
    with databases(load_settings()) as sessions:
        for each in job.jobs if job else [None]:
            set_paused(sessions, each, paused=paused, actor=actor(), reason=reason)
    text = f"{job.name if job else 'every job'}: {'paused' if paused else 'resumed'}"
    show({"job": name, "paused": paused, "reason": reason}, text, as_json=as_json)


def _listed(job: Job, session: Connection) -> ListedJob:
    controls = jobs.controls(session)
    paused = any(controls[name].paused for name in (job.name, EVERY_JOB) if name in controls)
    schedule, newest = job.schedule, jobs.history(session, job.name, 1)
    document = run_document(newest[0]) if newest else None
    return ListedJob(job.name, schedule.cron, schedule.lane, paused, slot_from(schedule.cron, datetime.now(UTC)), document)


def _show_run(run: JobRun, missed: list[jobs.Missed], *, as_json: bool) -> None:
    tables = [table(f"Run of {run.job}", ("what", ""), run_rows(run))]
    if missed:
        tables.append(table("Rows that events had missed", ("key", "put right by"), [(each.key, each.what) for each in missed]))
    show(run_document(run) | {"missed": missed}, *tables, as_json=as_json)
