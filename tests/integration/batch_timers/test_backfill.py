"""Backfills on both real databases: what they take, what they leave alone, and what they need not read."""

import asyncio
from datetime import timedelta

import pytest

from app.backups import event_path
from batch_timers import backup, backup_parts
from batch_timers.backfill import Backfill
from batch_timers.backup_pages import Page
from batch_timers.execution import Execution
from batch_timers.jobs import backfill_schedule
from flows.document_metadata import DOCUMENT_METADATA
from flows.golden_records import GOLDEN_RECORDS
from flows.profile_summary import PROFILE_SUMMARY
from sinks import job_ledger
from sinks.copying import CopyPool
from sinks.pool import Pool
from tests.integration.batch_timers.conftest import session_of
from tests.integration.batch_timers.test_backup_jobs import NOW, World, tuples
from tests.support.counting_job import HURRIED
from tests.support.databases import administrators
from tests.support.flow_oracles import compare_rows

PAGE = 4


@pytest.fixture
def world(migrated, warehouse, citizen, monkeypatch):
    """Twenty golden records and sixty profiles, read in small pages, three to a span."""
    monkeypatch.setattr(backup_parts, "PAGE_ROWS", PAGE)
    monkeypatch.setattr(backup_parts, "SPAN_PAGES", 3)
    monkeypatch.setattr(backup_parts, "WRITTEN_PAGES", 1)
    made = World(warehouse, citizen)
    made.everybody()
    return made


@pytest.fixture
def session_of_warehouse(migrated):
    """Open sessions of the warehouse's administrator."""
    opened = []

    def open_session():
        opened.append(administrators(migrated)[0].connect())
        return opened[-1]

    yield open_session
    for session in opened:
        session.close()


@pytest.fixture
async def backfill_of(migrated):
    pools = []

    def make(flow):
        pools.append(Pool(migrated.citizen))
        return Backfill(backfill_schedule(flow), event_path(flow), pools[-1], 0.0)

    yield make
    for pool in pools:
        await pool.close()


@pytest.fixture
def rows_read(monkeypatch):
    """The keys of all rows that have left the source, in order."""
    keys, copied = [], backup.copied

    async def counted(*choice):
        async for page in copied(*choice):
            keys.extend(keys_of(page))
            yield page

    monkeypatch.setattr(backup, "copied", counted)
    return keys


def keys_of(page):
    """The second field of each line."""
    return [line.split(b"\t")[1].decode() for block in page.blocks for line in block.splitlines()]


def people(world):
    """Golden records in the order of their keys."""
    return sorted(world.people[:-5])


def copied(world):
    return {key for (key,) in world.citizen.execute("SELECT record_id FROM public.profile_data").fetchall()}


@pytest.mark.parametrize("flow", [GOLDEN_RECORDS, PROFILE_SUMMARY], ids=lambda flow: flow.name)
async def test_a_backfill_of_all_makes_what_the_oracle_says(jobs, world, backfill_of, flow):
    await jobs.run(backfill_of(GOLDEN_RECORDS))
    line = await jobs.run(backfill_of(flow))
    assert line["state"] == "succeeded"
    assert compare_rows(flow.name, world.warehouse, world.citizen).equal


async def test_a_range_of_keys_is_half_open_and_nothing_beside_it_is_touched(jobs, world, backfill_of):
    keys = people(world)
    low, high = str(keys[5]), str(keys[15])
    strangers = [keys[7].int + 1, keys[15].int + 1]
    for number in strangers:
        world.citizen.execute("INSERT INTO public.profile_data (record_id, gender) VALUES (%s, 'F')", (f"{number:032x}",))
    line = await jobs.run(backfill_of(GOLDEN_RECORDS), parameters={"low": low, "high": high})
    assert (line["state"], line["rows_written"], line["rows_expected"]) == ("succeeded", 11, 10)
    assert {key.int for key in copied(world)} == {*(key.int for key in keys[5:15]), strangers[1]}
    assert world.citizen.execute("SELECT count(*) FROM sync.watermark").fetchone() == (0,)


async def test_since_takes_what_has_changed_since_then(jobs, world, backfill_of):
    moment = NOW - timedelta(hours=10)
    changed = world.warehouse.execute("SELECT gr_id FROM public.golden_records WHERE updated_at >= %s", (moment,)).fetchall()
    line = await jobs.run(backfill_of(GOLDEN_RECORDS), parameters={"since": moment.isoformat()})
    assert copied(world) == {key for (key,) in changed}
    assert 0 < line["rows_written"] == line["rows_expected"] == len(changed) < len(people(world))


