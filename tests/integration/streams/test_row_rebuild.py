"""Partitions of mirror, match and summary flows rebuilt from the real source."""

import uuid

import psycopg
import pytest

from flows.document_metadata import DOCUMENT_METADATA
from sinks.pool import Pool
from streams.match_rebuild import MatchRebuilder
from streams.mirror_rebuild import MirrorRebuilder
from streams.unit_of_work import FlowMustStop
from tests.integration.streams.conftest import apply
from tests.integration.streams.mirrors import mirror_unit
from tests.integration.streams.people import (
    CitizenLog,
    add_foreign,
    citizen_row,
    expected,
    golden,
    links,
    match_unit,
    prepare,
    reviews,
)
from tests.integration.streams.rebuilding import rebuild_all
from tests.oracle.people import People


class Worker:
    """A unit of work, its rebuilder and the tokens of all partitions."""

    def __init__(self, unit, rebuilder, settings):
        self.unit = unit
        self._source = Pool(settings.databases[unit.flow.source.table.database.value])
        applier = unit.applier
        self._rebuilder = rebuilder(unit.flow, self._source, unit.pool, applier.writer, applier.decoder)

    async def rebuild(self):
        return await rebuild_all(self.unit.flow, self.unit.pool, self._rebuilder.rebuild)

    async def close(self):
        await self.unit.pool.close()
        await self._source.close()


@pytest.fixture
def target(warehouse):
    return prepare(warehouse)


@pytest.fixture
def source(citizen):
    citizen.execute("GRANT SELECT ON public.citizens, public.documents TO sync_worker")
    return citizen


@pytest.fixture
async def people(migrated, target, source):
    worker = Worker(match_unit(migrated), MatchRebuilder, migrated)
    yield worker
    await worker.close()


@pytest.fixture
async def papers(migrated, target, source):
    worker = Worker(mirror_unit(DOCUMENT_METADATA, migrated), MirrorRebuilder, migrated)
    yield worker
    await worker.close()


def store(source, table, row):
    query = f"INSERT INTO public.{table} SELECT * FROM json_populate_record(NULL::public.{table}, %s::json)"
    source.execute(query, (psycopg.types.json.Json(row),))


def tuples(target, *tables):
    return [target.execute(f"SELECT xmin::text, t::text FROM {table} AS t ORDER BY 2").fetchall() for table in tables]


def number(place):
    return f"{place:012}"


async def test_records_and_links_come_to_what_the_citizens_say_now(people, source, target):
    oracle = People()
    for place in range(40):
        row = citizen_row(number=number(place), full_name=f"name {place}", district="Jaipur" if place % 2 else "Atlantis")
        row["verification_status"] = "Verified" if place % 5 else "PENDING"
        store(source, "citizens", row)
        if place % 3 == 0:
            minute = -1 if place % 2 else 5000
            add_foreign(target, number(place), minute, email="of the etl")
            (when,) = target.execute(
                "SELECT updated_at FROM public.golden_records WHERE jan_aadhaar = %s", (number(place),)
            ).fetchone()
            oracle.foreign(number(place), when, email="of the etl")
        oracle.change(row)
    store(source, "citizens", citizen_row(number=None, full_name="bad"))
    await people.rebuild()
    assert golden(target) == expected(oracle)
    assert links(target) == oracle.links
    assert reviews(target) == oracle.reviews
    before = tuples(target, "public.golden_records", "sync.person_link", "sync.review_queue")
    await people.rebuild()
    assert tuples(target, "public.golden_records", "sync.person_link", "sync.review_queue") == before


async def test_events_from_before_a_rebuild_change_nothing_and_those_of_citizens_who_are_gone_neither(people, source, target):
    here, gone = citizen_row(number=number(1), full_name="now"), citizen_row(number=number(2), full_name="was here")
    store(source, "citizens", here)
    claims = await people.rebuild()
    log = CitizenLog()
    log.change(10, here["id"], here | {"full_name": "before"})
    log.change(11, gone["id"], gone)
    done = await apply(people.unit, claims[0], log.records)
    assert done.counts.total() == 2
    assert {key: values["full_name"] for key, (_, _, values) in golden(target).items()} == {
        number(1): "now",
        number(2): "was here",  # nothing was known of somebody who is gone, and no record is ever removed
    }
    claims = await people.rebuild()
    log.change(12, gone["id"], gone | {"full_name": "again"})
    await apply(people.unit, claims[0], log.records[2:])
    assert golden(target)[number(2)][2]["full_name"] == "was here"


async def test_a_row_that_the_target_refuses_stops_the_flow_with_a_reason_that_quotes_nothing(people, source, target):
    target.execute("ALTER TABLE public.golden_records ADD CONSTRAINT no_bad CHECK (email <> 'refused@example.org')")
    store(source, "citizens", citizen_row(number=number(1), email="refused@example.org"))
    with pytest.raises(FlowMustStop, match=r"CHECK_VIOLATION \(23514\) table golden_records constraint no_bad") as stopped:
        await people.rebuild()
    assert "example.org" not in str(stopped.value)


async def test_documents_are_as_in_the_source_with_their_links_and_what_is_gone_is_marked(papers, people, source, target):
    owner = citizen_row(number=number(1))
    store(source, "citizens", owner)
    kept, gone = str(uuid.uuid4()), str(uuid.uuid4())
    for key in (kept, gone):
        store(
            source, "documents", {"id": key, "citizen_id": owner["id"], "file_name": "paper", "updated_at": owner["updated_at"]}
        )
    await papers.rebuild()
    await people.rebuild()
    source.execute("UPDATE public.documents SET file_name = 'other' WHERE id = %s", (kept,))
    source.execute("DELETE FROM public.documents WHERE id = %s", (gone,))
    await papers.rebuild()
    found = target.execute(
        "SELECT document_id::text, file_name, deleted_at IS NULL, jan_aadhaar"
        " FROM public.document_metadata JOIN public.golden_records USING (gr_id)"
    ).fetchall()
    assert sorted(found) == sorted([(kept, "other", True, number(1)), (gone, "paper", False, number(1))])
    before = tuples(target, "public.document_metadata", "sync.unlinked")
    await papers.rebuild()
    assert tuples(target, "public.document_metadata", "sync.unlinked") == before
