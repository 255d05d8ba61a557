"""Rows as the source maps them, beside the same rows as events are decoded and mapped: which are bad, what the others become.

The source's columns are made wider than they are declared, so that they can hold every value that the checks of events refuse.
"""

import json
import random
import uuid
from contextlib import aclosing, asynccontextmanager

import msgspec
import pytest

from batch_timers.jobs import BACKFILLS
from flows.registry import FLOWS
from flows.row_model import MirrorFlow
from schemas.debezium import row_decoder
from schemas.problems import BadRecord
from sinks import copied_rows
from sinks.copied_rows import copied
from sinks.copying import CopyPool
from sinks.mapped_rows import MEMBER_TIME, REFERENCE, TO_COMPARE, mapped_columns
from sinks.source_rows import Chosen, fenced_read
from sinks.staging import stage, staged
from sinks.target_rows import row_encoder
from tests.support.databases import administrators

COPIED = [flow for flow in FLOWS if flow.name in {job.flow for job in BACKFILLS}]
ROWS = 1500
REQUIRED = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attnotnull AND attname <> %s"
WIDER = {"varchar": "text", "numeric": "numeric", "integer": "bigint", "smallint": "bigint"}
ALPHABET = "aZ0 '\"\\\t\n\r\b|,{}ßह\u094d漢👩🏽\u200d🌾\U0001d4b3"
DATES = ["infinity", "-infinity", "0044-03-15 BC", "0001-01-01", "9999-12-31", "10000-01-01", "1950-02-28"]
TIMES = [
    "infinity", "-infinity", "4713-01-01 00:00:00+00 BC", "0001-01-01 00:00:00+00", "0001-12-31 23:59:59+00 BC",
    "9999-12-31 23:59:59.999999+00", "10000-01-01 00:00:00+00", "2026-03-29 01:30:00.000001+05:30",
]  # fmt: skip
NUMBERS = ["NaN", "Infinity", "-Infinity", "-0.0001", "0", "1", "1.0000", "1.00000", "1.0001", "0.99995", "0.12345", "0.5"]


def seldom(draw, edges, usual):
    """One of the edges, or what is usual."""
    return draw.choice(edges) if draw.random() < 0.06 else usual


MAKERS = {
    "uuid": lambda draw: str(uuid.UUID(int=draw.getrandbits(128))),
    "date": lambda draw: seldom(draw, DATES, f"{draw.randrange(1900, 2030)}-{draw.randrange(1, 13):02}-11"),
    "timestamptz": lambda draw: seldom(draw, TIMES, f"2026-11-{draw.randrange(1, 30):02} 12:30:{draw.random():09.6f}Z"),
    "numeric": lambda draw: seldom(draw, NUMBERS, f"0.{draw.randrange(10**4):04}"),
    "integer": lambda draw: seldom(draw, [-(2**31) - 1, -(2**31), 2**31 - 1, 2**31], draw.randrange(10**6)),
    "bigint": lambda draw: draw.randrange(10**6),
    "boolean": lambda draw: draw.random() < 0.5,
    "jsonb": lambda draw: {"why": ["ರಾಮ \\ \t", 1.50, None], "n": draw.randrange(100)},
}


def value(draw, column):
    """Mostly good."""
    kind = column.sql_type
    if not column.required and draw.random() < 0.2:
        return None
    return MAKERS[kind.base](draw) if kind.base in MAKERS else text(draw, kind.sizes[0])


def text(draw, longest):
    lengths = [longest + 1] if draw.random() < 0.02 else [0, 1, 7, 8, 12, longest - 1, longest]
    found = "".join(draw.choices(ALPHABET, k=draw.choice(lengths)))
    return draw.choice(["\\N", "\\.", "   ", found]) if draw.random() < 0.05 else found


def fill(connection, flow, draw):
    """Wider columns, no constraint, and random rows."""
    table, key = flow.source.table.qualified, flow.source.primary_key
    connection.execute("SET session_replication_role = replica")
    for column in flow.source.columns:
        if (wider := WIDER.get(column.sql_type.base)) is not None:
            connection.execute(f"ALTER TABLE {table} ALTER COLUMN {column.name} TYPE {wider}")
    for (name,) in connection.execute(REQUIRED, (table, key)).fetchall():
        connection.execute(f"ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL")
    rows = [{column.name: value(draw, column) for column in flow.source.columns} for _ in range(ROWS)]
    for row in draw.sample(rows, 30):
        row[draw.choice([column.name for column in flow.source.columns if column.name != key])] = None
    names = ", ".join(column.name for column in flow.source.columns)
    given = f"SELECT {names} FROM json_populate_recordset(NULL::{table}, %s::json)"
    connection.execute(f"INSERT INTO {table} ({names}) {given} ON CONFLICT DO NOTHING", (json.dumps(rows),))


