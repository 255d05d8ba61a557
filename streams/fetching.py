"""Fetches that do not name every partition every time.

A fetch names partitions one by one, as its answer does, and aiokafka writes and reads both in Python: for the 142 partitions of
one worker 1 ms in the codec alone, 5 ms of CPU in all on a busy machine, while ten of the partitions have records.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher

#: The broker holds a fetch that finds nothing for so long. While it does no other is sent, so a fetch that leaves partitions
#: out must be short; one that names all of them returns with whatever comes, and an idle worker need not repeat it so often.
WAIT_MS: Final = 50
WAIT_FOR_ALL_MS: Final = 200
#: A partition is busy for so long after its last records (seconds). Others are named as often as this.
BUSY_SECONDS: Final = 1.0
QUIET_SECONDS: Final = WAIT_MS / 1000


class Turns:
    """Which partitions the next fetch names: the busy ones, and quiet ones that were not named for :data:`QUIET_SECONDS`.

    ``now`` in seconds, of any clock that never goes back.
    """

    def __init__(self) -> None:
        self._had_records: dict[TopicPartition, float] = {}
        self._named: dict[TopicPartition, float] = {}

    def have_records(self, partitions: Iterable[TopicPartition], now: float) -> None:
        """Note partitions whose records have come and are still here."""
        self._had_records.update(dict.fromkeys(partitions, now))

    def named(self, partitions: Iterable[TopicPartition], now: float) -> None:
        """Note what a fetch named."""
        self._named.update(dict.fromkeys(partitions, now))

    def of(self, assigned: frozenset[TopicPartition], now: float) -> frozenset[TopicPartition]:
        """Those whose turn it is; all of them while none is busy."""
        busy = {tp for tp, since in self._had_records.items() if now - since < BUSY_SECONDS}
        if not busy & assigned:
            return assigned
        return frozenset(tp for tp in assigned if tp in busy or now - self._named.get(tp, 0.0) >= QUIET_SECONDS)


class _PartOfAssignment:
    """An assignment with some of its partitions, for whoever asks what to fetch."""

    def __init__(self, whole: Any, tps: frozenset[TopicPartition]) -> None:
        self.tps = tps
        self.state_value = whole.state_value


class SparingFetcher(Fetcher):  # type: ignore[misc,unused-ignore]  # aiokafka's classes have no types
    """aiokafka's fetcher, which asks :class:`Turns` whom to name."""

    _turns: Turns

    @classmethod
    def replace(cls, fetcher: Fetcher) -> None:
        """Make a fetcher one of these: the consumer makes its own and takes no other."""
        fetcher.__class__ = cls
        fetcher._turns = Turns()  # noqa: SLF001 - it is one of ours now

    def _get_actions_per_node(self, assignment: Any) -> Any:
        now = time.monotonic()
        self._turns.have_records(self._records, now)
        tps = self._turns.of(assignment.tps, now)
        everything = len(tps) == len(assignment.tps) and not self._records
        self._fetch_max_wait_ms = WAIT_FOR_ALL_MS if everything else WAIT_MS
        actions = super()._get_actions_per_node(_PartOfAssignment(assignment, tps))
        for _, request in actions[0]:
            self._turns.named(_named_in(request), now)
        return actions


def _named_in(request: Any) -> Iterable[TopicPartition]:
    return (TopicPartition(topic, entry[0]) for topic, entries in request.topics for entry in entries)
