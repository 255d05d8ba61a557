"""Links of documents to golden records: at once, afterwards, and when both sides write at the same time."""

import asyncio
import uuid
from contextlib import contextmanager

import psycopg
import pytest

from flows.document_metadata import DOCUMENT_METADATA
from tests.integration.streams.conftest import apply
from tests.integration.streams.facts.queries import learn
from tests.integration.streams.facts.workers import Worker
from tests.integration.streams.mirrors import MirrorLog, mirror_claim, mirror_unit
from tests.integration.streams.people import CitizenLog, add_foreign, citizen_row, claimed, match_unit, prepare
from tests.support.applications import ApplicationLog
from tests.support.waiting import eventually

NUMBER, OTHER = "111122223333", "444455556666"
DOCUMENT = str(uuid.UUID(int=7))


@pytest.fixture
def target(warehouse):
    return prepare(warehouse)


@pytest.fixture
async def documents(migrated, target):
    """The unit of work of documents, its claim and its log."""
    unit = mirror_unit(DOCUMENT_METADATA, migrated)
    yield Side(unit, await mirror_claim(unit), MirrorLog(DOCUMENT_METADATA))
    await unit.pool.close()


@pytest.fixture
async def citizens(migrated, target):
    """The same of citizens."""
    unit = match_unit(migrated)
    yield Side(unit, await claimed(unit), CitizenLog())
    await unit.pool.close()


class Side:
    def __init__(self, unit, claim, log):
        self.unit, self.claim, self.log = unit, claim, log
        self._done = 0

    async def write(self):
        """Apply what was logged since the last time."""
        part, self._done = self.log.records[self._done :], len(self.log.records)
        return await apply(self.unit, self.claim, part)


def stored(documents, citizen, key=DOCUMENT, lsn=None):
    documents.log.upsert(documents.log.row(key, citizen_id=citizen), lsn=lsn)


def joined(citizens, key, number=NUMBER, lsn=10):
    citizens.log.change(lsn, key, citizen_row(key, number))


def linked(target, key=DOCUMENT):
    """The number of the record that a document is linked to, or None."""
    query = (
        "SELECT jan_aadhaar FROM public.document_metadata LEFT JOIN public.golden_records USING (gr_id) WHERE document_id = %s"
    )
    return target.execute(query, (key,)).fetchone()[0]


def notes(target):
    return target.execute("SELECT flow, citizen_id::text, key FROM sync.unlinked ORDER BY key").fetchall()


@contextmanager
def holding(target, statement, parameters=()):
    """A transaction of somebody else that holds locks until the block ends."""
    with psycopg.connect(target.info.dsn, password=target.info.password) as other:
        other.execute(statement, parameters)
        yield
        other.rollback()


async def blocked(target, number):
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    await asyncio.to_thread(eventually, lambda: target.execute(query).fetchone()[0] == number, f"{number} wait", within=20)


async def test_a_document_of_somebody_who_is_known_is_linked_when_it_is_written(documents, citizens, target):
    joined(citizens, citizen := str(uuid.uuid4()))
    await citizens.write()
    stored(documents, citizen)
    await documents.write()
    assert linked(target) == NUMBER
    assert notes(target) == []


async def test_a_document_of_somebody_unknown_is_written_at_once_and_linked_when_the_citizen_is_matched(
    documents, citizens, target
):
    citizen = str(uuid.uuid4())
    stored(documents, citizen)
    await documents.write()
    assert linked(target) is None
    assert notes(target) == [("document_metadata", citizen, DOCUMENT)]
    joined(citizens, citizen)
    await citizens.write()
    assert linked(target) == NUMBER
    assert notes(target) == []


async def test_a_record_that_another_writer_keeps_is_linked_all_the_same(documents, citizens, target):
    add_foreign(target, NUMBER, 10_000, full_name="of the etl")
    stored(documents, citizen := str(uuid.uuid4()))
    await documents.write()
    joined(citizens, citizen)
    await citizens.write()
    assert linked(target) == NUMBER


async def test_a_replay_of_both_topics_notes_and_links_nothing_anew(documents, citizens, target):
    for number in range(3):
        stored(documents, str(uuid.UUID(int=number)), str(uuid.UUID(int=100 + number)))
    await documents.write()
    joined(citizens, str(uuid.UUID(int=1)))
    await citizens.write()
    tables = ("public.document_metadata", "sync.unlinked", "sync.person_link")
    before = [target.execute(f"SELECT xmin::text, t::text FROM {table} AS t ORDER BY 2").fetchall() for table in tables]
    target.execute("UPDATE sync.ledger SET next_offset = 0, rewound = rewound + next_offset")
    for side in (documents, citizens):
        await apply(side.unit, side.claim, side.log.records)
    assert [target.execute(f"SELECT xmin::text, t::text FROM {table} AS t ORDER BY 2").fetchall() for table in tables] == before


