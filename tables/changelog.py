"""Bulk appends to a changelog topic: one producer call per batch instead of one per key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

#: A changelog record; ``None`` deletes the key.
Item = tuple[bytes, bytes | None]


class BatchProducer(Protocol):
    """The part of ``aiokafka.AIOKafkaProducer`` that bulk appends need."""

    def create_batch(self) -> Any:
        """Make an empty batch."""

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """Queue a batch; the future is the broker's answer."""
        ...


@dataclass(frozen=True)
class Appended:
    """Where a bulk append stands in the log. ``holes`` are ranges that somebody else wrote in between."""

    last_offset: int
    holes: tuple[range, ...]


class Append:
    """An append under way: the batches are with the producer, the broker has not answered yet."""

    def __init__(self, pending: list[tuple[asyncio.Future[Any], int]], expected: int | None) -> None:
        self._pending = pending
        self._expected = expected

    async def acknowledged(self) -> Appended:
        """Wait until all in-sync replicas have it; raises ``aiokafka.errors.KafkaError``."""
        answers = await asyncio.gather(*[future for future, _ in self._pending])
        return contiguous(
            [(answer.offset, count) for answer, (_, count) in zip(answers, self._pending, strict=True)], self._expected
        )


def contiguous(batches: list[tuple[int, int]], expected: int | None) -> Appended:
    """Compare (base offset, record count) pairs with the offset that should have come first, if that is known."""
    holes = []
    for base, count in batches:
        if expected is not None and base > expected:
            holes.append(range(expected, base))
        expected = base + count
    assert expected is not None, "an append has at least one batch"
    return Appended(expected - 1, tuple(holes))


async def append(
    producer: BatchProducer, topic: str, partition: int, items: Iterable[Item], timestamp: int, expected: int | None
) -> Append:
    """Hand ``items`` to the producer in order. ``timestamp`` in ms; ``expected`` is the next offset if we are alone."""
    pending = []
    for batch, count in _batches(producer, iter(items), timestamp):
        pending.append((await producer.send_batch(batch, topic, partition=partition), count))
    return Append(pending, expected)


def _batches(producer: BatchProducer, items: Iterator[Item], timestamp: int) -> Iterator[tuple[Any, int]]:
    batch, count = producer.create_batch(), 0
    for key, value in items:
        if batch.append(key=key, value=value, timestamp=timestamp) is None:
            batch.close()
            yield batch, count
            batch, count = producer.create_batch(), 0
            if batch.append(key=key, value=value, timestamp=timestamp) is None:
                raise ValueError(f"a changelog record of {len(value or b'')} bytes is larger than the producer's batch")
        count += 1
    batch.close()
    yield batch, count
