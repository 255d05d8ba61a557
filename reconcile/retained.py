"""What the topic of a callback flow still holds, as reconciliation asks for it. Commands and workers fulfil this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flows.callback_model import CallbackFlow


class Page(Protocol):
    """The newest state of each row that some records tell of; ``end``: the offset behind them.

    ``rows``: JSON objects with the row's key (``k``), its version (``l`` and ``a``, as ``sync.row_version`` has them) and the
    target columns. Bad records are not among them: they are, or were, dead letters.
    """

    @property
    def rows(self) -> Sequence[bytes]:
        """The documents."""
        ...

    @property
    def end(self) -> int:
        """An offset."""
        ...


class Retained(Protocol):
    """Raises aiokafka's ``KafkaError``, and ``TimeoutError``."""

    async def page(self, flow: CallbackFlow, partition: int, begin: int, end: int) -> Page:
        """Records from ``begin``, or where the log begins now, to at most ``end``, which the log has reached."""
        ...
