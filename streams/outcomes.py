"""What the running worker knows of a partition: rates and latencies. Never the truth, which is the ledger's."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sinks.ledger import Outcome

SAMPLES: Final = 2000
LATENCY_WINDOW: Final = 60.0
RATE_WINDOW: Final = 10.0


@dataclass
class Latencies:
    """Commit in the source → commit in the target, of at most :data:`SAMPLES` records of the last minute."""

    samples: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=SAMPLES))

    def add(self, now: float, ages: Sequence[float]) -> None:
        """Records that became visible ``now``, so many seconds after their commit."""
        self.samples.extend((now, age) for age in ages)

    def percentiles_ms(self, *shares: float) -> list[float | None]:
        """Percentiles in milliseconds, each ``None`` when nothing became visible in the window."""
        oldest = time.time() - LATENCY_WINDOW
        ordered = sorted([latency for seen, latency in self.samples if seen >= oldest])
        if not ordered:
            return [None for _ in shares]
        return [round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000, 1) for share in shares]


class Listener(Protocol):
    """Hears of every chunk that became visible, of any partition of a flow."""

    def committed(self, counts: Mapping[Outcome, int], ages: Sequence[float]) -> None:
        """What became of its records; seconds from commit in the source to commit in the target, of a sample of them."""


class Nobody:
    """A :class:`Listener` that does not listen."""

    def committed(self, counts: Mapping[Outcome, int], ages: Sequence[float]) -> None:
        """Forget it."""


@dataclass
class PartitionStatistics:
    """Counts since this worker took the partition over.

    ``waiting_since`` is Kafka's timestamp (ms) of the oldest record that is in the log and not applied, as last known;
    ``asked_offset`` the offset of which the log told it.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)
    recent: deque[tuple[float, int]] = field(default_factory=deque)
    listener: Listener = field(default_factory=Nobody)
    waiting_since: int | None = None
    asked_offset: int | None = None

    def committed(self, counts: dict[Outcome, int], source_times: list[int]) -> None:
        """A chunk is visible; ``source_times`` in microseconds of a sample of its records."""
        now = time.time()
        self.outcomes.update(counts)
        self.recent.append((now, sum(counts.values())))
        ages = [max(now - moment / 1e6, 0.0) for moment in source_times]  # the source has a clock of its own
        self.latencies.add(now, ages)
        self.listener.committed(counts, ages)

    def level(self) -> None:
        """Nothing waits."""
        self.waiting_since = self.asked_offset = None

    def holds(self, timestamp: int) -> None:
        """The oldest record that waits is in the lane."""
        self.waiting_since, self.asked_offset = timestamp, None

    def rate(self) -> float:
        """Records per second over the last :data:`RATE_WINDOW` seconds."""
        oldest = time.time() - RATE_WINDOW
        while self.recent and self.recent[0][0] < oldest:
            self.recent.popleft()
        return sum(count for _, count in self.recent) / RATE_WINDOW
