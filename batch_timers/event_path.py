"""What jobs that back up an event flow need of the event path. ``app`` fulfils it: the two never import one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from flows.model import CapturedFlow
from sinks.pool import Pool, Session
from sinks.source_rows import Fence, KeyRange


class BadRow(Exception):
    """A source row that would become a dead letter; what stands for it stays."""


@dataclass(frozen=True)
class Wanted:
    """A row as it should be. ``document``, a JSON object, is for the comparison, ``state`` for :meth:`EventPath.write`."""

    key: str
    document: bytes
    state: Any


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
    """The mapping and the guarded write of a flow's events."""

    @property
    def flow(self) -> CapturedFlow:
        """The flow."""
        ...

    def comparison(self, *, extras: bool) -> str:
        """The statement of ``sinks.backup_rows`` for the flow's kind."""
        ...

    def wanted(self, content: bytes, fence: Fence) -> Wanted:
        """What a row of the source comes to; raises :class:`BadRow`."""
        ...

    def absent(self, key: str, fence: Fence) -> Any:
        """The state of a row that the source does not have."""
        ...

    async def write(self, session: Session, states: Sequence[Any]) -> frozenset[str]:
        """Write under the version guard, in the transaction that is open; the keys whose version won."""
        ...

    async def likeness(self, source: Pool, target: Pool) -> Likeness:
        """How these two databases hash, as far as they agree."""
        ...

    async def settle(self, session: Session, keys: Sequence[str]) -> list[str]:
        """Put right what is derived from the rows of a page; what has been put right, by name."""
        ...

    async def settle_range(self, session: Session, bounds: KeyRange) -> list[str]:
        """The same of all rows of a range."""
        ...

    async def settle_strays(self, session: Session) -> list[str]:
        """The same of what no row stands behind any more."""
        ...
