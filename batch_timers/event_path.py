"""What jobs that back up an event flow need of the event path. ``app`` fulfils it: the two never import one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from flows.model import CapturedFlow
from sinks.copied_rows import Copied
from sinks.copying import CopySession
from sinks.pool import Pool, Session
from sinks.source_rows import Fence, KeyRange
from sinks.staging import Found


@dataclass(frozen=True)
class Hashed:
    """Rows of a range, and the sum of their hashes; equal ones hold the same."""

    rows: int = 0
    total: str | None = None


class Likeness(Protocol):
    """Hashes ranges where the rows are: of two equal hashes a comparison would find nothing to write.

    ``cuts`` part a range, in order; the answers go by the number of the part, 0 the first, without those that are empty.
    """

    async def of_source(self, session: Session, bounds: KeyRange, cuts: Sequence[str]) -> Mapping[int, Hashed]:
        """What the rows of the source come to; in a transaction that is open."""
        ...

    async def of_target(self, session: Session, bounds: KeyRange, cuts: Sequence[str]) -> Mapping[int, Hashed]:
        """What stands."""
        ...


class EventPath(Protocol):
    """The checks and the guarded write of a flow's events, for rows that the source has mapped."""

    @property
    def flow(self) -> CapturedFlow:
        """The flow."""
        ...

    def problem(self, content: bytes) -> str | None:
        """Why a row of the source, as of :class:`~sinks.source_rows.SourceRow`, would become a dead letter; no value is named."""
        ...

    async def write(self, session: CopySession, page: Copied, fence: Fence, *, extras: bool, named: bool) -> Found:
        """Stage the page, compare it, and write what differs under the version guard, in the transaction that is open.

        ``extras``: rows of the page's range that the source does not have go. ``named``: the answer has keys.
        """
        ...

    async def likeness(self, source: Pool, target: Pool) -> Likeness:
        """How these two databases hash, as far as they agree."""
        ...

    async def settle(self, session: Session) -> list[str]:
        """Put right what is derived from the rows of the page that was written last; what has been put right, by name."""
        ...

    async def settle_range(self, session: Session, bounds: KeyRange) -> list[str]:
        """The same of all rows of a range."""
        ...

    async def settle_strays(self, session: Session) -> list[str]:
        """The same of what no row stands behind any more."""
        ...
