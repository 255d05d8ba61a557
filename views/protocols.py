"""What the pages show comes through these protocols; ``app.py`` injects what fulfils them.

All are called in the event loop that serves the pages, at most twice a second each, and only while somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from flows.tables import Database

if TYPE_CHECKING:
    from sinks.operations.flow_control import FlowStatus
    from sinks.operations.health import Health
    from sinks.operations.positions import Position
    from sinks.operations.workers import WorkerStatus

#: Tells the time, with a zone.
Clock = Callable[[], datetime]


class Unanswered(Exception):
    """Whoever was asked cannot answer now: an outage. The message says who; the page shows what was known last."""


class WorkerView(Protocol):
    """The worker that serves the page."""

    async def snapshot(self) -> Mapping[str, Any]:
        """Its state in the shape of ``sync.worker.state``, and its ``name``; raises :class:`Unanswered`."""
        ...


class ClusterView(Protocol):
    """What the target databases hold of all workers. Each raises :class:`Unanswered`."""

    async def workers(self) -> Sequence[WorkerStatus]:
        """Rows of ``sync.worker``."""
        ...

    async def flows(self) -> Sequence[FlowStatus]:
        """Rows of ``sync.flow_state``; a flow without a row runs."""
        ...

    async def ledger(self) -> Sequence[Position]:
        """Rows of ``sync.ledger``."""
        ...

    async def health(self, database: Database) -> Health:
        """How a database does."""
        ...

    async def parked(self) -> Mapping[str, int]:
        """Flow → number of keys that wait for a row; a flow without any may be missing."""
        ...

    async def dead_letters(self) -> Mapping[str, int]:
        """Flow → number of open dead letters; a flow without any may be missing."""
        ...
