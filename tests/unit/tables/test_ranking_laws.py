"""Random histories through the candidates and the ranking, against the rules in plain Python."""

import asyncio
import itertools
import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.moments import microseconds
from sinks.target_rows import row_encoder
from tables.candidates import Change
from tables.entry import GROUP, LOWEST, entry_key, item_of, removed, shown_of, version_of
from tables.entry_builder import entry_builder, shown_columns
from tables.ranking import best
from tests.oracle.ranking import Row, hints

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BUILD = entry_builder(ELIGIBILITY_HINTS, row_encoder(ELIGIBILITY_HINTS, shown_columns(ELIGIBILITY_HINTS)))
SHRINKING = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
cases = itertools.count()
RUN = asyncio.Runner().run
RANDOM_CASES = 3000

STATUSES = ["RULE_ELIGIBLE", "POSSIBLE_ELIGIBLE", "NOT_ELIGIBLE", "NEEDS_REVIEW"]
SCORES = [None, "0", "0.0049", "0.005", "0.0050", "0.5", "0.5050", "0.9949", "0.995", "1", "1.0000"]
EDGES = [timedelta(days=30), timedelta(days=30, microseconds=1), timedelta(days=30, microseconds=-1)]
AGES = [*EDGES, timedelta(0), timedelta(hours=1), timedelta(days=3), timedelta(days=29), timedelta(days=40)]


@st.composite
def row_values(draw):
    return {
        "member": draw(st.sampled_from([None, 1, 2])),
        "scheme": draw(st.sampled_from("ABCDEFGHab")),
        "status": draw(st.sampled_from(STATUSES)),
        "score": draw(st.sampled_from(SCORES)),
        "age": draw(st.sampled_from(AGES)),
        "text": draw(st.sampled_from([None, "", "ok", "é" * 501, "\U0001d4b3" * 500])),
    }


@st.composite
def histories(draw):
    """Operations on up to eight rows of three families: (row, family or None for a delete, values)."""
    operation = st.tuples(st.integers(1, 8), st.sampled_from([0, 1, 2, 0, 1, 2, None]), row_values())
    return draw(st.lists(operation, min_size=1, max_size=25))


def make_row(case, number, family, values):
    def named(*parts):
        return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, parts))))

    member = None if values["member"] is None else named("member", values["member"])
    score = None if values["score"] is None else Decimal(values["score"])
    return Row(
        number, named(case, family), member, values["scheme"], values["status"], score, score, values["text"],
        NOW - values["age"], NOW - values["age"],
    )  # fmt: skip


def as_read(row):
    """The row as the decoder gives it: numbers are text."""
    numbers = {name: None if value is None else str(value) for name, value in row._asdict().items() if name.endswith("_score")}
    return SimpleNamespace(**(row._asdict() | numbers))


def events_of(case, history):
    """(LSN, family, change) as the connector would send them, and the rows that stand in the end."""
    standing, events = {}, []
    for lsn, (number, family, values) in enumerate(history, start=1):
        old = standing.get(number)
        row = None if family is None else make_row(case, number, family, values)
        if old is not None and (row is None or old.family_id != row.family_id):
            events.append((lsn, old.family_id, Change(entry_key(old.family_id, number), removed(version_of(1, lsn), 0))))
            del standing[number]
        if row is not None:
            candidate = BUILD(as_read(row), version_of(1, lsn), 0)
            events.append((lsn, row.family_id, Change(entry_key(row.family_id, number), candidate)))
            standing[number] = row
    return events, list(standing.values())


def ranked(table, families, partition=0):
    groups = {bytes.fromhex(family.replace("-", "")) for family in families}
    return sorted(
        hint_of(group, entry, place)
        for group, entries in table.groups(partition, groups)
        for place, entry in enumerate(best(entries, 5, microseconds(NOW)), 1)
    )


