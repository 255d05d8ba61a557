import pytest

from demo.databases import DatabaseName
from demo.population import Population
from demo.relay import Plan, shares
from demo.sources import SOURCES, source_of, sources_in


def plan(rate=10.0, limit=None, sources=SOURCES):
    return Plan(Population(1, 10), 1, sources, rate, limit=limit)


def test_each_database_gets_its_tables_and_a_rate_by_their_changes_per_day():
    citizen, warehouse = shares(plan())
    assert (citizen.database, warehouse.database) == (DatabaseName.CITIZEN, DatabaseName.WAREHOUSE)
    assert citizen.sources == sources_in(DatabaseName.CITIZEN)
    assert warehouse.sources == sources_in(DatabaseName.WAREHOUSE)
    per_day = {name: sum(source.per_day for source in sources_in(name)) for name in DatabaseName}
    assert warehouse.rate == pytest.approx(10 * per_day["warehouse"] / sum(per_day.values()))
    assert citizen.rate + warehouse.rate == pytest.approx(10)


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_limits_add_up(limit):
    assert sum(share.limit for share in shares(plan(limit=limit))) == limit


def test_without_limit_no_share_has_one():
    assert [share.limit for share in shares(plan())] == [None, None]


def test_as_fast_as_possible_is_that_in_both_databases():
    assert [share.rate for share in shares(plan(rate=0.0))] == [0.0, 0.0]


def test_tables_of_one_database_need_one_trickle():
    (share,) = shares(plan(limit=5, sources=(source_of("public.documents"),)))
    assert (share.database, share.rate, share.limit) == (DatabaseName.CITIZEN, 10.0, 5)
