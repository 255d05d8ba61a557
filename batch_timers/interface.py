"""What a job is: a definition, and chunks that are read one after the other and written each in a transaction of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from flows.schedule import Schedule
from sinks.job_ledger import Counts
from sinks.pool import Begin, Pool, Session, begin


class Chunk(Protocol):
    """Some rows that were read."""

    @property
    def cursor(self) -> Any:
        """Where the next chunk begins: a JSON value that only the job understands."""
        ...

    async def write(self, session: Session) -> Counts:
        """Write them in the transaction that is open, under the run's lock."""
        ...


@dataclass(frozen=True)
class Around:
    """What a run has of its own: the pools of source and target, and what was asked for.

    ``cursor``: that of the last chunk that was committed, ``None`` at the beginning. ``forced``: an operator has said that it is
    meant. ``fence_wait``: seconds that older transactions of the source may take to end. ``begin`` begins a transaction of the
    target under the run's lock, for what is written beside chunks; it raises ``LostLease`` when the run is not ours any more.
    """

    source: Pool
    target: Pool
    scheduled_for: datetime
    cursor: Any
    parameters: Any
    forced: bool
    fence_wait: float
    begin: Begin = field(default=begin)


class BatchJob(Protocol):
    """A job of the calendar. Its chunks come to the same whether they are read at once or, after a kill, from a cursor on."""

    @property
    def schedule(self) -> Schedule:
        """When it runs."""
        ...

    async def expected(self, around: Around) -> int | None:
        """About how many rows there are to read; ``None`` when nobody knows."""
        ...

    def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """The chunks from the cursor on. Closed early when the run pauses or ends."""
        ...