async def test_who_takes_over_from_a_dead_worker_goes_on_behind_its_last_page(jobs, world, backfill_of, monkeypatch, rows_read):
    frozen, wake, written, write = asyncio.Event(), asyncio.Event(), [], Page.write

    async def freezing(self, session):
        if len(written) == 2 and not frozen.is_set():
            await session.run("ROLLBACK")  # as when the database has ended the session of a frozen worker
            frozen.set()
            await wake.wait()
        written.append(keys_of(self.rows))
        return await write(self, session)

    async def silent(*_, **__):
        return True

    monkeypatch.setattr(Page, "write", freezing)
    monkeypatch.setattr(job_ledger, "renew", silent)
    job = backfill_of(GOLDEN_RECORDS)
    dead = jobs.propose(job)
    await dead.look()
    await frozen.wait()
    world.citizen.execute("UPDATE sync.job_run SET lease_until = now() - interval '1 minute'")
    heir = jobs.propose_again(job)
    await heir.look()
    await heir.finished()
    line = jobs.line(job)
    await dead.stop()
    for runner in (dead, heir):
        await runner._target.close()
    assert (line["state"], line["rows_written"], line["token"]) == ("succeeded", 20, 2)
    assert [key for keys in written for key in keys] == [str(key) for key in people(world)]  # each page once
    assert jobs.line(job) == line
    assert compare_rows("golden_records", world.warehouse, world.citizen).equal


async def test_a_backfill_takes_as_long_as_its_rate_says(jobs, world, backfill_of, migrated, monkeypatch):
    job, slept = backfill_of(GOLDEN_RECORDS), []

    async def sleep(seconds):
        slept.append(seconds)

    await jobs.propose(job, parameters={"rows_per_second": 2})._target.close()
    (run, token), source, target = world.citizen.execute("SELECT run_id, token FROM sync.job_run").fetchone(), *ends(migrated)
    async with session_of(migrated.citizen) as session:
        held = await job_ledger.take(session, run, token, "test", lease=60, dead=False)
    await Execution(job, held, source, target, HURRIED, sleep=sleep).run()
    for pool in (source, target):
        await pool.close()
    assert jobs.line(job)["state"] == "succeeded"
    assert 9 < sum(slept) <= 20 / 2  # less what the pages took themselves


def ends(settings):
    return CopyPool(settings.warehouse), CopyPool(settings.citizen)


async def test_a_row_that_is_newer_in_the_target_is_never_overwritten(jobs, world, backfill_of):
    await jobs.run(backfill_of(GOLDEN_RECORDS))
    newer = people(world)[3]
    world.citizen.execute("UPDATE sync.row_version SET lsn = lsn + 1000000000 WHERE key = %s", (str(newer),))
    world.citizen.execute("UPDATE public.profile_data SET city = 'newer' WHERE record_id = %s", (newer,))
    line = await jobs.run(backfill_of(GOLDEN_RECORDS))
    assert world.citizen.execute("SELECT city FROM public.profile_data WHERE record_id = %s", (newer,)).fetchone() == ("newer",)
    assert (line["rows_written"], line["rows_skipped"], line["rows_unchanged"]) == (0, 1, 19)


async def test_an_unchanged_second_run_reads_no_row_and_rewrites_none(jobs, world, backfill_of, rows_read):
    flows = (GOLDEN_RECORDS, PROFILE_SUMMARY)
    # Profiles that wait for their golden record are in no target, so their pages differ.
    world.warehouse.execute("DELETE FROM public.profile_360 WHERE gr_id <> ALL (%s)", (people(world),))
    for flow in flows:
        await jobs.run(backfill_of(flow))
    tables = ("public.profile_data", "public.profile_summary", "sync.profile_member", "sync.row_version")
    places = tuples(world.citizen, *tables)
    rows_read.clear()
    lines = [await jobs.run(backfill_of(flow)) for flow in flows]
    assert [line["rows_written"] for line in lines] == [0, 0]
    assert tuples(world.citizen, *tables) == places
    assert lines[0]["rows_unchanged"] == 20
    assert rows_read == []


async def test_only_the_page_of_a_row_that_differs_is_read(jobs, world, backfill_of, rows_read):
    await jobs.run(backfill_of(GOLDEN_RECORDS))
    changed, spoiled = people(world)[6], people(world)[17]
    world.warehouse.execute("UPDATE public.golden_records SET city_village = 'new' WHERE gr_id = %s", (changed,))
    world.citizen.execute("UPDATE public.profile_data SET jan_aadhaar = '123456789012' WHERE record_id = %s", (spoiled,))
    rows_read.clear()
    line = await jobs.run(backfill_of(GOLDEN_RECORDS))
    assert rows_read == [str(key) for key in [*people(world)[4:8], *people(world)[16:20]]]
    assert (line["rows_written"], line["rows_unchanged"]) == (2, 18)
    assert compare_rows("golden_records", world.warehouse, world.citizen).equal


