"""Texts that are equal in both databases where values are equal, and their hashes.

A value becomes a text that depends on nothing but the value: numbers with the scale of the target column, times in UTC and ISO,
JSON whatever the order of its keys. The text of a row quotes and separates as PostgreSQL does for composite values, so that no
two rows share one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from flows.types import SqlType
from sinks.pool import Pool, Session

#: For the length of a statement's transaction: the spelling of values, and plans and times for statements that read whole ranges.
PINNED: Final = (
    "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'; SET LOCAL enable_seqscan = on;"
    " SET LOCAL statement_timeout = '15min';"
)

_PROBE_TEXT: Final = '(1,"a ""b""",ರಾಮ,👩🏽‍🌾,)'
_PROBE_JSON: Final = '{"b": 1.00, "a": [null, "ರಾಮ", true], "c": {"x": -2.5e3}}'
_PROBE: Final = "SELECT hashtextextended(%s, 0), jsonb_hash_extended(%s::jsonb, 0)"


@dataclass(frozen=True)
class Hashing:
    """How texts are hashed to 64 bits.

    ``fast``: by the server's own functions, which another version of PostgreSQL or another encoding may compute differently;
    otherwise by MD5 over UTF-8, which is the same everywhere and takes several times as long.
    """

    fast: bool

    def of_text(self, text: str) -> str:
        """A bigint; null for null."""
        if self.fast:
            return f"hashtextextended({text}, 0)"
        return f"('x' || left(md5(convert_to({text}, 'UTF8')), 16))::bit(64)::bigint"

    def of_row(self, columns: Iterable[str]) -> str:
        """A bigint over several values."""
        return self.of_text(f"ROW({', '.join(columns)})::text")

    def canonical(self, expression: str, kind: SqlType) -> str:
        """The text of a value of a target column of that type; null for null."""
        if kind.base == "numeric":
            # Not by a cast: a bad row beyond the precision is to be found, not to end the statement.
            return f"round(({expression})::numeric, {kind.sizes[1]})::text"
        if kind.base == "jsonb":
            # The hash that belongs to jsonb's own equality: 1.0 and 1.00 are one number to it, and two texts.
            return f"jsonb_hash_extended(({expression})::jsonb, 0)::text" if self.fast else f"({expression})::jsonb::text"
        return f"({expression})::text"


async def agreed_hashing(source: Pool, target: Pool) -> Hashing:
    """The fast way, where both databases hash the same things to the same numbers."""
    found = await asyncio.gather(*[_probed(pool) for pool in (source, target)])
    return Hashing(fast=found[0] is not None and found[0] == found[1])


async def _probed(pool: Pool) -> tuple[Any, ...] | None:
    async with pool.session() as session:
        return await _row(session)


async def _row(session: Session) -> tuple[Any, ...] | None:
    (known,) = await session.rows("SELECT count(*) FROM pg_proc WHERE proname IN ('hashtextextended', 'jsonb_hash_extended')")
    return await session.row(_PROBE, (_PROBE_TEXT, _PROBE_JSON)) if known[0] >= 2 else None  # noqa: PLR2004 both
