"""Two people in both databases, brought to their targets, with traces in every store of ours."""

import pytest

from cli.databases import databases as sessions_of
from cli.erasure import Order, Tools, purge
from cli.migrate import migrate_databases
from flows.registry import CAPTURED
from sinks.erasure.person import Person
from sinks.payload_cipher import PayloadCipher
from tests.support.household import Household
from tests.support.whole_worker import WholeWorker

ORDER = Order("tester", "request 17")


@pytest.fixture
def databases(warehouse, citizen, fresh_databases):
    """The administrator's sessions, by name."""
    migrate_databases(fresh_databases)
    return {"warehouse": warehouse, "citizen": citizen}


@pytest.fixture
def cipher(fresh_databases):
    return PayloadCipher(fresh_databases.payload_keys)


@pytest.fixture
def person(databases):
    household = Household("111122223333")
    household.move_in(databases)
    return household


@pytest.fixture
def neighbour(databases):
    household = Household("444455556666")
    household.move_in(databases)
    return household


@pytest.fixture
async def worker(databases, person, neighbour, fresh_databases, tmp_path, cipher):
    worker = WholeWorker(fresh_databases, tmp_path)
    await worker.start()
    for household in (person, neighbour):
        household.leave_traces(databases, cipher)
    yield worker
    await worker.close()


@pytest.fixture
def tools(worker, fresh_databases, cipher):
    with sessions_of(fresh_databases) as sessions:
        yield Tools(sessions, worker.pools, worker, cipher, patience=0.3)


@pytest.fixture
def known(person):
    """What an operator knows: three ids, no more."""
    return Person.parsed({"ids": {"citizen": [person.citizen], "family": [person.family], "member": [person.member]}, "rows": []})


@pytest.fixture
def delete_at_the_platform(databases, worker, person):
    """Delete the platform's rows and have the flows hear of it."""

    async def delete():
        person.move_out(databases)
        for flow in [each for each in CAPTURED if each.name != "scheme_map"]:
            row = person.rows[flow.source.table.qualified]
            await worker.put(flow, [worker.event(flow, "d", row, 2**50)])

    return delete


@pytest.fixture
def purge_person(tools, known):
    async def run(order=ORDER, person=known):
        return await purge(tools, person, order)

    return run
