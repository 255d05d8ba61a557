"""Profile summaries rebuilt from the real source."""

import uuid

import psycopg

from flows.golden_records import GOLDEN_RECORDS
from flows.profile_summary import PROFILE_SUMMARY as FLOW
from tests.integration.streams.profiles.families import Log, profile, standing
from tests.integration.streams.rebuilding import rebuild_all
from tests.oracle.profiles import summaries

FAMILIES = [str(uuid.UUID(int=1000 + number)) for number in range(5)]
PEOPLE = [str(uuid.UUID(int=number)) for number in range(1, 21)]


async def rebuilt(worker):
    """All partitions, at the same time; returns their tokens."""
    return await rebuild_all(FLOW, worker.target, worker.upkeep.rebuild)


def store(warehouse, row):
    query = "INSERT INTO public.profile_360 SELECT * FROM json_populate_record(NULL::public.profile_360, %s::json)"
    warehouse.execute(query, (psycopg.types.json.Json(row),))


async def know(worker, golden):
    """Golden records as their flow writes them."""
    log = Log(GOLDEN_RECORDS)
    for place, (gr_id, family) in enumerate(golden.items()):
        row = dict.fromkeys(column.name for column in GOLDEN_RECORDS.source.columns) | {"gr_id": gr_id, "family_id": family}
        log.event("u", None, row, 10 + place)
    await worker.apply(log)


async def test_summaries_come_to_what_the_profiles_say_now(worker, target, warehouse):
    golden = {person: FAMILIES[place % 5] if place % 4 else None for place, person in enumerate(PEOPLE[:16])}
    profiles = {number: profile(number, PEOPLE[number % 20], number % 7) for number in range(1, 60)}
    await know(worker, golden)
    for row in profiles.values():
        store(warehouse, row)
    await rebuilt(worker)
    assert standing(target) == summaries(profiles, golden)
    before = target.execute("SELECT xmin::text, t::text FROM public.profile_summary AS t ORDER BY 2").fetchall()
    claims = await rebuilt(worker)
    assert target.execute("SELECT xmin::text, t::text FROM public.profile_summary AS t ORDER BY 2").fetchall() == before
    golden |= dict.fromkeys(PEOPLE[16:], FAMILIES[0])
    await know(worker, golden)
    await worker.upkeep.tick(claims[0])
    assert standing(target) == summaries(profiles, golden), "profiles of golden records that come later"


async def test_what_is_gone_from_the_source_is_gone_and_events_from_before_change_nothing(worker, target, warehouse):
    golden = dict.fromkeys(PEOPLE[:3], FAMILIES[0]) | {PEOPLE[3]: FAMILIES[1]}
    await know(worker, golden)
    log = Log()
    rows = [profile(number, PEOPLE[number], number) for number in range(4)]
    for place, row in enumerate(rows):
        log.event("c", None, row, 10 + place)
    await worker.apply(log)
    store(warehouse, rows[0])
    stranger = (FAMILIES[2], "CONFIDENTIAL")
    target.execute("INSERT INTO public.profile_summary (family_id, income_category) VALUES (%s, %s)", stranger)
    await rebuilt(worker)
    assert standing(target) == summaries({0: rows[0]}, golden)
    log.event("u", rows[2], rows[2], 20)
    await worker.apply(log, log.records[-1:])
    assert standing(target) == summaries({0: rows[0]}, golden)
