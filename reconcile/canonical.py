"""Values that are equal in both databases where rows are, and their hashes.

A value depends on nothing but itself: numbers have the scale of the target column, integers one size, JSON no order of its keys.
Hashed as texts, times are in UTC and ISO, and the text of a row quotes and separates as PostgreSQL does for composite values, so
that no two rows share one.
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
_FUNCTIONS: Final = ("hashtextextended", "jsonb_hash_extended", "hash_record_extended")
#: A value of every type that :meth:`Hashing.canonical` gives, and what a row has them in.
_PROBE: Final = """
    SELECT hashtextextended(%(text)s, 0), jsonb_hash_extended(%(json)s::jsonb, 0),
           hash_record_extended(ROW(%(text)s::text, -7::bigint, 12345678901::bigint, true, 0.30::numeric, -12.5::numeric,
                                    NULL::text, '7d444840-9dc0-11d1-b245-5ffdce74fad2'::uuid, '1947-08-15'::date,
                                    '2026-03-01 05:30:00.25+05:30'::timestamptz), 0)
    """

#: What integers of all sizes, and texts of all lengths and collations, are compared as.
_WIDEST: Final = {"smallint": "bigint", "integer": "bigint", "varchar": 'text COLLATE "C"', "text": 'text COLLATE "C"'}


@dataclass(frozen=True)
class Hashing:
    """How values are hashed to 64 bits.

    ``fast``: by the server's own functions of the values' types, which another version of PostgreSQL or another encoding may
    compute differently; otherwise by MD5 over UTF-8 of texts, which is the same everywhere and takes several times as long.
    """

    fast: bool

    def of_value(self, value: str) -> str:
        """A bigint of what :meth:`canonical` gives; null for null."""
        return self._of_text(f"({value})::text")

    def of_row(self, values: Iterable[str]) -> str:
        """A bigint over several of them.

        The server adds up the columns' hashes, each times a number of its own. Such sums could not tell values of two rows apart
        that have changed places, so each is hashed once more.
        """
        row = f"ROW({', '.join(values)})"
        return self._of_text(f"hash_record_extended({row}, 0)::text" if self.fast else f"{row}::text")

    def canonical(self, expression: str, kind: SqlType) -> str:
        """The value of a target column of that type; null for null. Equal ones are of one type in both databases."""
        if kind.base == "numeric":
            # Not by a cast: a bad row beyond the precision is to be found, not to end the statement.
            return self._typed(f"round(({expression})::numeric, {kind.sizes[1]})")
        if kind.base == "jsonb":
            # The hash that belongs to jsonb's own equality: 1.0 and 1.00 are one number to it, and two texts.
            return f"jsonb_hash_extended(({expression})::jsonb, 0)" if self.fast else f"({expression})::jsonb::text"
        return self._typed(f"({expression})::{_WIDEST.get(kind.base, kind.base)}")

    def _typed(self, value: str) -> str:
        return value if self.fast else f"({value})::text"

    def _of_text(self, text: str) -> str:
        if self.fast:
            return f"hashtextextended({text}, 0)"
        return f"('x' || left(md5(convert_to({text}, 'UTF8')), 16))::bit(64)::bigint"


async def agreed_hashing(source: Pool, target: Pool) -> Hashing:
    """The fast way, where both databases hash the same things to the same numbers."""
    found = await asyncio.gather(*[_probed(pool) for pool in (source, target)])
    return Hashing(fast=found[0] is not None and found[0] == found[1])


async def _probed(pool: Pool) -> tuple[Any, ...] | None:
    async with pool.session() as session:
        return await _row(session)


async def _row(session: Session) -> tuple[Any, ...] | None:
    ((known,),) = await session.rows("SELECT count(*) FROM pg_proc WHERE proname = ANY(%s)", (list(_FUNCTIONS),))
    return await session.row(_PROBE, {"text": _PROBE_TEXT, "json": _PROBE_JSON}) if known >= len(_FUNCTIONS) else None
