from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import psycopg
import pytest

from demo.changes import EXPIRY_AGE, RECIPES, ChangeKind
from demo.generate import Population, load_history
from demo.recipes import Situation
from demo.trickle import Trickle

NOW = datetime(2025, 1, 15, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
POPULATION = Population(7, 50)

CHANGED_COLUMNS = {
    ChangeKind.REEVALUATION: {
        "evaluation_status",
        "eligibility_score",
        "confidence_score",
        "evaluation_timestamp",
        "updated_at",
    },
    ChangeKind.RESCORE: {"eligibility_score", "confidence_score", "updated_at"},
    ChangeKind.REWORD: {"explanation", "updated_at"},
    ChangeKind.STATUS_CHANGE: {"evaluation_status", "updated_at"},
    ChangeKind.TOUCH: {"updated_at"},
    ChangeKind.FAMILY_MOVE: {"family_id", "updated_at"},
}
INSERTS = {ChangeKind.EVALUATION, ChangeKind.LATE_EVALUATION, ChangeKind.EXPIRING_EVALUATION}


@pytest.fixture
def loaded(warehouse):
    load_history(warehouse, POPULATION, 1000, NOW)
    return warehouse


def table(conn):
    with conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return {row["snapshot_id"]: row for row in cursor.execute("SELECT * FROM eligibility.eligibility_snapshots")}


def make(conn, kind, seed=1):
    situation = Situation(Random(seed), POPULATION, LATER)
    for statement, parameters in RECIPES[kind].draw(situation):
        conn.execute(statement, parameters)


def differing_columns(before, after):
    return {column for column in before if before[column] != after[column]}


@pytest.mark.parametrize("kind", CHANGED_COLUMNS)
def test_an_update_changes_its_columns_and_no_others(loaded, kind):
    allowed, seen = CHANGED_COLUMNS[kind], set()
    for seed in range(20):
        before = table(loaded)
        make(loaded, kind, seed)
        after = table(loaded)
        assert before.keys() == after.keys()
        changed = {key: differing_columns(before[key], after[key]) for key in before if before[key] != after[key]}
        seen |= set().union(*changed.values())
    assert "updated_at" in seen
    assert seen == allowed


@pytest.mark.parametrize("kind", sorted(INSERTS))
def test_an_evaluation_is_a_row_more_with_the_age_of_its_kind(loaded, kind):
    before = table(loaded)
    make(loaded, kind)
    after = table(loaded)
    (added,) = after.keys() - before.keys()
    age = LATER - after[added]["evaluation_timestamp"]
    oldest = {ChangeKind.EVALUATION: timedelta(0), ChangeKind.EXPIRING_EVALUATION: EXPIRY_AGE}
    assert timedelta(0) <= age <= oldest.get(kind, timedelta(days=40))
    assert {key: after[key] for key in before} == before


def test_a_delete_removes_one_row(loaded):
    before = table(loaded)
    make(loaded, ChangeKind.DELETE)
    after = table(loaded)
    assert len(before) - len(after) == 1
    assert after.items() <= before.items()


def test_a_family_move_takes_all_evaluations_of_the_member_along(loaded):
    moved_at_once = Counter()
    for seed in range(40):
        before = table(loaded)
        make(loaded, ChangeKind.FAMILY_MOVE, seed)
        after = table(loaded)
        moved = [before[key] for key in before if before[key]["family_id"] != after[key]["family_id"]]
        members = {(row["family_id"], row["member_id"]) for row in moved}
        assert len(members) <= 1
        for family, member in members:
            assert not [row for row in after.values() if member and (row["family_id"], row["member_id"]) == (family, member)]
        moved_at_once[len(moved)] += 1
    assert moved_at_once.keys() - {0, 1}


def test_equal_seeds_on_equal_histories_end_in_equal_tables(loaded):
    def changed():
        loaded.execute("TRUNCATE eligibility.eligibility_snapshots RESTART IDENTITY")
        load_history(loaded, POPULATION, 1000, NOW)
        trickle = Trickle(POPULATION, seed=9, clock=lambda: LATER)
        kinds = [trickle.step(loaded) for _ in range(400)]
        return kinds, table(loaded)

    assert changed() == changed()


def test_a_step_is_part_of_the_callers_transaction(loaded):
    before = table(loaded)
    trickle = Trickle(POPULATION, seed=9)
    with loaded.transaction(force_rollback=True):
        for _ in range(50):
            trickle.step(loaded)
        assert table(loaded) != before
    assert table(loaded) == before


def test_a_burst_commits_all_of_its_changes_or_none(loaded):
    rows = len(table(loaded))
    done = Trickle(POPULATION, seed=9).burst(loaded, 200)
    inserted = sum(done[kind] for kind in INSERTS)
    assert done.total() == 200
    assert len(table(loaded)) == rows + inserted - done[ChangeKind.DELETE]

    before = table(loaded)
    loaded.execute("ALTER TABLE eligibility.eligibility_snapshots ADD CONSTRAINT few CHECK (snapshot_id < 1200)")
    with pytest.raises(psycopg.errors.CheckViolation):
        Trickle(POPULATION, seed=10).burst(loaded, 2000)
    assert table(loaded) == before


def test_on_an_empty_table_the_trickle_begins_with_what_it_inserts(warehouse):
    trickle = Trickle(POPULATION, seed=9)
    done = Counter(trickle.step(warehouse) for _ in range(100))
    rows = len(table(warehouse))
    assert 0 < rows <= sum(done[kind] for kind in INSERTS)
