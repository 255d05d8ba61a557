from datetime import UTC, datetime

import pytest

from demo.evaluations import history
from demo.generate import Population, load_history

NOW = datetime(2025, 1, 15, 6, 0, tzinfo=UTC)
POPULATION = Population(7, 300)


def test_the_table_holds_the_generated_history_in_its_order(warehouse):
    added = load_history(warehouse, POPULATION, 3000, NOW)
    assert added == {"eligibility.scheme_master": 200, "eligibility.eligibility_snapshots": 3000}
    rows = warehouse.execute("SELECT * FROM eligibility.eligibility_snapshots ORDER BY snapshot_id").fetchall()
    assert rows == [(number, *row) for number, row in enumerate(history(POPULATION, 3000, NOW), start=1)]


def test_a_second_load_adds_evaluations_and_leaves_the_schemes_alone(warehouse):
    load_history(warehouse, POPULATION, 100, NOW)
    assert load_history(warehouse, POPULATION, 50, NOW) == {
        "eligibility.scheme_master": 0,
        "eligibility.eligibility_snapshots": 50,
    }
    query = "SELECT count(*), count(DISTINCT snapshot_id), max(snapshot_id) FROM eligibility.eligibility_snapshots"
    assert warehouse.execute(query).fetchone() == (150, 150, 150)


def test_progress_is_told_after_every_copy(warehouse):
    told = []
    load_history(warehouse, POPULATION, 45_000, NOW, told.append)
    assert told == [20_000, 40_000, 45_000]


def test_every_evaluation_belongs_to_a_scheme_of_the_catalogue(warehouse):
    load_history(warehouse, POPULATION, 2000, NOW)
    query = """SELECT count(*), count(scheme_id) FROM eligibility.eligibility_snapshots
               LEFT JOIN eligibility.scheme_master USING (scheme_code)"""
    assert warehouse.execute(query).fetchone() == (2000, 2000)


def test_a_time_without_zone_is_refused_before_anything_is_loaded(warehouse):
    with pytest.raises(ValueError, match="now has no time zone"):
        load_history(warehouse, POPULATION, 10, NOW.replace(tzinfo=None))
    assert warehouse.execute("SELECT count(*) FROM eligibility.scheme_master").fetchone() == (0,)
