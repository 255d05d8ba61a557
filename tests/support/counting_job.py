"""A job that counts, and a worker process for it that can be stopped at every state of a run.

Run as a program it says `at STATE` on standard output when a run gets there for the second time, and stands still, the whole
process, until a line comes on standard input.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from batch_timers.interface import Around, Chunk
from batch_timers.runner import Pools, Runner
from flows.schedule import Schedule
from settings import Batch, Database, load_settings
from sinks import job_ledger
from sinks.copying import CopyPool
from sinks.job_ledger import Counts
from sinks.pool import Pool, Session

#: In the order in which a run meets them.
STATES = ("looking", "taken", "read", "locked", "written", "committed", "ending")
CHUNKS = 6
ROWS = 3
TABLE = "CREATE TABLE IF NOT EXISTS public.counted (n integer PRIMARY KEY, times integer NOT NULL, by text NOT NULL)"
HURRIED = Batch(lease=1, look_interval=0.05, rows_per_second=0, peak_rows_per_second=0)

Gate = Callable[[str], None]


def open_gate(_: str) -> None:
    """Let everything pass."""


@dataclass
class CountingChunk:
    """Adds one to `times` of some rows: what is written twice shows."""

    number: int
    worker: str
    gate: Gate

    @property
    def cursor(self) -> int:
        """The next chunk."""
        return self.number + 1

    async def write(self, session: Session) -> Counts:
        """Write."""
        self.gate("locked")
        for n in range(self.number * ROWS, (self.number + 1) * ROWS):
            await session.run(
                "INSERT INTO public.counted AS c VALUES (%s, 1, %s) ON CONFLICT (n) DO UPDATE SET times = c.times + 1",
                (n, self.worker),
            )
        self.gate("written")
        return Counts(written=ROWS)


@dataclass
class CountingJob:
    """Writes the numbers from 0 on. ``failing`` raises at a chunk's reading."""

    worker: str = "test"
    gate: Gate = open_gate
    schedule: Schedule = field(default_factory=lambda: Schedule("counting", "0 * * * *", timedelta(minutes=1), lane="counting"))
    failing: Callable[[int], None] = field(default=lambda _: None)
    pause: float = 0.0

    async def expected(self, around: Around) -> int | None:
        """All rows."""
        self.gate("taken")
        return CHUNKS * ROWS

    async def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """From the cursor on."""
        for number in range(around.cursor or 0, CHUNKS):
            await asyncio.sleep(self.pause)
            self.failing(number)
            self.gate("read")
            yield CountingChunk(number, self.worker, self.gate)
            self.gate("committed")
        self.gate("ending")


def runner(database: Database, job: CountingJob, settings: Batch = HURRIED) -> Runner:
    """A runner of the job alone, whose ledger is in ``database``."""
    return Runner([job], Pool(database), lambda _: Pools(CopyPool(database), CopyPool(database)), settings, job.worker)


class StandStill:
    """Stands still when a state is met for the ``time``-th time."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._left = 2 if state in ("read", "locked", "written", "committed") else 1

    def __call__(self, state: str) -> None:
        """Meet a state."""
        if state == self._state:
            self._left -= 1
            if not self._left:
                print(f"at {state}", flush=True)
                sys.stdin.readline()


async def _work(state: str) -> None:
    gate = StandStill(state)
    take = job_ledger.take

    async def gated(*arguments: object, **options: object) -> object:
        gate("looking")
        return await take(*arguments, **options)  # type: ignore[arg-type]

    job_ledger.take = gated  # type: ignore[assignment]
    database = load_settings().citizen.model_copy(update={"idle_in_transaction_timeout": 1500})
    working = runner(database, CountingJob("standing", gate))
    await working.look()
    await working.finished()
    print("ended", flush=True)


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
