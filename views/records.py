"""What the pages show beside the overview: history, plans, and what others than the workers know. ``app/`` fulfils it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from flows.schedule import Schedule
from flows.tables import Database

if TYPE_CHECKING:
    from sinks.operations.audit import Deed
    from sinks.operations.jobs import Control, JobRun
    from sinks.operations.letters import Letter, Selection
    from sinks.operations.parked import ParkedKey
    from sinks.operations.samples import Sample
    from sinks.operations.slots import Retention
    from views.frame import Window


@dataclass(frozen=True)
class PlannedRun:
    """A slot to come, by the calendar. ``starts_at``: not before; ``None`` when the slot does not run itself."""

    job: str
    scheduled_for: datetime
    fate: str
    starts_at: datetime | None
    why: str


@dataclass(frozen=True)
class KnownJob:
    """A job of the calendar. ``database`` holds its ledger; ``None`` for what concerns all flows."""

    schedule: Schedule
    flow: str | None
    database: Database | None


@dataclass(frozen=True)
class ConnectorTask:
    """``trace``: the first line of what went wrong, without values."""

    id: int
    state: str
    worker: str
    trace: str | None


@dataclass(frozen=True)
class Connector:
    """A connector as Kafka Connect tells of it. ``problems`` say what to do."""

    name: str
    state: str
    worker: str | None
    trace: str | None
    tasks: tuple[ConnectorTask, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Masked:
    """A dead letter with the structure of its record, every value masked; ``problem``: why that cannot be shown."""

    letter: Letter
    key: Any
    value: Any
    headers: tuple[tuple[str, str], ...]
    problem: str | None = None


@dataclass(frozen=True)
class ShownSetting:
    """A variable of the environment. Secrets are told as set or not set, never by value."""

    variable: str
    value: str
    meaning: str


class Records(Protocol):
    """Each method that waits raises :class:`views.protocols.Unanswered`, and answers with bounded work."""

    async def windows(self) -> Sequence[Window]:
        """Maintenance that goes on or begins within a day."""
        ...

    async def samples(self, flow: str, since: datetime, step: timedelta) -> Sequence[Sample]:
        """The history of a flow in steps."""
        ...

    async def parked_keys(self, flow: str, limit: int) -> Sequence[ParkedKey]:
        """Keys of a flow that wait, the oldest first; no flow of that name: none."""
        ...

    async def open_letters(self, database: Database) -> Mapping[str, Mapping[str, int]]:
        """Flow → reason → number of open letters; flows without any are missing."""
        ...

    async def letters(self, database: Database, selection: Selection) -> Sequence[Letter]:
        """The selected letters that a database holds."""
        ...

    async def letter(self, database: Database, number: int) -> Masked | None:
        """One letter; ``None`` when there is no such."""
        ...

    async def job_problems(self) -> Sequence[str]:
        """Jobs that failed or are late, as `status` tells of them."""
        ...

    def jobs(self) -> Sequence[KnownJob]:
        """All jobs, in the calendar's order."""
        ...

    async def runs(self, database: Database, each: int) -> Sequence[JobRun]:
        """The newest runs of every job whose ledger is there."""
        ...

    async def controls(self, database: Database) -> Mapping[str, Control]:
        """What operators have paused there, by job; ``*`` stands for all."""
        ...

    async def planned(self) -> Sequence[PlannedRun]:
        """Slots to come, in order of time: at least the next of every job."""
        ...

    async def reconciliations(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Documents of the newest runs of the reconciliation, newest first."""
        ...

    async def reconciliation(self, run: str) -> Mapping[str, Any] | None:
        """The document of one run; ``None`` when there is no such."""
        ...

    async def connectors(self) -> Sequence[Connector]:
        """The connectors that the flows need."""
        ...

    async def slots(self, database: Database) -> Sequence[Retention]:
        """Our replication slots there."""
        ...

    async def audit(self, database: Database, before: datetime | None, limit: int) -> Sequence[Deed]:
        """Who did what, newest first."""
        ...

    def configuration(self) -> Sequence[ShownSetting]:
        """What this worker was started with."""
        ...
