"""Checks the rules of a flow on its whole target."""

from __future__ import annotations

from typing import Any, Final

from flows.model import Flow, MirrorFlow
from reconcile.canonical import PINNED
from reconcile.progress import Violation
from reconcile.repair import Repair
from reconcile.rules import LINK, Rule, rules_of, shown_key
from sinks.pool import Pool

SHOWN_KEYS: Final = 20
REPAIRED_LINKS: Final = 10_000


class Integrity:
    """The rules of one flow."""

    def __init__(self, flow: Flow, target: Pool) -> None:
        self._flow, self._target = flow, target
        self._rules = rules_of(flow)
        self._table = f"{flow.target.table.qualified} AS t"
        self._key = shown_key(flow)

    async def violations(self, repair: Repair | None) -> list[Violation]:
        """Rules that are broken. With ``repair`` links of mirrored rows are filled first."""
        found = await self._violations()
        if repair and isinstance(self._flow, MirrorFlow) and any(violation.rule == LINK for violation in found):
            (rule,) = [rule for rule in self._rules if rule.name == LINK]
            await repair.tell_again(await self._keys(rule, REPAIRED_LINKS))
            found = await self._violations()
        return found

    async def _violations(self) -> list[Violation]:
        counts = await self._counts()
        broken = [(rule, rows) for rule, rows in zip(self._rules, counts, strict=True) if rows]
        return [Violation(rule.name, rows, tuple(await self._keys(rule, SHOWN_KEYS))) for rule, rows in broken]

    async def _counts(self) -> tuple[int, ...]:
        """One reading of the table for all rules."""
        counts = ", ".join(f"count(*) FILTER (WHERE {rule.breach})" for rule in self._rules)
        found = await self._rows(f"SELECT {counts} FROM {self._table}") if self._rules else [()]
        return tuple(found[0])

    async def _keys(self, rule: Rule, limit: int) -> list[str]:
        found = await self._rows(f"SELECT {self._key} FROM {self._table} WHERE {rule.breach} ORDER BY 1 LIMIT {limit}")
        return [key for (key,) in found]

    async def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self._target.session() as session:
            return await session.rows(PINNED + statement)
