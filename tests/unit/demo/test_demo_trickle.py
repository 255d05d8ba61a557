import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from demo.changes import EXPIRES_WITHIN, EXPIRY_AGE, RECIPES, ChangeKind
from demo.population import Population
from demo.trickle import Trickle
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


@pytest.mark.parametrize("kind", ChangeKind)
def test_every_value_of_a_change_is_bound(kind):
    change = next(change for change in changes(4, 5000) if change.kind is kind)
    assert set(re.findall(r"%\((\w+)\)s", change.statement)) == set(change.parameters)


def test_the_demo_expects_evaluations_to_expire_when_the_flow_lets_them():
    # The platform's side may not import the product's, so that what both must know is compared here.
    assert ELIGIBILITY_HINTS.ranking.horizon == EXPIRY_AGE


def test_an_expiring_evaluation_leaves_the_portal_within_minutes():
    moments = [c.parameters["evaluation_timestamp"] for c in changes(5, 5000) if c.kind is ChangeKind.EXPIRING_EVALUATION]
    assert len(moments) > 50
    assert all(timedelta(0) < moment + EXPIRY_AGE - NOW <= EXPIRES_WITHIN for moment in moments)


def test_recent_rows_are_changed_more_often_than_old_ones():
    places = sorted(change.parameters["place"] for change in changes(6, 5000) if "place" in change.parameters)
    assert 0 <= places[0] < 0.1
    assert places[-1] <= 1
    assert places[len(places) // 2] == pytest.approx(0.875, abs=0.03)
