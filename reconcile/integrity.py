"""Checks the rules of a flow on its whole target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from flows.model import Flow
from flows.row_model import MirrorFlow
from reconcile.canonical import PINNED
from reconcile.progress import Violation
from reconcile.repair import Repair
from reconcile.rules import LINK, Rule, rules_of, shown_key
from sinks.pool import Pool

#: Rows that break one rule of which so many are looked at again; whoever has more has them at the next run.
SUSPECTS: Final = 10_000
SHOWN_KEYS: Final = 20


class InFlight(Protocol):
    """What may still be under way to the target."""

    async def reach(self) -> None:
        """Return when it has landed; raises ``NotLevel``."""


class Integrity:
    """The rules of one flow."""

    def __init__(self, flow: Flow, target: Pool, level: InFlight) -> None:
        self._flow, self._target, self._level = flow, target, level
        self._rules = rules_of(flow)
        self._table = f"{flow.target.table.qualified} AS t"
        self._key = shown_key(flow)

    async def violations(self, repair: Repair | None) -> list[Violation]:
        """Rules that are broken by rows that still break them when what was in flight has landed.

        With ``repair`` links of mirrored rows are filled before. Raises ``NotLevel`` where rows break a rule and the target stays
        behind its source.
        """
        suspects = await self._suspects()
        if not suspects:
            return []
        if repair and isinstance(self._flow, MirrorFlow):
            await repair.tell_again([key for rule, keys in suspects if rule.name == LINK for key in keys])
        await self._level.reach()
        found = [(rule, await self._breaking(rule, keys)) for rule, keys in suspects]
        return [Violation(rule.name, len(keys), tuple(keys[:SHOWN_KEYS])) for rule, keys in found if keys]

    async def _suspects(self) -> list[tuple[Rule, list[str]]]:
        """Rules with the rows that break them, found in one reading of the table."""
        if not self._rules:
            return []
        breaches = ", ".join(f"coalesce(bool_or({rule.breach}), false)" for rule in self._rules)
        ((*broken,),) = await self._rows(f"SELECT {breaches} FROM {self._table}")
        return [(rule, await self._breaking(rule)) for rule, is_broken in zip(self._rules, broken, strict=True) if is_broken]

    async def _breaking(self, rule: Rule, among: Sequence[str] | None = None) -> list[str]:
        """Keys of rows that break a rule, in order; of those ``among`` which one is to look."""
        chosen = "" if among is None else f" AND {self._key} = ANY(%(among)s)"
        statement = f"SELECT {self._key} FROM {self._table} WHERE ({rule.breach}){chosen} ORDER BY 1 LIMIT {SUSPECTS}"
        return [key for (key,) in await self._rows(statement, {"among": list(among or ())})]

    async def _rows(self, statement: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        async with self._target.session() as session:
            return await session.rows(PINNED + statement, parameters)
