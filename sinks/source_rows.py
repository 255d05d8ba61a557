"""Reading a source table as it stood at a fence: a position in its log that separates old changes from new ones.

A row read here may be written with the fence as its version: changes that were committed before are in it, and changes
after have greater LSNs. For that, no transaction that wrote before the fence may still be open when the read begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from flows.model import CapturedFlow
from sinks.pool import Parameters, Pool, Session

PAGE_ROWS: Final = 5000
#: Seconds between looks whether the log is flushed; `wal_writer_delay` is 0.2.
FLUSH_LOOK: Final = 0.03
_XID_SPACE: Final = 2**32
_FIRST_NORMAL_XID: Final = 3


class Fence(NamedTuple):
    """A version that separates old changes from new ones: the source's epoch and a position in its log, as an integer."""

    epoch: int
    lsn: int


class FenceTimeout(Exception):
    """A transaction of the source stayed open for too long; the message says how to find it."""


@dataclass(frozen=True)
class SourceRow:
    """``content`` is a JSON object of the flow's source columns. ``late``: changed after the fence, its events follow."""

    content: bytes
    late: bool


class KeyRange(NamedTuple):
    """``low`` ≤ primary key < ``high``, as texts; ``None`` is no bound."""

    low: str | None = None
    high: str | None = None


@dataclass(frozen=True)
class Chosen:
    """Rows of a range whose ``column`` is not before ``since``; without ``since``: all of the range."""

    bounds: KeyRange
    column: str | None = None
    since: datetime | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """Of the statements that choose."""
        return {**self.bounds._asdict(), "since": self.since}


class FencedRead:
    """A repeatable-read snapshot behind a fence; more may be asked of it through its ``session``.

    ``lsn`` is the fence as an integer. ``later`` are the transactions, as full numbers, that wrote after the fence and that the
    snapshot may see, from the fence's own up to the snapshot's end; as an attribute, they are parameters of :data:`LATE`.
    """

    def __init__(self, session: Session, flow: CapturedFlow, lsn: int, later: range) -> None:
        self.lsn = lsn
        self.session = session
        self._flow = flow
        self.later = {"fence": later.start % _XID_SPACE, "later": len(later)}

    async def pages(self) -> AsyncIterator[list[SourceRow]]:
        """All rows in primary key order, at most :data:`PAGE_ROWS` at a time."""
        statement, after = _page_statement(self._flow), None
        while rows := await self.session.rows(statement, {"after": after, **self.later}):
            yield [SourceRow(content.encode(), late) for _, content, late in rows]
            after = rows[-1][0]

    async def rows_of(self, keys: Collection[str]) -> dict[str, SourceRow]:
        """Those of the rows with these primary keys that are there, by their keys as text."""
        found = await self.session.rows(_keyed_statement(self._flow), {"keys": list(keys), **self.later})
        return {key: SourceRow(content.encode(), late) for key, content, late in found}

    async def edges(self, chosen: Chosen, page: int, pages: int) -> list[str]:
        """Keys that cut what is chosen into pages of ``page`` rows, the first key of each but the first page.

        At most so many ``pages``: where there is more behind them, the last key is where it begins.
        """
        parameters = {**chosen.parameters, "page": page, "limit": page * pages + 1}
        return [key for (key,) in await self.session.rows(_edges_statement(self._flow, chosen.column), parameters)]


