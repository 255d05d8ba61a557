"""Runs of the reconciliation as they are kept, each flow's in its target database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from reconcile.progress import Progress
from reconcile.ranges import Range
from sinks.json_text import json_text
from sinks.pool import Session


class State(StrEnum):
    """Of a flow in a run."""

    RUNNING = "running"
    DONE = "done"
    UNDECIDED = "undecided"
    """It could not be said what differs; the problem says why. It may go on."""


@dataclass(frozen=True)
class Record:
    """A flow in a run. ``problem`` says why it is undecided."""

    run: str
    flow: str
    repairs: bool
    bounds: Range
    state: State
    progress: Progress
    problem: str | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None


_SAVE: Final = """
    INSERT INTO sync.reconciliation AS r (run, flow, repairs, key_from, key_to, state, problem, progress)
    VALUES (%(run)s, %(flow)s, %(repairs)s, %(low)s, %(high)s, %(state)s, %(problem)s, %(progress)s::jsonb)
    ON CONFLICT (run, flow) DO UPDATE
    SET state = excluded.state, problem = excluded.problem, progress = excluded.progress, updated_at = clock_timestamp()
    """
_FIND: Final = """
    SELECT run, flow, repairs, key_from, key_to, state, {progress}::text, problem, started_at, updated_at FROM sync.reconciliation
    WHERE %(run)s::text IS NULL OR run = %(run)s ORDER BY run DESC, flow LIMIT %(limit)s
    """
_WHOLE: Final = _FIND.format(progress="progress")
_COUNTS: Final = _FIND.format(progress="(progress - 'rows')")


async def save(session: Session, record: Record) -> None:
    """Keep how far a flow has come in a run."""
    values = {"run": record.run, "flow": record.flow, "repairs": record.repairs, **record.bounds._asdict()}
    progress = json_text(record.progress)
    await session.run(_SAVE, values | {"state": record.state, "problem": record.problem, "progress": progress})


async def find(session: Session, run: str | None = None, limit: int = 1000, *, rows: bool = True) -> list[Record]:
    """The flows of a run, or of the newest runs, newest first; without ``rows`` none that differed is listed."""
    return [
        Record(run, flow, repairs, Range(low, high), State(state), _progress(progress), problem, started_at, updated_at)
        for run, flow, repairs, low, high, state, progress, problem, started_at, updated_at in await session.rows(
            _WHOLE if rows else _COUNTS, {"run": run, "limit": limit}
        )
    ]


def _progress(document: str) -> Progress:
    return msgspec.json.decode(document, type=Progress)