async def test_what_is_too_much_in_the_target_makes_its_page_differ(jobs, world, backfill_of, rows_read):
    await jobs.run(backfill_of(GOLDEN_RECORDS))
    gone = people(world)[10]
    world.warehouse.execute("DELETE FROM public.golden_records WHERE gr_id = %s", (gone,))
    rows_read.clear()
    line = await jobs.run(backfill_of(GOLDEN_RECORDS))
    assert gone not in copied(world)
    assert (line["rows_written"], line["rows_unchanged"]) == (1, 19)


async def test_a_summary_that_is_wrong_is_found_although_all_members_are_as_they_should_be(jobs, world, backfill_of, rows_read):
    for flow in (GOLDEN_RECORDS, PROFILE_SUMMARY):
        await jobs.run(backfill_of(flow))
    world.citizen.execute("UPDATE public.profile_summary SET region = 'nowhere'")
    rows_read.clear()
    await jobs.run(backfill_of(PROFILE_SUMMARY))
    assert compare_rows("profile_summary", world.warehouse, world.citizen).equal


async def test_a_member_in_another_group_than_its_golden_record_makes_its_page_differ(jobs, world, backfill_of, rows_read):
    for flow in (GOLDEN_RECORDS, PROFILE_SUMMARY):
        await jobs.run(backfill_of(flow))
    world.citizen.execute("DELETE FROM sync.profile_moved")
    world.citizen.execute(
        "UPDATE sync.profile_member SET family_id = %s WHERE profile_id ="
        " (SELECT min(profile_id) FROM sync.profile_member WHERE family_id IS NOT NULL AND family_id <> %s)",
        (world.families[0], world.families[0]),
    )
    await jobs.run(backfill_of(PROFILE_SUMMARY))
    assert compare_rows("profile_summary", world.warehouse, world.citizen).equal


async def test_a_change_that_was_committed_late_with_an_old_time_is_found_by_its_hash(
    jobs, world, backfill_of, session_of_warehouse, rows_read
):
    late, person = session_of_warehouse(), people(world)[2]
    await jobs.run(backfill_of(GOLDEN_RECORDS))
    late.execute("BEGIN")
    late.execute("UPDATE public.golden_records SET city_village = 'late' WHERE gr_id = %s", (person,))
    blocked = await jobs.run(backfill_of(GOLDEN_RECORDS), fence_wait=0.2)
    late.execute("COMMIT")
    rows_read.clear()
    line = await jobs.run(backfill_of(GOLDEN_RECORDS))
    city = world.citizen.execute("SELECT city FROM public.profile_data WHERE record_id = %s", (person,)).fetchone()
    assert (blocked["state"], blocked["rows_read"]) == ("scheduled", 0)  # it waits for the transaction to end
    assert "has been open in the source" in blocked["reason"]
    assert (city, line["rows_written"], len(rows_read)) == (("late",), 1, PAGE)


async def test_documents_that_are_marked_as_deleted_stay_so_unless_the_source_has_them(jobs, world, backfill_of, rows_read):
    there, gone = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2))
    for key in (there, gone):
        world.citizen.execute("INSERT INTO public.citizens (id, verification_status) VALUES (%s, 'NEW')", (key,))
        world.citizen.execute(
            "INSERT INTO public.documents (id, citizen_id, document_type, file_name, file_path, uploaded_at)"
            " VALUES (%s, %s, 'PROOF', 'a.pdf', '/a', now())",
            (key, key),
        )
    await jobs.run(backfill_of(DOCUMENT_METADATA))
    world.citizen.execute("DELETE FROM public.documents WHERE id = %s", (gone,))
    first = await jobs.run(backfill_of(DOCUMENT_METADATA))
    world.warehouse.execute("UPDATE public.document_metadata SET deleted_at = now() WHERE document_id = %s", (there,))
    second = await jobs.run(backfill_of(DOCUMENT_METADATA))
    rows_read.clear()
    third = await jobs.run(backfill_of(DOCUMENT_METADATA))
    marked = "SELECT document_id::text FROM public.document_metadata WHERE deleted_at IS NOT NULL"
    assert [line["rows_written"] for line in (first, second, third)] == [1, 1, 0]
    assert (world.warehouse.execute(marked).fetchall(), rows_read) == ([(gone,)], [])
