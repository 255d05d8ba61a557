"""Follows a run of the job ledger to its end: a bar where somebody sees it."""

import time
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sinks.operations import jobs
from sinks.operations.connection import Connection
from sinks.operations.jobs import JobRun

_LOOK_SECONDS: Final = 0.5


def followed(session: Connection, run: JobRun, console: Console) -> JobRun:
    """The run as it ended. Ctrl-C ends the looking, not the run."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(_described(run), total=None)
        while run.open:
            time.sleep(_LOOK_SECONDS)
            run = jobs.run_of(session, run.job, run.scheduled_for)
            total = max(run.rows_expected, run.rows_read) if run.rows_expected is not None else None
            bars.update(bar, description=_described(run), completed=run.rows_read, total=total)
    return run


def _described(run: JobRun) -> str:
    """Why it does not move is what people look for first."""
    return f"{run.job}: {run.state}{f' ({run.reason})' if run.reason else ''}"