def hint_of(group, entry, place):
    shown = json.loads(b"{" + shown_of(entry) + b"}")
    return (
        str(uuid.UUID(bytes=group)), shown["scheme_code"], shown["eligibility_status"], Decimal(shown["eligibility_score"]),
        Decimal(shown["confidence"]), shown["explanation"], place, datetime.fromisoformat(shown["updated_at"]),
    )  # fmt: skip


async def apply(table, changes, partition=0):
    staged = table.stage(partition, changes, LOWEST)
    append = await table.write(partition, staged.entries, staged.standing, {})
    table.acknowledged(partition, await append.acknowledged())
    return staged


def in_chunks(changes, cuts):
    places = sorted({cut % (len(changes) + 1) for cut in cuts} | {0, len(changes)})
    return [changes[a:b] for a, b in itertools.pairwise(places) if a < b]


@SHRINKING
@given(history=histories(), cuts=st.lists(st.integers(0, 60), max_size=4))
def test_hints_equal_the_rules_for_any_history_in_any_chunks(table, history, cuts):
    events, rows = events_of(next(cases), history)
    for chunk in in_chunks([change for _, _, change in events], cuts):
        RUN(apply(table, chunk))
    assert ranked(table, {family for _, family, _ in events}) == hints(rows, NOW)


@SHRINKING
@given(history=histories(), seed=st.integers(0, 2**32))
def test_families_on_different_partitions_may_come_in_any_order(table, history, seed):
    events, rows = events_of(next(cases), history)
    logs = {}
    for _, family, change in events:
        logs.setdefault(family, []).append(change)
    draw = random.Random(seed)
    while logs:
        family = draw.choice(sorted(logs))
        RUN(apply(table, [logs[family].pop(0)]))
        if not logs[family]:
            del logs[family]
    assert ranked(table, {family for _, family, _ in events}) == hints(rows, NOW)


@SHRINKING
@given(history=histories(), again=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4))
def test_changes_sent_again_never_take_a_row_back(table, history, again):
    events, rows = events_of(next(cases), history)
    changes = [change for _, _, change in events]
    for draw, old in again:
        # Debezium sends old changes again at new offsets after a restart: at any later place, any earlier change.
        if place := draw % (len(changes) + 1):
            changes.insert(place, changes[old % place])
    for chunk in in_chunks(changes, [7, 13]):
        RUN(apply(table, chunk))
    assert ranked(table, {family for _, family, _ in events}) == hints(rows, NOW)


def random_history(draw):
    """The same histories as the strategy's, drawn faster, without shrinking."""
    return [
        (
            draw.randint(1, 8),
            draw.choice([0, 1, 2, 0, 1, 2, None]),
            {
                "member": draw.choice([None, 1, 2]),
                "scheme": draw.choice("ABCDEFGHab"),
                "status": draw.choice(STATUSES),
                "score": draw.choice(SCORES),
                "age": draw.choice(AGES),
                "text": draw.choice([None, "", "ok", "é" * 501]),
            },
        )
        for _ in range(draw.randint(1, 25))
    ]


def test_thousands_of_random_histories_with_repetitions_equal_the_rules(table):
    for seed in range(RANDOM_CASES):
        draw = random.Random(seed)
        events, rows = events_of(next(cases), random_history(draw))
        changes = [change for _, _, change in events]
        for _ in range(draw.randint(0, 3)):
            if place := draw.randint(0, len(changes)):
                changes.insert(place, changes[draw.randrange(place)])
        for chunk in in_chunks(changes, [draw.randint(0, 60), draw.randint(0, 60)]):
            RUN(apply(table, chunk))
        assert ranked(table, {family for _, family, _ in events}) == hints(rows, NOW), f"seed {seed}"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), cuts=st.lists(st.integers(0, 60), max_size=4))
def test_recovery_from_the_changelog_gives_the_same_hints(make_table, changelog, history, cuts):
    case = next(cases)
    first, second = make_table(f"{case}-a"), make_table(f"{case}-b")
    changelog.logs.clear()
    events, rows = events_of(case, history)
    for chunk in in_chunks([change for _, _, change in events], cuts):
        RUN(apply(first, chunk))
    restore(second, changelog.logs.get(0, []))
    assert ranked(second, {family for _, family, _ in events}) == hints(rows, NOW)


