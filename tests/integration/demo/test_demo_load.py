from datetime import UTC, datetime

import pytest

from demo.databases import DatabaseName
from demo.evaluations import history
from demo.generate import Population, load_history
from demo.history import HISTORIES, Past, histories_of, history_of, load_tables
from tests.integration.demo.conftest import PAST

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
    with pytest.raises(ValueError, match="now has no time zone"):
        load_tables(warehouse, HISTORIES, Past(POPULATION, PAST.sizes, NOW.replace(tzinfo=None)))
    assert warehouse.execute("SELECT count(*) FROM eligibility.scheme_master").fetchone() == (0,)


def test_every_table_holds_its_generated_history(platform):
    for table in HISTORIES:
        conn, columns = platform[table.database], ", ".join(table.columns)
        rows = conn.execute(f"SELECT {columns} FROM {table.table}").fetchall()
        texts = ("eligibility_criteria", "benefits", "documents_required", "profile_data", "reasons", "properties")
        compared = [number for number, column in enumerate(table.columns) if column not in texts]
        expected = sorted([tuple(row[number] for number in compared) for row in table.rows(PAST)], key=str)
        assert sorted([tuple(row[number] for number in compared) for row in rows], key=str) == expected, table.table


def test_tables_that_have_rows_are_left_alone_and_empty_ones_are_filled(warehouse):
    districts = history_of("public.district_master")
    assert load_tables(warehouse, (districts,), PAST) == {"public.district_master": 35}
    told = []
    added = load_tables(warehouse, histories_of(DatabaseName.WAREHOUSE), PAST, told.append)
    assert added["public.district_master"] == 0
    assert all(rows for table, rows in added.items() if table != "public.district_master")
    assert told[-1] == sum(added.values())


def test_a_table_without_history_is_named_with_those_that_have_one():
    with pytest.raises(KeyError, match=r"'public.profile_data' has no history; there are: .*public.citizens"):
        history_of("public.profile_data")
