import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import sql

from demo.changes import EXPIRES_WITHIN, EXPIRY_AGE, RECIPES, ChangeKind
from demo.population import Population
from demo.sources import EVALUATIONS, SOURCES, by_table, source_of
from demo.trickle import Trickle
from demo.warehouse.golden_record_changes import GoldenRecordChange
from flows.eligibility_hints import ELIGIBILITY_HINTS

NOW = datetime(2025, 1, 15, 6, 0, tzinfo=UTC)
POPULATION = Population(7, 100)


def changes(seed, count):
    trickle = Trickle(POPULATION, seed, clock=lambda: NOW)
    return [trickle.next_change() for _ in range(count)]


def test_equal_seeds_give_equal_changes_and_another_seed_gives_others():
    assert changes(1, 500) == changes(1, 500)
    assert changes(1, 500) != changes(2, 500)


def test_every_kind_comes_about_as_often_as_its_weight():
    counts = Counter(change.kind for change in changes(3, 20_000))
    total = sum(recipe.weight for recipe in RECIPES.values())
    for kind in ChangeKind:
        assert counts[kind] / 20_000 == pytest.approx(RECIPES[kind].weight / total, rel=0.2)


def kinds_and_sources():
    return [pytest.param(source, kind, id=str(kind)) for source in SOURCES for kind in source.recipes]


def text_of(statement):
    return statement.as_string() if isinstance(statement, sql.Composable) else statement


@pytest.mark.parametrize(("source", "kind"), kinds_and_sources())
def test_every_value_of_a_change_is_bound(source, kind):
    trickle = Trickle(POPULATION, 4, lambda: NOW, (source,), only=(kind,))
    for statement, parameters in trickle.next_change().steps:
        assert set(re.findall(r"%\((\w+)\)s", text_of(statement))) == set(parameters)


def test_a_kind_belongs_to_one_table():
    kinds = [kind for source in SOURCES for kind in source.recipes]
    assert len(set(map(str, kinds))) == len(kinds)


def test_changes_are_added_up_by_table():
    done = Counter({ChangeKind.DELETE: 3, ChangeKind.TOUCH: 1, GoldenRecordChange.ADDED: 2})
    assert by_table(done) == {"eligibility.eligibility_snapshots": 4, "public.golden_records": 2}


def test_tables_of_one_trickle_change_as_often_as_they_do_in_a_day():
    sources = (EVALUATIONS, source_of("public.profile_360"))
    trickle = Trickle(POPULATION, 3, lambda: NOW, sources)
    kinds = Counter(trickle.next_change().kind for _ in range(10_000))
    evaluations = sum(count for kind, count in kinds.items() if isinstance(kind, ChangeKind))
    assert evaluations / 10_000 == pytest.approx(50 / 62, rel=0.05)


def test_some_kinds_come_only_when_asked_for():
    source = source_of("public.golden_records")
    assert GoldenRecordChange.ORPHANING not in Trickle(POPULATION, 1, sources=(source,)).kinds
    trickle = Trickle(POPULATION, 1, lambda: NOW, (source,), only=(GoldenRecordChange.ORPHANING, GoldenRecordChange.TOUCHED))
    assert {trickle.next_change().kind for _ in range(100)} == {GoldenRecordChange.ORPHANING, GoldenRecordChange.TOUCHED}


def test_a_kind_that_no_source_has_is_refused():
    with pytest.raises(ValueError, match=r"no source has changes of the kind <GoldenRecordChange\.ADDED"):
        Trickle(POPULATION, 1, only=(GoldenRecordChange.ADDED,))


def test_a_trickle_into_two_databases_is_refused():
    with pytest.raises(ValueError, match="tables of one database"):
        Trickle(POPULATION, 1, sources=SOURCES)


def test_a_table_to_which_nothing_happens_is_named_with_those_that_there_are():
    with pytest.raises(KeyError, match=r"nothing happens to 'public.schemes'; there are: .*public.documents"):
        source_of("public.schemes")


def test_the_demo_expects_evaluations_to_expire_when_the_flow_lets_them():
    # The platform's side may not import the product's, so that what both must know is compared here.
    assert ELIGIBILITY_HINTS.ranking.horizon == EXPIRY_AGE


def test_an_expiring_evaluation_leaves_the_portal_within_minutes():
    expiring = [change for change in changes(5, 5000) if change.kind is ChangeKind.EXPIRING_EVALUATION]
    moments = [change.steps[0].parameters["evaluation_timestamp"] for change in expiring]
    assert len(moments) > 50
    assert all(timedelta(0) < moment + EXPIRY_AGE - NOW <= EXPIRES_WITHIN for moment in moments)


def test_recent_rows_are_changed_more_often_than_old_ones():
    parameters = [change.steps[0].parameters for change in changes(6, 5000)]
    places = sorted(each["place"] for each in parameters if "place" in each)
    assert 0 <= places[0] < 0.1
    assert places[-1] <= 1
    assert places[len(places) // 2] == pytest.approx(0.875, abs=0.03)
