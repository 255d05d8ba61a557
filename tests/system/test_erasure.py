"""A person is erased beside running workers and load: connectors, Kafka and owners of partitions as they are."""

from contextlib import ExitStack

import pytest

from demo.history import Sizes
from demo.relay import Plan
from demo.sources import SOURCES
from flows.registry import CAPTURED
from flows.tables import Database
from tests.support.canaries import Canary
from tests.support.canary_places import search_store, search_tables, stores
from tests.support.canary_search import Search
from tests.support.chaos import WORKERS
from tests.support.chaos_round import chosen_seed
from tests.support.commands import CommandFailed, run_command
from tests.support.household import Household
from tests.support.platform_load import PlatformLoad
from tests.support.workers import supervised

pytestmark = pytest.mark.campaign

FAMILIES = 300
SIZES = Sizes(evaluations=2000, applications=300, documents=300, user_events=0, feedback=0)
READ = {flow.source.table.qualified for flow in CAPTURED}
# The tests' own notes of every change of a source.
HISTORY = {f"table {database.value}.history.change" for database in Database}
CHANGING = [source for source in SOURCES if source.table in READ]


def found(installation, household):
    """Places where an id of the household is."""
    ids = {*household.ids, *(each.replace("-", "") for each in household.ids)}
    search = Search([Canary(f"id {number}", value) for number, value in enumerate(sorted(ids))])
    for database in Database:
        with installation.of(database).connect() as connection:
            search_tables(search, database, connection)
    return search


def test_a_person_is_erased_beside_workers_and_load(installation):
    person = Household("111122223333")
    command = ("subject", "purge", "--citizen", person.citizen, "--family", person.family, "--member", person.member, "--yes")
    with supervised(installation, len(WORKERS)), ExitStack() as closing:
        connections = {each.value: closing.enter_context(installation.of(each).connect()) for each in Database}
        installation.settle_all()
        person.move_in(connections)
        installation.settle_all()
        assert "table citizen.public.eligibility_hints" in {hit.place for hit in found(installation, person).hits}
        with PlatformLoad(installation.settings, Plan(installation.population, chosen_seed(), CHANGING, 30.0)):
            with pytest.raises(CommandFailed, match="the platform still has rows"):
                run_command(installation.environment, *command, "--reason", "request 17")
            person.move_out(connections)
            done = run_command(installation.environment, *command, "--reason", "request 17")
        assert (done["problems"], done["erasure"]) == ([], None)
        installation.settle_all()
    search = found(installation, person)
    for folder in stores(installation.stack.folder.root):
        search_store(search, folder)
    assert {hit.place for hit in search.hits} <= HISTORY
