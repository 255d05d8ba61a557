"""Batch jobs and their runs as tables, and as documents for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from batch_timers.plan import Planned
from sinks.operations.jobs import JobRun
from views import formatting
from views.formatting import both_zones


@dataclass(frozen=True)
class ListedJob:
    """A job with its newest run. ``next_slot`` is the calendar's, whatever will become of it."""

    job: str
    cron: str
    lane: str
    paused: bool
    next_slot: datetime
    newest: dict[str, Any] | None


def run_document(run: JobRun) -> dict[str, Any]:
    """The line of the ledger, with duration, rate and estimate."""
    return asdict(run) | {"seconds": run.seconds, "rows_per_second": run.rows_per_second, "seconds_left": run.seconds_left}


def listed_row(listed: ListedJob) -> tuple[object, ...]:
    """Name, cron, lane, next slot, newest run, state, progress, reason."""
    newest = listed.newest or {}
    state = newest.get("state") or "-"
    return (
        listed.job,
        listed.cron,
        listed.lane,
        both_zones(listed.next_slot),
        both_zones(newest.get("scheduled_for")),
        f"{state}, job paused" if listed.paused else state,
        progress_of(newest) if newest else None,
        newest.get("reason"),
    )


def progress_of(run: dict[str, Any]) -> str:
    """Rows and chunks so far, rate, and what is left."""
    expected = f" of about {run['rows_expected']:,}" if run["rows_expected"] else ""
    left = f", {formatting.duration(run['seconds_left'])} left" if run["seconds_left"] is not None else ""
    return f"{run['rows_read']:,}{expected} rows, {run['chunks']:,} chunks, {formatting.rate(run['rows_per_second'])}{left}"


def planned_row(planned: Planned) -> tuple[str, ...]:
    """Slot, job, fate, start, reason."""
    starts = both_zones(planned.starts_at) if planned.starts_at else f"into {both_zones(planned.into)}" if planned.into else "-"
    return (both_zones(planned.scheduled_for), planned.job, planned.fate.value, starts, planned.why)


def history_row(run: JobRun) -> tuple[object, ...]:
    """Slot, job, state, duration, the six counts, reason."""
    counts = (run.rows_read, run.rows_written, run.rows_unchanged, run.rows_skipped, run.rows_failed, run.rows_missed)
    took = formatting.duration(run.seconds)
    return (both_zones(run.scheduled_for), run.job, run.state, took, *counts, run.reason)


def run_rows(run: JobRun) -> Iterator[tuple[str, object]]:
    """What there is to say of a run, a line each."""
    yield "scheduled for", both_zones(run.scheduled_for)
    yield "state", run.state + (", to be cancelled" if run.cancelled and run.open else "")
    yield "reason", run.reason
    yield "due", both_zones(run.due_at)
    yield "asked for by", run.requested_by or "the calendar"
    yield "began", both_zones(run.started_at)
    yield "ended", both_zones(run.ended_at)
    yield "worker", run.owner
    yield "progress", progress_of(run_document(run))
    for name in ("written", "unchanged", "skipped", "failed", "missed"):
        yield f"rows {name}", getattr(run, f"rows_{name}")