def restore(table, records, partition=0, at_a_time=7):
    import rocksdict

    for start in range(0, len(records), at_a_time):
        writes = rocksdict.WriteBatch(raw_mode=True)
        table.restored(partition, records[start : start + at_a_time], writes)
        table._db(partition).write(writes)


def test_recovery_keeps_the_greater_version_when_a_frozen_owner_wrote_late(make_table, changelog):
    owner, heir = make_table("owner"), make_table("heir")
    values = {
        "member": None,
        "scheme": "A",
        "status": "RULE_ELIGIBLE",
        "score": "0.5",
        "age": timedelta(0),
        "text": None,
    }
    events, _ = events_of(next(cases), [(1, 0, values), (1, 0, {**values, "score": "1"})])
    old, new = (change for _, _, change in events)
    RUN(apply(owner, [new]))
    late = make_table("frozen")
    RUN(apply(late, [old]))
    restore(heir, changelog.logs[0])
    (_, candidates), *_ = heir.groups(0, [new.key[GROUP]])
    assert [hint_of(b"0" * 16, entry, 1)[3] for _, entry in candidates] == [Decimal(1)]


def test_an_append_reports_what_another_owner_wrote_in_between(table, changelog):
    change = Change(entry_key(str(uuid.uuid4()), 1), removed(version_of(1, 5), 0))

    async def scenario():
        await apply(table, [change])
        stranger = FakeStranger(changelog)
        await stranger.append(b"key")
        append = await table.write(0, {change.key: change.entry}, {}, {})
        return (await append.acknowledged()).holes

    assert RUN(scenario()) == (range(1, 2),)


class FakeStranger:
    def __init__(self, changelog):
        self._changelog = changelog

    async def append(self, key):
        batch = self._changelog.create_batch()
        batch.append(key=key, value=b"", timestamp=0)
        await self._changelog.send_batch(batch, "t", partition=0)


@pytest.mark.parametrize("age", EDGES)
def test_a_candidate_counts_until_exactly_thirty_days(table, age):
    values = {"member": None, "scheme": "A", "status": "RULE_ELIGIBLE", "score": "1", "age": age, "text": None}
    events, rows = events_of(next(cases), [(1, 0, values)])
    RUN(apply(table, [change for _, _, change in events]))
    found = ranked(table, {events[0][1]})
    assert found == hints(rows, NOW)
    assert bool(found) == (age <= timedelta(days=30))


def test_sixth_scheme_is_promoted_when_the_first_expires(table):
    def scheme(number, age):
        return {
            "member": None,
            "scheme": f"S{number}",
            "status": "RULE_ELIGIBLE",
            "score": f"0.{9 - number}",
            "age": age,
            "text": None,
        }

    history = [(n, 0, scheme(n, timedelta(days=30) if n == 1 else timedelta(0))) for n in range(1, 7)]
    events, _ = events_of(next(cases), history)
    RUN(apply(table, [change for _, _, change in events]))
    group = events[0][2].key[GROUP]
    (_, candidates), *_ = table.groups(0, [group])
    before = [item_of(entry).decode() for entry in best(candidates, 5, microseconds(NOW))]
    after = [item_of(entry).decode() for entry in best(candidates, 5, microseconds(NOW) + 1)]
    assert before == ["S1", "S2", "S3", "S4", "S5"]
    assert after == ["S2", "S3", "S4", "S5", "S6"]


def test_what_expired_while_nobody_looked_is_due_after_recovery(make_table, changelog):
    owner, heir = make_table("owner"), make_table("heir")
    values = {"member": None, "scheme": "A", "status": "RULE_ELIGIBLE", "score": "1", "age": timedelta(days=40), "text": None}
    events, _ = events_of(next(cases), [(1, 0, values)])
    RUN(apply(owner, [change for _, _, change in events]))
    restore(heir, changelog.logs[0])
    assert [due.key for due in heir.due(0, microseconds(NOW), 10)] == [events[0][2].key]
