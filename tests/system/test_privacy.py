"""Unique values in every column that must stay hidden; everything is run and goes wrong; then every place is searched."""

import pytest

from flows.registry import FLOWS
from tests.support.canary_leaks import Leaks
from tests.support.canary_life import Life
from tests.support.canary_places import search_everything
from tests.support.canary_search import Search
from tests.support.platform import Platform


@pytest.fixture(scope="module")
def platform(stack):
    platform = Platform(stack)
    yield platform
    platform.close()


@pytest.fixture(scope="module")
def life(platform):
    life = Life(platform)
    life.run()
    return life


@pytest.fixture(scope="module")
def search(platform, life):
    search = Search(life.canaries)
    search_everything(search, platform, life.answers.given)
    return search


def test_the_search_sees_every_hidden_column_where_it_may_be(life, search):
    seen = {hit.canary.split(" ")[0] for hit in search.allowed}
    assert life.planter.columns - seen == set()


def test_everything_went_wrong_that_should(life):
    reasons = {reason for _, reason in life.reasons}
    assert {"refused_by_database", "out_of_range", "wrong_type", "malformed_json", "missing_field", "key_mismatch"} <= reasons
    assert ("profile_updates", "refused_by_database") in life.reasons
    assert {flow for flow, _ in life.reasons} == {flow.name for flow in FLOWS}


def test_no_private_value_and_no_secret_is_anywhere_else(search):
    assert sorted((hit.place, hit.canary, hit.form) for hit in search.hits) == []


@pytest.mark.usefixtures("search")
def test_a_leak_into_any_kind_of_place_in_any_form_is_found(platform):
    leaks = Leaks(platform)
    answers = leaks.make()
    search = Search(leaks.canaries)
    search_everything(search, platform, answers)
    assert search.hits == leaks.hits
    assert {hit.place.split(" ")[0] for hit in leaks.hits} == {"table", "topic", "store", "log", "answer"}
    assert {hit.form for hit in leaks.hits} == {"plain", "hex", "base64", "digits"}
