"""Runs of the reconciliation as they are kept, each flow's in its target database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from reconcile.progress import Progress
from reconcile.ranges import EVERYTHING, Range
from sinks import upstream_loss
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
    """A flow in a run. ``problem`` says why it is undecided; ``light`` and ``horizon``: see :mod:`reconcile.light`."""

    run: str
    flow: str
    repairs: bool
    bounds: Range
    state: State
    progress: Progress
    problem: str | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None
    light: bool = False
    horizon: int | None = None

    @property
    def settles(self) -> bool:
        """Whether nothing that was lost before it began can be missing now; of callbacks no source knows that."""
        whole = self.bounds == EVERYTHING and not self.progress.untouched and self.horizon is not None
        return whole and self.repairs and self.state is State.DONE and self.progress.good


_SAVE: Final = """
    INSERT INTO sync.reconciliation AS r (run, flow, repairs, key_from, key_to, state, problem, progress, light, horizon)
    VALUES (%(run)s, %(flow)s, %(repairs)s, %(low)s, %(high)s, %(state)s, %(problem)s, %(progress)s::jsonb,
            %(light)s, %(horizon)s::text::xid8)
    ON CONFLICT (run, flow) DO UPDATE
    SET state = excluded.state, problem = excluded.problem, progress = excluded.progress, updated_at = clock_timestamp()
    """
_COLUMNS: Final = """
    run, flow, repairs, key_from, key_to, state, {progress}::text, problem, started_at, updated_at, light, horizon::text::bigint
    """
_ALL_ROWS: Final = _COLUMNS.format(progress="progress")
_OF_FLOW: Final = f"""
    SELECT {_ALL_ROWS} FROM sync.reconciliation
    WHERE flow = %(flow)s AND started_at > clock_timestamp() - %(oldest)s::interval AND (key_from, key_to) IS NULL
    ORDER BY run DESC
    """
_FIND: Final = """
    SELECT {columns} FROM sync.reconciliation WHERE %(run)s::text IS NULL OR run = %(run)s
    ORDER BY run DESC, flow LIMIT %(limit)s
    """
_WHOLE: Final = _FIND.format(columns=_ALL_ROWS)
_COUNTS: Final = _FIND.format(columns=_COLUMNS.format(progress="(progress - 'rows')"))


async def save(session: Session, record: Record) -> None:
    """Keep how far a flow has come in a run. One that has made everything good ends the alarms about what was lost before."""
    values = {"run": record.run, "flow": record.flow, "repairs": record.repairs, **record.bounds._asdict()}
    more = {"light": record.light, "horizon": record.horizon, "progress": json_text(record.progress)}
    await session.run(_SAVE, values | more | {"state": record.state, "problem": record.problem})
    if record.settles:
        await upstream_loss.settle_reconciled(session, record.flow, record.run)


async def find(session: Session, run: str | None = None, limit: int = 1000, *, rows: bool = True) -> list[Record]:
    """The flows of a run, or of the newest runs, newest first; without ``rows`` none that differed is listed."""
    statement = _WHOLE if rows else _COUNTS
    return [_record(*row) for row in await session.rows(statement, {"run": run, "limit": limit})]


async def runs_of(session: Session, flow: str, oldest: timedelta) -> list[Record]:
    """Runs over all keys of a flow that are not older, newest first."""
    return [_record(*row) for row in await session.rows(_OF_FLOW, {"flow": flow, "oldest": oldest})]


def _record(run: str, flow: str, repairs: Any, *row: Any) -> Record:
    low, high, state, progress, *rest = row
    return Record(run, flow, repairs, Range(low, high), State(state), _progress(progress), *rest)


def _progress(document: str) -> Progress:
    return msgspec.json.decode(document, type=Progress)