@asynccontextmanager
async def fenced_read(pool: Pool, flow: CapturedFlow, *, wait: float = 60.0) -> AsyncIterator[FencedRead]:
    """Set a fence, wait for older transactions to end, begin the snapshot; raises :class:`FenceTimeout`."""
    async with pool.session() as session:
        lsn, xid = await _fence(session)
        await _wait_for_older(session, xid, wait)
        await _wait_until_flushed(session, lsn)
        await session.run(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
            "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0"
        )
        (end,) = await _one(session, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        yield FencedRead(session, flow, lsn, range(xid, end))
        await session.run("COMMIT")


async def settled_time(pool: Pool, wait: float) -> datetime | None:
    """A moment of the source's clock such that every transaction that had written before it has ended, and is seen from now on.

    ``None`` when one of them is still open after ``wait`` seconds.
    """
    async with pool.session() as session:
        (moment,) = await _one(session, "SELECT clock_timestamp()")
        _, xid = await _fence(session)
        try:
            await _wait_for_older(session, xid, wait)
        except FenceTimeout:
            return None
        return cast("datetime", moment)


async def _fence(session: Session) -> tuple[int, int]:
    """Where the log goes on, and a transaction, whose end is logged behind that: no other fence has its place."""
    (lsn,) = await _one(session, "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
    (xid,) = await _one(session, "SELECT pg_current_xact_id()::text::bigint")
    return lsn, xid


async def _wait_for_older(session: Session, xid: int, wait: float) -> None:
    deadline = asyncio.get_running_loop().time() + wait
    while True:
        (passed,) = await _one(session, "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %s", (xid,))
        if passed:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise FenceTimeout(
                f"a transaction older than {xid} has been open in the source for more than {wait:.0f} s;"
                " see pg_stat_activity, pg_prepared_xacts and pg_replication_slots.xmin"
            )
        await asyncio.sleep(0.1)


async def _wait_until_flushed(session: Session, lsn: int) -> None:
    """A crash must not take the log back before the fence, or later changes would look older. It takes moments."""
    flushed = False
    while not flushed:
        await asyncio.sleep(FLUSH_LOOK)
        (flushed,) = await _one(session, "SELECT pg_current_wal_flush_lsn() - '0/0' >= %s", (lsn,))


async def _one(session: Session, statement: str, parameters: Parameters = ()) -> tuple[Any, ...]:
    row = await session.row(statement, parameters)
    assert row is not None, "a SELECT without FROM answers one row"
    return row


#: Whether one of the transactions after the fence wrote the row. A row shows the lower half of its transaction's number, also
#: when it is so old that VACUUM has frozen it; `age(xmin)` turns negative beyond 2**31. But what the snapshot sees was written
#: before its end, so only the few numbers from the fence to there are late. Of two numbers 2**32 apart a row does not tell which
#: it was: one that is as old as that to the transaction passes for late in this rebuild, and not in the next. Numbers below 3
#: are no transactions, they mean "always".
LATE: Final = f"""xmin::text::bigint >= {_FIRST_NORMAL_XID}
            AND (xmin::text::bigint - %(fence)s + {_XID_SPACE}) %% {_XID_SPACE} < %(later)s"""


async def count(session: Session, flow: CapturedFlow, chosen: Chosen) -> int:
    """How many rows are chosen."""
    (rows,) = await _one(session, f"SELECT count(*) FROM {chosen_rows(flow, chosen.column)}", chosen.parameters)
    return cast("int", rows)


def _page_statement(flow: CapturedFlow) -> str:
    key = flow.source.primary_key
    return f"""
        SELECT {key}, {_content(flow)}, {LATE}
        FROM {flow.source.table.qualified}
        WHERE %(after)s::{flow.source.column(key).type} IS NULL OR {key} > %(after)s
        ORDER BY {key} LIMIT {PAGE_ROWS}
        """


def _keyed_statement(flow: CapturedFlow) -> str:
    key = flow.source.primary_key
    return f"""
        SELECT {key}::text, {_content(flow)}, {LATE}
        FROM {flow.source.table.qualified} WHERE {key} = ANY(%(keys)s::{flow.source.column(key).type}[])
        """


def _edges_statement(flow: CapturedFlow, column: str | None) -> str:
    """The rows are limited before they are numbered, so that no more of the index is read than of those."""
    key = flow.source.primary_key
    return f"""
        SELECT e.key::text FROM (
            SELECT r.key, row_number() OVER (ORDER BY r.key) AS place FROM (
                SELECT s.{key} AS key FROM {chosen_rows(flow, column)} ORDER BY s.{key} LIMIT %(limit)s) AS r) AS e
        WHERE e.place > 1 AND (e.place - 1) %% %(page)s = 0 ORDER BY e.key
        """


def chosen_rows(flow: CapturedFlow, column: str | None) -> str:
    """FROM and WHERE of the source rows ``s`` of a :class:`Chosen` of that ``column``."""
    key = flow.source.primary_key
    kind = flow.source.column(key).type
    since = "" if column is None else f"AND (%(since)s::timestamptz IS NULL OR s.{column} >= %(since)s)"
    return f"""{flow.source.table.qualified} AS s
        WHERE {in_range(f"s.{key}", kind)} {since}"""


def in_range(key: str, kind: str) -> str:
    """The condition that a key of that type is in a :class:`KeyRange`, whose names are the parameters'."""
    low, high = (f"%({name})s::{kind}" for name in KeyRange._fields)
    return f"(%(low)s::text IS NULL OR {key} >= {low}) AND (%(high)s::text IS NULL OR {key} < {high})"


def _content(flow: CapturedFlow) -> str:
    """Values as Debezium spells them, so that one decoder serves: numbers as text, times in ISO 8601."""
    fields = ", ".join(
        f"'{column.name}', {column.name}{'::text' if column.sql_type.base in ('numeric', 'jsonb') else ''}"
        for column in flow.source.columns
    )
    return f"json_build_object({fields})::text"
