"""What jobs that back up an event flow need of the event path. ``app`` fulfils it: the two never import one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from flows.model import CapturedFlow
from sinks.pool import Session
from sinks.source_rows import Fence


class BadRow(Exception):
    """A source row that would become a dead letter; what stands for it stays."""


@dataclass(frozen=True)
class Wanted:
    """A row as it should be. ``document``, a JSON object, is for the comparison, ``state`` for :meth:`EventPath.write`."""

    key: str
    document: bytes
    state: Any


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

    async def settle(self, session: Session, keys: Sequence[str], *, last: bool) -> list[str]:
        """Put right what is derived from rows, given those of a page; with ``last`` also what no row stands behind."""
        ...
