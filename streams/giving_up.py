"""Parked records whose reference has not come in time become dead letters, unless so many would that it is no fault of theirs.

They are judged before the first is written, all of the flow together: when the flow that brings what they wait for stands still,
their deadlines pass by the thousand. The breaker then stops this flow, they stay parked, and an operator decides.
"""

from __future__ import annotations

from collections import Counter

from settings import PROGRAM
from sinks.ledger import Claim, Outcome
from sinks.pool import Pool
from streams.patient import PER_TRANSACTION, Patient, may_write
from streams.share_breaker import ShareBreaker, TooManyDeadLetters


class GivingUp:
    """Gives up what is overdue in one flow."""

    def __init__(self, applier: Patient, target: Pool, breaker: ShareBreaker) -> None:
        self._applier = applier
        self._parked = applier.parked
        self._target = target
        self._breaker = breaker

    async def run(self, claim: Claim) -> None:
        """Write dead letters for what is overdue in the partition; raises :class:`TooManyDeadLetters` with none written."""
        async with self._target.session() as session:
            self._judge(await self._parked.count_overdue(session))
        while await self._give_up(claim) == PER_TRANSACTION:
            pass

    def _judge(self, overdue: int) -> None:
        try:
            self._breaker.check(overdue, overdue)
        except TooManyDeadLetters as many:
            problem, name = self._applier.missing(), self._applier.flow.name
            raise TooManyDeadLetters(
                f"{overdue:,} parked records are past their deadline because {problem.detail}, and {many}; they stay parked."
                f" See that the flow which fills that table runs, then `{PROGRAM} resume {name}`: what has come is applied"
            ) from None

    async def _give_up(self, claim: Claim) -> int:
        """One transaction; returns how many records it took."""
        async with self._target.session() as session:
            if not await may_write(session, claim):
                return 0
            overdue = await self._parked.overdue(session, claim.partition, PER_TRANSACTION)
            ids, problem = [identity for identity, _ in overdue], self._applier.missing()
            await self._parked.write_letters(session, ids, str(problem.reason), problem.detail)
            await self._parked.expire(session, ids)
            for topic, count in Counter(topic for _, topic in overdue).items():
                moved = {Outcome.PARKED: -count, Outcome.DEAD_LETTERED: count}
                await self._parked.recount(session, topic, claim.partition, moved)
            await session.run("COMMIT")
        self._breaker.committed(len(overdue), len(overdue))
        return len(overdue)
