"""The SQL of the comparison expects what events write, whatever the rows hold: the two renderings of a definition are one."""

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.registry import CAPTURED
from reconcile.canonical import Hashing
from reconcile.progress import Progress
from reconcile.run import Reconciliation, Request
from reconcile.surroundings import Surroundings
from sinks.source_rows import fenced_read

TEXT = st.text(st.sampled_from("aZ0 ,()'\"\\{}*@-éß\u0301ह\u094d漢👩🏽\u200d🌾\n\t"), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.decimals(-(10**6), 10**6, places=3).map(str) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2026, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))  # noqa: DTZ001
STATUSES = [
    "RULE_ELIGIBLE",
    "POSSIBLE_ELIGIBLE",
    "NOT_ELIGIBLE",
    "submitted",
    "approved",
    "it's",
    "VERIFIED",
    "verified",
    "PENDING",
]


def values(column):
    kind = column.sql_type
    made = {
        "uuid": st.uuids().map(str),
        "bigint": st.integers(1, 10**9),
        "integer": st.integers(1, 10**6),
        "boolean": st.booleans(),
        "date": st.dates(date(1900, 1, 1), date(2020, 1, 1)),
        "timestamptz": TIMES,
        "numeric": st.decimals(0, 1, places=kind.sizes[-1] if kind.sizes else 0).map(Decimal),
        "jsonb": JSON.map(json.dumps),
        "text": TEXT,
        "varchar": TEXT.map(lambda text: text[: kind.sizes[0] if kind.sizes else None]),
    }[kind.base]
    return made if column.required else st.none() | made


def rows_of(flow, known):
    """Source rows; ``known`` are values for columns that refer to others, or are checked by the platform's tables."""
    fields = {column.name: known[column.name] if column.name in known else values(column) for column in flow.source.columns}
    identity = flow.source.primary_key
    fields[identity] = st.integers(10**9, 10**10) if flow.source.column(identity).type == "bigint" else st.uuids().map(str)
    unique = [name for name in (identity, "jan_aadhaar", "aadhaar_number", "code") if name in fields]
    return st.lists(st.fixed_dictionaries(fields), max_size=12, unique_by=tuple((lambda row, n=n: row[n]) for n in unique))


def known_of(flow, databases):
    citizens = [str(key) for (key,) in databases["citizen"].execute("SELECT id FROM public.citizens ORDER BY id LIMIT 5")]
    schemes = [str(key) for (key,) in databases["citizen"].execute("SELECT id FROM public.schemes ORDER BY id LIMIT 5")]
    records = [
        str(key) for (key,) in databases["warehouse"].execute("SELECT gr_id FROM public.golden_records ORDER BY 1 LIMIT 9")
    ]
    numbers = st.integers(0, 10**11 - 1).map("0{:011}".format)  # those of the platform begin with another digit
    known = {
        "scheme_id": st.sampled_from(schemes),
        "jan_aadhaar": st.text("0123456789 a", min_size=1, max_size=12).map(str),
        "aadhaar_number": numbers,
        "status": st.sampled_from(STATUSES),
        "evaluation_status": st.sampled_from(STATUSES),
        "verification_status": st.sampled_from(STATUSES),
        "updated_at": TIMES,
        "decision": TEXT.map(lambda text: text[:50]),
        "code": st.uuids().map(str),
        "family_id": st.sampled_from([str(uuid.UUID(int=n)) for n in range(1, 5)]),
        "scheme_code": st.sampled_from(["S1", "S2", "s3", "Ś"]),
        "member_id": st.none() | st.sampled_from([str(uuid.UUID(int=n)) for n in range(1, 3)]),
        "evaluation_timestamp": st.integers(0, 40).map(lambda days: datetime.now(UTC).replace(microsecond=days) - DAY * days),
        "district": st.none() | st.sampled_from(["Jaipur", " JAIPUR", "j a i p u r", "Atlantis", "Ajmer"]),
    }
    if flow.name == "profile_summary":
        known["gr_id"] = st.sampled_from(records)
    if flow.source.table.name in ("documents", "service_applications"):
        known["citizen_id"] = st.sampled_from(citizens)
    return known


DAY = datetime(2026, 1, 2, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC)
# What the platform's tables want beside the flow's columns.
MORE = {"public.schemes": {"name": "n", "status": "ACTIVE", "last_updated": datetime(2026, 1, 1, tzinfo=UTC)}}


def insert(connection, flow, rows):
    for row in rows:
        full = row | MORE.get(flow.source.table.qualified, {})
        names, places = ", ".join(full), ", ".join(["%s"] * len(full))
        connection.execute(f"INSERT INTO {flow.source.table.qualified} ({names}) VALUES ({places})", list(full.values()))


async def told(worker, flow, keys):
    """The rows as events."""
    source, _ = worker.around(flow)
    async with fenced_read(source, flow) as read:
        rows = await read.rows_of([str(key) for key in keys])
    await worker.put(flow, [worker.event(flow, "c", json.loads(row.content), read.lsn) for row in rows.values()])


async def compared(worker, flow, hashing):
    source, target = worker.around(flow)
    return await Reconciliation(flow, Surroundings(source, target, worker, hashing), Request(repairs=False)).step(Progress())


@pytest.mark.parametrize("flow", CAPTURED, ids=lambda flow: flow.name)
async def test_random_rows_are_expected_as_events_write_them(flow, databases, worker):
    @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(rows_of(flow, known_of(flow, databases)))
    def collect(rows):
        batches.append(rows)

    batches = []
    collect()
    connection, identity, seen = databases[flow.source.table.database.value], flow.source.primary_key, set()
    rows = [row for rows in batches for row in rows if is_new(flow, row, seen)]
    insert(connection, flow, rows)
    await told(worker, flow, [row[identity] for row in rows])
    for fast in (True, False):
        found = await compared(worker, flow, Hashing(fast))
        assert (found.rows, found.violations) == ([], [])
        assert found.finished
        assert found.expected > 0


def is_new(flow, row, seen):
    names = [name for name in (flow.source.primary_key, "jan_aadhaar", "aadhaar_number", "code") if name in row]
    values = {(name, row[name]) for name in names}
    fresh = not values & seen
    seen |= values
    return fresh
