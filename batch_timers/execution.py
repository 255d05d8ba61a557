"""One run that we hold, chunk by chunk, until it has ended, pauses, or cannot go on.

Each chunk: read, begin, lock the run and compare the token, hear what has changed, write, note, commit. So whoever lost the run
writes nothing, and whoever takes it goes on behind the last chunk that was committed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any, Final

from batch_timers.closures import Calendar, Closure
from batch_timers.failures import OUTAGE_PAUSE, backoff, described, is_outage
from batch_timers.interface import Around, BatchJob, Chunk
from batch_timers.pace import Pace
from batch_timers.turns import ATTEMPTS
from settings import Batch
from sinks import job_ledger
from sinks.job_ledger import Border, Held, LostLease, State
from sinks.pool import Pool, Session, Unavailable
from sinks.sqlstate import DRIVER_ERRORS

log = logging.getLogger(__name__)

#: A last renewal may take so long; the lease itself is of no interest any more.
_BEAT_SECONDS: Final = 5.0


class _Halted(Exception):
    """The run may not go on now, or never."""

    def __init__(self, state: State, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


def pace_of(parameters: Any, settings: Batch) -> Pace:
    """That of the settings; a run's own ``rows_per_second`` goes before it, in peak hours only downwards."""
    usual, peak = settings.rows_per_second, settings.peak_rows_per_second
    asked = parameters.get("rows_per_second")
    if asked is None:
        return Pace(usual, peak)
    return Pace(asked, min(asked, peak) if asked and peak else asked or peak)


class Execution:
    """A run of ``job`` that we have taken."""

    def __init__(
        self,
        job: BatchJob,
        held: Held,
        source: Pool,
        target: Pool,
        settings: Batch,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._job = job
        self._held = held
        self._source = source
        self._target = target
        self._settings = settings
        self._pace = pace_of(held.parameters, settings)
        self._sleep = sleep
        self._attempts = held.attempts
        self._lost = False
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Work until there is nothing left to do for us. Cancelled, it gives the run back, so that another worker goes on."""
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        beat = asyncio.create_task(self._beat(task))
        try:
            await self._work()
        except asyncio.CancelledError:
            if self._lost:
                task.uncancel()
                log.warning("%s: somebody else has the run", self._name)
                return
            await asyncio.shield(self._give_back())
            raise
        except LostLease as error:
            log.warning("%s", error)
        except _Halted as halted:
            await self._halt(halted)
        except Exception as error:  # noqa: BLE001 - whatever it is, the ledger must learn it
            await self._fail(error)
        finally:
            await self._still(beat)

    async def _work(self) -> None:
        around = Around(
            self._source,
            self._target,
            self._held.scheduled_for,
            self._held.cursor,
            self._held.parameters,
            self._held.forced,
            self._settings.fence_wait,
            self._begin,
        )
        if self._held.cursor is None and (rows := await self._job.expected(around)) is not None:
            async with self._target.session() as session:
                await job_ledger.expect(session, self._held, rows)
        async with aclosing(self._job.chunks(around)) as chunks:
            async for chunk in self._in_time(chunks):
                await self._write(chunk)
        await self._leave(lambda session: job_ledger.end(session, self._held, State.SUCCEEDED, None))
        log.info("%s: done", self._name)

    async def _in_time(self, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        """The chunks; raises ``TimeoutError`` when none comes or none is written in time."""
        while True:
            async with asyncio.timeout(self._settings.chunk_timeout):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk

    async def _write(self, chunk: Chunk) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(self._settings.chunk_timeout), self._target.session() as session:
            border = await job_ledger.lock(session, self._held)
            if halted := self._reason_to_halt(border):
                await session.run("ROLLBACK")
                raise halted
            counts = await chunk.write(session)
            await job_ledger.advance_and_commit(session, self._held, chunk.cursor, counts, lease=self._settings.lease)
        self._attempts = 0
        await self._sleep(max(0.0, self._pace.seconds(counts.read - counts.unread, border.now) - (loop.time() - began)))

    async def _begin(self, session: Session) -> None:
        await job_ledger.lock(session, self._held)

    def _reason_to_halt(self, border: Border) -> _Halted | None:
        if border.cancelled:
            return _Halted(State.CANCELLED, "cancelled by an operator")
        if border.paused:
            return _Halted(State.PAUSED, "paused by an operator")
        if border.yields_to:
            return _Halted(State.PAUSED, f"lets {border.yields_to} go first")
        on_demand = (Closure(*border.maintenance, "maintenance on demand"),) if border.maintenance else ()
        closure = Calendar(on_demand).maintenance_at(border.now)
        if closure is None or (self._held.forced and self._held.created_at in closure):
            return None
        return _Halted(State.PAUSED, f"{closure.reason}, until {closure.end:%H:%M} UTC")

    async def _give_back(self) -> None:
        await self._leave(lambda session: job_ledger.retry(session, self._held, "its worker stops", seconds=0, counted=False))

    async def _halt(self, halted: _Halted) -> None:
        log.info("%s: %s", self._name, halted.reason)
        if halted.state is State.PAUSED:
            await self._leave(lambda session: job_ledger.pause(session, self._held, halted.reason))
        else:
            await self._leave(lambda session: job_ledger.end(session, self._held, halted.state, halted.reason))

    async def _fail(self, error: Exception) -> None:
        reason = described(error)
        if is_outage(error):
            log.warning("%s: waits: %s", self._name, reason)
            await self._leave(lambda session: job_ledger.retry(session, self._held, reason, seconds=OUTAGE_PAUSE, counted=False))
        elif self._attempts < ATTEMPTS:
            log.warning("%s: attempt %d failed: %s", self._name, self._attempts, reason, exc_info=not _quotes(error))
            pause = backoff(self._attempts, self._settings.retry_pause)
            await self._leave(lambda session: job_ledger.retry(session, self._held, reason, seconds=pause, counted=True))
        else:
            log.error("%s: failed: %s", self._name, reason, exc_info=not _quotes(error))
            await self._leave(lambda session: job_ledger.end(session, self._held, State.FAILED, reason))

    async def _leave(self, write: Callable[[Session], Awaitable[None]]) -> None:
        """In an outage the lease runs out instead."""
        with suppress(*DRIVER_ERRORS, Unavailable, OSError):
            async with self._target.session() as session:
                await write(session)

    async def _beat(self, task: asyncio.Task[Any]) -> None:
        """Renew the lease until the run is not ours any more."""
        while not await self._over_within(self._settings.lease / 4):
            with suppress(*DRIVER_ERRORS, Unavailable, OSError):
                async with self._target.session() as session:
                    if not await job_ledger.renew(session, self._held, lease=self._settings.lease):
                        self._lost = True
                        task.cancel()
                        return

    async def _over_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
        return self._over.is_set()

    async def _still(self, beat: asyncio.Task[None]) -> None:
        """A renewal under way may end: a cancelled statement costs its connection."""
        self._over.set()
        await asyncio.wait([beat], timeout=_BEAT_SECONDS)
        beat.cancel()

    @property
    def _name(self) -> str:
        return f"{self._held.job} of {self._held.scheduled_for:%Y-%m-%d %H:%M} UTC"


def _quotes(error: Exception) -> bool:
    """Whether the error's text may hold values of rows."""
    return isinstance(error, DRIVER_ERRORS)
