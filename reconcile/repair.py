"""Makes differences good, the way of events, and looks whether that has helped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from flows.model import RankedFlow
from flows.summary_model import SummaryFlow
from reconcile.canonical import PINNED
from reconcile.commands import Teller
from reconcile.comparison import Comparison
from reconcile.judging import Difference, What
from reconcile.level import Level
from reconcile.queries import of_keys
from reconcile.rebuild import Rebuild
from reconcile.recheck import Recheck, Verdicts
from reconcile.surroundings import Surroundings
from sinks.json_text import json_text
from sinks.source_rows import FencedRead, fenced_read
from sinks.summary_rows import LOCK_GROUPS, summaries_statement

Differences = Mapping[str, Sequence[Difference]]


@dataclass
class Repaired:
    """``left``: keys that differ still; ``bad``: keys of which a source row cannot be applied, with the reason."""

    left: Verdicts
    bad: dict[str, str] = field(default_factory=dict)


class Repair:
    """Repairs rows of one flow. Nothing is written but by who owns the partition, summaries under their group's lock aside."""

    def __init__(self, comparison: Comparison, around: Surroundings, recheck: Recheck, level: Level) -> None:
        self._comparison, self._flow = comparison, comparison.flow
        self._source, self._target, self._broker = around.source, around.target, around.broker
        self._recheck, self._level, self._begin = recheck, level, around.begin
        self._teller = Teller(comparison.flow)
        self._rebuild = Rebuild(comparison.flow, around.target, around.begin) if isinstance(comparison.flow, RankedFlow) else None
        self._members = f"SELECT m.pk, m.key::text FROM ({comparison.members}) AS m WHERE {of_keys(comparison, 'm')}"

    async def repair(self, different: Differences) -> Repaired:
        """Tell every source row behind the keys anew; raises as :class:`Recheck` does, and aiokafka's ``KafkaError``."""
        bad = await self._tell(different)
        if isinstance(self._flow, SummaryFlow):
            await self._level.reach()
            await self._sum_up(self._flow, list(different))
        left = await self._recheck.verdicts(different.keys())
        if left.different and self._rebuild is not None:
            await self._rebuild.once()
            left = await self._recheck.verdicts(left.different.keys() | left.listed.keys())
        return Repaired(left, bad)

    async def tell_again(self, keys: Collection[str]) -> None:
        """Tell rows anew that are as the source has them, and in which something else is wrong."""
        if keys:
            await self._tell({key: [Difference(key, "", What.DIFFERENT)] for key in keys})

    async def _tell(self, different: Differences) -> dict[str, str]:
        ghosts = await self._ghosts(different.keys())
        await self._level.beat()  # An idle source would give the fence of an earlier repair or rebuild, which beats nothing.
        async with fenced_read(self._source, self._flow) as read:
            keys_of = await self._keys_of(read, different.keys())
            rows = await read.rows_of(keys_of.keys() | ghosts.keys())
        gone = {pk: home for pk, home in ghosts.items() if pk not in rows}
        by_row = {pk: [each for key in keys for each in different[key]] for pk, keys in keys_of.items()}
        told = self._teller.tell(read.lsn, rows, gone, by_row)
        await self._see_that_we_may()
        await self._broker.send(told.commands)
        return {key: why for pk, why in told.bad.items() for key in keys_of.get(pk, ())}

    async def _see_that_we_may(self) -> None:
        """What is sent late all the same is older than what stands, and changes nothing."""
        async with self._target.session() as session:
            await self._begin(session)
            await session.run("COMMIT")

    async def _ghosts(self, keys: Collection[str]) -> dict[str, str]:
        """Source rows that the target knows of, with their message keys."""
        if self._comparison.ghosts is None:
            return {}
        statement = f"{PINNED} SELECT g.pk, g.home FROM ({self._comparison.ghosts}) AS g WHERE {of_keys(self._comparison, 'g')}"
        async with self._target.session() as session:
            return dict(await session.rows(statement, {"keys": list(keys)}))

    async def _keys_of(self, read: FencedRead, keys: Collection[str]) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for pk, key in await read.session.rows(self._members, {"keys": list(keys)}):
            found[pk].append(key)
        return found

    async def _sum_up(self, flow: SummaryFlow, groups: list[str]) -> None:
        """Rows of groups without any member, of which no source row could tell: what is derived is derived anew."""
        parameters = {"groups": json_text(sorted(groups))}
        async with self._target.session() as session:
            await self._begin(session)
            await session.run(LOCK_GROUPS, parameters)
            await session.run(summaries_statement(flow), parameters)
            await session.run("COMMIT")