def as_events_have_it(flow, rows):
    """Of source rows: the keys of bad ones, and what the others become, as JSON documents."""
    decode, encode = row_decoder(flow), row_encoder(flow, [name for name in staged_names(flow) if name in targets(flow)])
    bad, good = [], []
    for key, row in rows.items():
        try:
            decoded = decode(row.content)
        except BadRecord:
            bad.append(key)
            continue
        good.append(msgspec.json.decode(b"{%b}" % encode(decoded)) | member(flow, decoded))
    return bad, good


def staged_names(flow):
    return [name for name, _, _ in mapped_columns(flow)]


def targets(flow):
    return flow.target.column_names


def member(flow, row):
    """What of a member of a summary is no target column."""
    if isinstance(flow, MirrorFlow):
        return {}
    time = flow.target.column(flow.time).source
    return {REFERENCE: getattr(row, flow.reference_source.name), MEMBER_TIME: getattr(row, time).isoformat()}


async def differences(session, flow, documents):
    """Rows that only one of staging table and documents has."""
    columns = [(name, kind) for name, kind, _ in mapped_columns(flow)]
    record = ", ".join(f"{name} {'text' if kind.base == 'jsonb' else kind}" for name, kind in columns)
    given = ", ".join(f"{name}::jsonb" if kind.base == "jsonb" else name for name, kind in columns)
    names = ", ".join(name for name, _ in columns)
    sides = (
        f"SELECT {given} FROM json_to_recordset(%(documents)s::json) AS x({record})",
        f"SELECT {names} FROM {staged(flow)} AS s WHERE {TO_COMPARE}",
    )
    both = [f"({one} EXCEPT ALL {other})" for one, other in (sides, sides[::-1])]
    return await session.rows(" UNION ALL ".join(both), {"documents": json.dumps(documents)})


@asynccontextmanager
async def pools_of(settings, flow):
    """Source and target."""
    ends = [CopyPool(settings.databases[end.table.database.value]) for end in (flow.source, flow.target)]
    try:
        yield ends
    finally:
        for pool in ends:
            await pool.close()


@pytest.fixture
def filled(migrated):
    """Fill a flow's source; the administrator's connection to it."""
    opened = []

    def fill_source(flow, draw):
        place = list(migrated.databases).index(flow.source.table.database.value)
        opened.append(administrators(migrated)[place].connect())
        fill(opened[-1], flow, draw)
        return opened[-1]

    yield fill_source
    for connection in opened:
        connection.close()


async def pages_of(read, flow):
    async with aclosing(copied(read, flow, Chosen(copied_rows.KeyRange()))) as pages:
        return [page async for page in pages]


async def keys_in(connection, flow):
    return [key for (key,) in connection.execute(f"SELECT {flow.source.primary_key}::text FROM {flow.source.table.qualified}")]


@pytest.mark.parametrize("flow", COPIED, ids=lambda flow: flow.name)
async def test_the_source_calls_the_same_rows_bad_and_maps_the_others_to_the_same_as_events(migrated, filled, flow):
    connection = filled(flow, random.Random(flow.name))
    async with pools_of(migrated, flow) as (source, target), fenced_read(source, flow) as read, target.session() as session:
        (page,) = await pages_of(read, flow)
        bad, good = as_events_have_it(flow, await read.rows_of(await keys_in(connection, flow)))
        await session.run("BEGIN")
        await stage(session, flow, page)
        assert sorted(page.bad) == sorted(bad)
        assert len(bad) > 5
        assert page.timely == len(good) > ROWS / 2
        assert await differences(session, flow, good) == []


async def test_large_rows_end_a_page_early_and_none_is_in_two(migrated, filled, monkeypatch):
    flow = next(flow for flow in COPIED if flow.name == "golden_records")
    connection = filled(flow, random.Random(3))
    monkeypatch.setattr(copied_rows, "PAGE_BYTES", 2**17)
    async with pools_of(migrated, flow) as (source, _), fenced_read(source, flow) as read:
        pages = await pages_of(read, flow)
    keys = [[line.split(b"\t")[1].decode() for line in b"".join(page.blocks).splitlines()] for page in pages]
    assert len(pages) > 2
    assert sorted(key for page in keys for key in page) == sorted(await keys_in(connection, flow))
    assert [page.bounds.low for page in pages[1:]] == [page.bounds.high for page in pages[:-1]] == [page[0] for page in keys[1:]]
    assert (pages[0].bounds.low, pages[-1].bounds.high) == (None, None)
