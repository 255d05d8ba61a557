"""Options and arguments of the commands about batch jobs."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final

import typer

from batch_timers.jobs import BACKFILLS, JOBS, Job, UnknownJob, job_named, jobs_named
from cli.moments import moment


def _job(name: str) -> Job:
    try:
        return job_named(name)
    except UnknownJob as error:
        raise typer.BadParameter(str(error)) from None


@dataclass(frozen=True)
class Chosen:
    """A job, or the jobs of a group, and the name by which it was chosen."""

    name: str
    jobs: tuple[Job, ...]


def _chosen(name: str) -> Chosen:
    try:
        return Chosen(name, jobs_named(name))
    except UnknownJob as error:
        raise typer.BadParameter(str(error)) from None


def _group_names(incomplete: str) -> list[str]:
    names = dict.fromkeys(name for job in JOBS for name in (job.group, job.name))
    return [name for name in names if name.startswith(incomplete)]


def _job_names(incomplete: str) -> list[str]:
    return [job.name for job in (*JOBS, *BACKFILLS) if job.name.startswith(incomplete)]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write 2026-03-01") from None


JobName = Annotated[Job, typer.Argument(parser=_job, metavar="JOB", autocompletion=_job_names, help="Name of the job.")]
MaybeJob = Annotated[
    Job | None, typer.Argument(parser=_job, metavar="[JOB]", autocompletion=_job_names, help="Name of the job; by default all.")
]
_PARTS: Final = "Name of the job, or of the group that it is a part of"
Jobs = Annotated[Chosen, typer.Argument(parser=_chosen, metavar="JOB", autocompletion=_group_names, help=f"{_PARTS}.")]
MaybeJobs = Annotated[
    Chosen | None,
    typer.Argument(parser=_chosen, metavar="[JOB]", autocompletion=_group_names, help=f"{_PARTS}; by default all."),
]
Slot = Annotated[
    datetime | None, typer.Option("--slot", parser=moment, metavar="TIME", help="The moment that the run was scheduled for.")
]
Days = Annotated[
    list[date] | None, typer.Option("--day", parser=_day, metavar="DATE", help="A day to compute anew; may be repeated.")
]
Force = Annotated[bool, typer.Option("--force", help="Also in maintenance or peak hours, and past what the job refuses.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many, newest first.")]
From = Annotated[datetime | None, typer.Option("--from", parser=moment, metavar="TIME", help="Beginning; by default now.")]
To = Annotated[datetime | None, typer.Option("--to", parser=moment, metavar="TIME", help="End; by default a day later.")]
CalendarOnly = Annotated[bool, typer.Option("--calendar-only", help="Leave maintenance on demand out, and ask no database.")]
