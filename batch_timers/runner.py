"""The jobs of one target database, as one worker sees them: it proposes slots, looks whose turn it is, and runs what it takes.

Every worker does this; the ledger decides who gets what.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from batch_timers.execution import Execution
from batch_timers.interface import BatchJob
from batch_timers.plan import Fate
from batch_timers.proposals import Proposal, proposals
from batch_timers.turns import Action, Turn, calendar_of, turns
from settings import Batch
from sinks import job_board, job_ledger
from sinks.copying import CopyPool
from sinks.job_board import Line, Run
from sinks.job_ledger import State
from sinks.pool import Pool, Session

log = logging.getLogger(__name__)

_STATES: Final = {Fate.RUNS: State.SCHEDULED, Fate.DEFERRED: State.DEFERRED, Fate.COALESCED: State.COALESCED}


@dataclass(frozen=True)
class Pools:
    """Connections of one run: five to ten to each database, which can COPY."""

    source: CopyPool
    target: CopyPool

    async def close(self) -> None:
        """Close all."""
        await self.source.close()
        await self.target.close()


class Runner:
    """``jobs`` have their ledger in the database of ``target``, whose pool serves the looks; ``pools`` makes those of a run."""

    def __init__(
        self, jobs: Iterable[BatchJob], target: Pool, pools: Callable[[BatchJob], Pools], settings: Batch, owner: str
    ) -> None:
        self._jobs = {job.schedule.job: job for job in jobs}
        self._schedules = {name: job.schedule for name, job in self._jobs.items()}
        self._target = target
        self._pools = pools
        self._settings = settings
        self._owner = owner
        self._running: dict[int, asyncio.Task[None]] = {}

    async def propose(self) -> int:
        """Write a line for every slot that came since the last; returns how many. Raises as the pool and the driver do."""
        async with self._target.session() as session:
            known = await job_board.known(session, [name for name, schedule in self._schedules.items() if schedule.cron])
            board = await job_board.read(session)
            calendar = calendar_of(board)
            lines = [
                self._line(proposal)
                for job, newest in known.items()
                for proposal in proposals(self._schedules[job], newest, board.now, calendar)
            ]
            return await job_board.propose(session, lines)

    def _line(self, proposal: Proposal) -> Line:
        into = f" (into {proposal.into:%Y-%m-%d %H:%M} UTC)" if proposal.into else ""
        lane = self._schedules[proposal.job].lane
        state = _STATES[proposal.fate]
        return Line(proposal.job, proposal.scheduled_for, lane, state, proposal.due_at, proposal.reason + into)

    async def look(self) -> list[Turn]:
        """Decide about every open run that nobody works on, and begin what we get. Raises as :meth:`propose`."""
        async with self._target.session() as session:
            board = await job_board.read(session)
            decided = turns(board, self._schedules)
            for turn in decided:
                await self._carry_out(session, turn)
        return decided

    async def _carry_out(self, session: Session, turn: Turn) -> None:
        run = turn.run
        match turn.action:
            case Action.START | Action.TAKE_OVER:
                await self._begin(session, run, dead=turn.action is Action.TAKE_OVER)
            case Action.DEFER if turn.until is not None:
                await job_board.defer(session, run, turn.until, turn.reason)
            case Action.ASK:
                await job_board.ask_for_lane(session, run)
            case Action.RELEASE:
                await job_board.release(session, run, turn.reason)
            case Action.COALESCE | Action.SUPERSEDE | Action.CANCEL | Action.FAIL:
                await job_board.close(session, run, _ENDS[turn.action], turn.reason)

    async def _begin(self, session: Session, run: Run, *, dead: bool) -> None:
        held = await job_ledger.take(session, run.run_id, run.token, self._owner, lease=self._settings.lease, dead=dead)
        if held is None:
            return
        log.info("%s of %s: %s", run.job, run.scheduled_for, "taken over" if dead else "begins")
        task = asyncio.create_task(self._execute(self._jobs[run.job], held))
        self._running[run.run_id] = task
        task.add_done_callback(lambda done: self._ended(run.run_id, done))

    async def _execute(self, job: BatchJob, held: job_ledger.Held) -> None:
        pools = self._pools(job)
        try:
            await Execution(job, held, pools.source, pools.target, self._settings).run()
        finally:
            await pools.close()

    def _ended(self, run_id: int, task: asyncio.Task[None]) -> None:
        if self._running.get(run_id) is task:
            del self._running[run_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a run ended by a defect of ours", exc_info=error)

    @property
    def busy(self) -> bool:
        """Whether a run is at work here."""
        return bool(self._running)

    async def finished(self) -> None:
        """Wait until nothing is at work here."""
        while self._running:
            await asyncio.wait(self._running.values())

    async def stop(self) -> None:
        """Give the runs back: another worker goes on with them."""
        for task in list(self._running.values()):
            task.cancel()
        await self.finished()


_ENDS: Final = {
    Action.COALESCE: State.COALESCED,
    Action.SUPERSEDE: State.SUPERSEDED,
    Action.CANCEL: State.CANCELLED,
    Action.FAIL: State.FAILED,
}