async def test_a_deleted_document_is_linked_too(documents, citizens, target):
    stored(documents, citizen := str(uuid.uuid4()))
    documents.log.delete(DOCUMENT)
    await documents.write()
    joined(citizens, citizen)
    await citizens.write()
    assert linked(target) == NUMBER


async def test_a_document_that_is_another_citizens_now_is_not_linked_to_the_first(documents, citizens, target):
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    for citizen in (first, second):
        stored(documents, citizen)
        await documents.write()
    joined(citizens, first, lsn=10)
    await citizens.write()
    assert linked(target) is None
    joined(citizens, second, OTHER, lsn=20)
    await citizens.write()
    assert linked(target) == OTHER
    stored(documents, str(uuid.uuid4()))
    await documents.write()
    assert linked(target) is None, "the link was the other citizen's"


async def test_a_link_that_is_known_stays_when_the_document_changes(documents, citizens, target):
    joined(citizens, citizen := str(uuid.uuid4()))
    await citizens.write()
    stored(documents, citizen)
    await documents.write()
    target.execute("DELETE FROM sync.person_link")
    stored(documents, citizen)
    await documents.write()
    assert linked(target) == NUMBER


async def test_a_citizen_who_is_matched_while_a_document_is_being_written_waits_for_its_note(documents, citizens, target):
    citizen = str(uuid.uuid4())
    stored(documents, citizen)
    await documents.write()
    stored(documents, citizen, other := str(uuid.UUID(int=8)))
    stored(documents, citizen)  # the row that somebody holds
    joined(citizens, citizen)
    with holding(target, "SELECT FROM public.document_metadata WHERE document_id = %s FOR UPDATE", (DOCUMENT,)):
        writing = asyncio.ensure_future(documents.write())
        await blocked(target, 1)  # the document's chunk has the shared lock and has looked for links
        matching = asyncio.ensure_future(citizens.write())
        await blocked(target, 2)
    await asyncio.gather(writing, matching)
    assert [linked(target), linked(target, other)] == [NUMBER, NUMBER]
    assert notes(target) == []


async def test_a_document_that_is_written_while_a_citizen_is_being_matched_waits_for_the_link(documents, citizens, target):
    citizen = str(uuid.uuid4())
    stored(documents, citizen)
    await documents.write()
    stored(documents, citizen, other := str(uuid.UUID(int=8)))
    joined(citizens, citizen)
    with holding(target, "SELECT FROM sync.unlinked WHERE citizen_id = %s FOR UPDATE", (citizen,)):
        matching = asyncio.ensure_future(citizens.write())
        await blocked(target, 1)  # the citizen's chunk has the exclusive lock, and the link is not committed
        writing = asyncio.ensure_future(documents.write())
        await blocked(target, 2)
    await asyncio.gather(writing, matching)
    assert [linked(target), linked(target, other)] == [NUMBER, NUMBER]
    assert notes(target) == []


async def test_applications_of_one_citizen_are_linked_at_once_and_those_from_before_afterwards(migrated, citizens, target):
    worker, log, citizen = Worker(migrated), ApplicationLog(), str(uuid.uuid4())
    scheme, claim = learn(target, log.identifier()), await worker.claim()
    early = log.insert(log.row(scheme, citizen_id=citizen))
    log.update(early, status="in_review")
    await worker.apply(claim, log.records)
    joined(citizens, citizen)
    await citizens.write()
    seen = len(log.records)
    log.insert(log.row(scheme, citizen_id=citizen))
    log.insert(log.row(scheme))
    await worker.apply(claim, log.records[seen:])
    await worker.close()
    found = target.execute(
        "SELECT citizen_id = %s, jan_aadhaar, count(*) FROM decision.application_events"
        " LEFT JOIN public.golden_records USING (gr_id) GROUP BY 1, 2 ORDER BY 1",
        (citizen,),
    ).fetchall()
    assert found == [(False, None, 1), (True, NUMBER, 3)]
    assert [flow for flow, _, _ in notes(target)] == ["application_events"]


async def test_chunks_of_documents_do_not_wait_for_one_another(migrated, documents, target):
    unit = mirror_unit(DOCUMENT_METADATA, migrated)
    async with unit.pool.session() as session:
        await session.run("BEGIN; SELECT pg_advisory_xact_lock_shared(hashtextextended('smart-sync/person-links', 0))")
        stored(documents, str(uuid.uuid4()))
        await asyncio.wait_for(documents.write(), 20)
        await session.run("ROLLBACK")
    await unit.pool.close()
    assert linked(target) is None


async def test_an_update_that_changes_no_link_does_not_wait_for_documents(migrated, citizens, target):
    joined(citizens, citizen := str(uuid.uuid4()))
    await citizens.write()
    unit = mirror_unit(DOCUMENT_METADATA, migrated)
    async with unit.pool.session() as session:
        await session.run("BEGIN; SELECT pg_advisory_xact_lock_shared(hashtextextended('smart-sync/person-links', 0))")
        joined(citizens, citizen, lsn=20)
        await asyncio.wait_for(citizens.write(), 20)
        await session.run("ROLLBACK")
    await unit.pool.close()
