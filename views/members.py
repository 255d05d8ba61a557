"""The workers of the group: their rows in the database, and for the worker that serves the page what it says itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from views.facts import Facts
from views.model import WorkerLine
from views.report import ReportError, WorkerReport, read_report

if TYPE_CHECKING:
    from sinks.operations.workers import WorkerStatus

ALIVE: Final = "alive"
STALE: Final = "stale"

_NO_REPORT: Final = WorkerReport()


@dataclass(frozen=True)
class Member:
    """A worker. ``row`` is ``None`` for the one that serves the page when the database does not know it."""

    name: str
    here: bool
    alive: bool
    row: WorkerStatus | None
    report: WorkerReport
    problem: str | None = None


def members(facts: Facts) -> tuple[Member, ...]:
    """List the worker that serves the page first, then the others that live, then those that fell silent, by name."""
    own = facts.report.value
    found = [_member(row, own) for row in facts.workers.value or ()]
    if own is not None and not any(member.here for member in found):
        found.append(Member(own.name, here=True, alive=True, row=None, report=own))
    return tuple(sorted(found, key=lambda member: (not member.here, not member.alive, member.name)))


def _member(row: WorkerStatus, own: WorkerReport | None) -> Member:
    if own is not None and row.name == own.name:
        return Member(row.name, here=True, alive=True, row=row, report=own)
    try:
        return Member(row.name, here=False, alive=not row.stale, row=row, report=read_report(row.state))
    except ReportError as error:
        return Member(row.name, here=False, alive=not row.stale, row=row, report=_NO_REPORT, problem=str(error))


def worker_line(member: Member, facts: Facts) -> WorkerLine:
    """Sum up a worker. What a silent one reported last says nothing about now."""
    row, report = member.row, member.report
    current = report.partitions if member.alive else ()
    return WorkerLine(
        name=member.name,
        here=member.here,
        state=ALIVE if member.alive else STALE,
        silent_seconds=_silent_seconds(member, facts),
        started_at=row.started_at if row else None,
        web_url=web_address(row.web_url if row else None),
        host=report.host,
        pid=report.pid,
        rss_bytes=report.rss_bytes if member.alive else None,
        partitions=len(current),
        rate=round(sum(partition.rate for partition in current), 1) if member.alive else None,
        lag_seconds=max((partition.lag_seconds for partition in current), default=None),
        problem=member.problem,
    )


def _silent_seconds(member: Member, facts: Facts) -> float | None:
    if member.row is None or facts.workers.at is None:
        return None
    return member.row.silent_seconds + max((facts.at - facts.workers.at).total_seconds(), 0.0)


def web_address(url: str | None) -> str | None:
    """The address, when it is one that a page may link to: what stands in the database is not trusted to be."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None
