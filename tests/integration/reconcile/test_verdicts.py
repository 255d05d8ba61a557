"""What is called different, and what is listed instead; and where nothing can be said."""

import asyncio
from datetime import timedelta

import pytest

from flows.application_decisions import APPLICATION_DECISIONS as DECISIONS
from flows.application_events import APPLICATION_EVENTS
from flows.document_metadata import DOCUMENT_METADATA as DOCUMENTS
from flows.eligibility_hints import ELIGIBILITY_HINTS as HINTS
from flows.golden_records import GOLDEN_RECORDS
from flows.profile_summary import PROFILE_SUMMARY
from flows.profile_updates import PROFILE_UPDATES
from reconcile.canonical import agreed_hashing
from reconcile.history import State, find
from reconcile.level import Level, NotLevel
from reconcile.progress import Progress
from reconcile.ranges import Range
from reconcile.run import Reconciliation, Request
from reconcile.session import begin, carry_on, new_run
from reconcile.surroundings import Surroundings
from streams.patience import Patience

TOUCH = "UPDATE decision.applications SET risk_score = 0.1234 WHERE application_id = %s"


def some(connection, statement):
    return connection.execute(statement).fetchone()[0]


@pytest.fixture
def application(databases):
    return str(some(databases["warehouse"], "SELECT min(application_id::text) FROM decision.applications"))


async def test_rows_in_flight_are_waited_for_and_are_no_difference(worker, databases, application, reconcile):
    worker.deaf = True
    databases["warehouse"].execute(TOUCH, (application,))
    await worker.load(DECISIONS, "u")
    run = asyncio.create_task(reconcile(DECISIONS))
    await asyncio.sleep(0)
    worker.deaf = False
    await worker.catch_up(DECISIONS)
    assert (await run).rows == []


async def test_a_target_that_stays_behind_leaves_the_run_undecided_and_it_goes_on_later(worker, databases, application):
    source, target = worker.around(DECISIONS)
    around = Surroundings(source, target, worker, await agreed_hashing(source, target))
    request = Request(repairs=True, patience=0.2)
    worker.deaf = True
    databases["warehouse"].execute(TOUCH, (application,))
    await worker.load(DECISIONS, "u")
    record = await carry_on(await begin(new_run(), DECISIONS, target, request), DECISIONS, around, request)
    assert (record.state, record.problem) == (State.UNDECIDED, "the flow is behind its log, after 0 s")
    assert record.progress == Progress()
    worker.deaf = False
    await worker.catch_up(DECISIONS)
    async with target.session() as session:
        (kept,) = await find(session, record.run)
    record = await carry_on(kept, DECISIONS, around, request)
    assert (record.state, record.progress.differing) == (State.DONE, 0)
    assert worker.sent == []


async def test_a_paused_flow_is_named_at_once(worker, databases, application, reconcile):
    databases["citizen"].execute(
        "INSERT INTO sync.flow_state (flow, state, reason) VALUES (%s, 'paused', 'repair')", (DECISIONS.name,)
    )
    assert (await reconcile(DECISIONS)).good, "what is equal needs no waiting"
    databases["citizen"].execute("DELETE FROM application_decisions WHERE application_id = %s", (application,))
    with pytest.raises(NotLevel, match=r"application_decisions is paused \(repair\)"):
        await reconcile(DECISIONS)


async def test_a_row_that_changes_whenever_it_is_looked_at_is_listed(worker, databases, application, reconcile, monkeypatch):
    reach = Level.reach

    async def while_it_changes(level):
        await reach(level)
        databases["warehouse"].execute(
            "UPDATE decision.applications SET risk_score = (random())::numeric(5,4) WHERE application_id = %s", (application,)
        )

    monkeypatch.setattr(Level, "reach", while_it_changes)
    databases["citizen"].execute("UPDATE application_decisions SET status = 'x' WHERE application_id = %s", (application,))
    found = await reconcile(DECISIONS, repairs=True)
    assert [(row.key, row.what) for row in found.rows] == [(application, "moving")]
    assert (found.differing, worker.sent) == (0, [])


async def test_a_key_with_an_open_dead_letter_is_quarantined(worker, databases, application, reconcile):
    databases["citizen"].execute("UPDATE application_decisions SET status = 'old' WHERE application_id = %s", (application,))
    databases["citizen"].execute(
        'INSERT INTO sync.dead_letter (flow, topic, partition, "offset", reason, detail, row_key)'
        " VALUES (%s, 't', 0, 0, 'out_of_range', '', %s)",
        (DECISIONS.name, application),
    )
    found = await reconcile(DECISIONS, repairs=True)
    assert (found.quarantined, found.differing, worker.sent) == (1, 0, [])
    assert found.good
    databases["citizen"].execute("UPDATE sync.dead_letter SET status = 'discarded'")
    assert (await reconcile(DECISIONS, repairs=True)).repaired == 1


async def test_an_application_whose_scheme_is_not_there_waits_and_its_dead_letter_quarantines_it(
    worker, databases, reconcile, monkeypatch
):
    flow = APPLICATION_EVENTS
    databases["citizen"].execute(
        "INSERT INTO public.service_applications (id, citizen_id, scheme_id, status)"
        " SELECT gen_random_uuid(), min(id::text)::uuid, gen_random_uuid(), 'submitted' FROM public.citizens"
    )
    await worker.load(flow)
    found = await reconcile(flow, repairs=True)
    assert (found.waiting, found.quarantined, found.differing, worker.sent) == (1, 0, 0, [])
    databases["warehouse"].execute("UPDATE sync.parked SET deadline = now() - interval '1 second'")
    monkeypatch.setattr(Patience, "ends", lambda *_: True)
    await worker.tick()
    found = await reconcile(flow, repairs=True)
    assert (found.waiting, found.quarantined, found.differing, worker.sent) == (0, 1, 0, [])


async def test_a_family_with_a_candidate_about_to_expire_is_listed(worker, databases, reconcile):
    family = some(databases["citizen"], "SELECT min(family_id::text) FROM eligibility_hints")
    databases["warehouse"].execute(
        "UPDATE eligibility.eligibility_snapshots SET evaluation_timestamp = now() - %s WHERE family_id = %s",
        (HINTS.ranking.horizon + timedelta(seconds=5), family),
    )
    found = await reconcile(HINTS, repairs=True)
    assert ([(row.key, row.what) for row in found.rows], found.edge, worker.sent) == ([(family, "edge")], 1, [])


async def test_a_record_that_somebody_else_has_written_since_is_theirs(worker, databases, reconcile):
    warehouse = databases["warehouse"]
    changed = warehouse.execute(
        "UPDATE public.golden_records SET full_name = 'theirs', updated_by = 'clerk', updated_at = now() + interval '1 hour'"
        " WHERE updated_by = 'citizen_portal'"
    ).rowcount
    assert changed
    assert (await reconcile(PROFILE_UPDATES, repairs=True)).differing == 0
    warehouse.execute("UPDATE public.golden_records SET updated_at = '2001-01-01' WHERE updated_by = 'clerk'")
    found = await reconcile(PROFILE_UPDATES, repairs=True)
    assert (found.different, found.repaired) == (changed, changed)
    assert some(warehouse, "SELECT count(*) FROM public.golden_records WHERE full_name = 'theirs'") == 0


async def test_a_bad_row_of_the_source_without_a_letter_is_left_with_the_reason(worker, databases, reconcile):
    key = some(databases["warehouse"], "SELECT min(snapshot_id) FROM eligibility.eligibility_snapshots"
               " WHERE evaluation_status = 'RULE_ELIGIBLE' AND evaluation_timestamp > now() - interval '20 days'")  # fmt: skip
    databases["warehouse"].execute(
        "UPDATE eligibility.eligibility_snapshots SET eligibility_score = 5.5 WHERE snapshot_id = %s", (key,)
    )
    rebuild = asyncio.create_task(worker.rebuild_when_asked(HINTS))
    found = await reconcile(HINTS, repairs=True)
    rebuild.cancel()
    assert found.left == found.differing > 0
    assert {row.reason for row in found.rows} == {
        "the row in the source is bad: out_of_range, `eligibility_score` is outside 0 .. 1"
    }


async def test_a_number_in_clear_is_found_as_a_difference_and_as_a_broken_rule(worker, databases, reconcile):
    databases["citizen"].execute(
        "UPDATE profile_data SET jan_aadhaar = '123456789012'"
        " WHERE record_id = (SELECT min(record_id::text)::uuid FROM profile_data)"
    )
    found = await reconcile(GOLDEN_RECORDS)
    assert (found.columns, [(each.rule, each.rows) for each in found.violations]) == (
        {"jan_aadhaar": 1}, [("jan_aadhaar is masked", 1)]
    )  # fmt: skip
    found = await reconcile(GOLDEN_RECORDS, repairs=True)
    assert (found.repaired, found.violations) == (1, [])


async def test_a_link_that_is_lost_is_found_and_filled_again(worker, databases, reconcile):
    lost = databases["warehouse"].execute("UPDATE document_metadata SET gr_id = NULL WHERE gr_id IS NOT NULL").rowcount
    assert [(each.rule, each.rows) for each in (await reconcile(DOCUMENTS)).violations] == [("link", lost)]
    assert (await reconcile(DOCUMENTS, repairs=True)).violations == []


async def test_a_wrong_rank_and_a_sixth_hint_are_found_and_repaired(worker, databases, reconcile):
    citizen = databases["citizen"]
    family = some(citizen, "SELECT family_id FROM eligibility_hints GROUP BY 1 HAVING count(*) = 5 ORDER BY 1 LIMIT 1")
    citizen.execute("UPDATE eligibility_hints SET rank = 6 - rank WHERE family_id = %s AND rank IN (1, 5)", (family,))
    citizen.execute(
        "INSERT INTO eligibility_hints SELECT family_id, 'SIXTH', eligibility_status, 0, 0, '', 5, updated_at"
        " FROM eligibility_hints WHERE family_id = %s AND rank = 1", (family,),
    )  # fmt: skip
    found = await reconcile(HINTS)
    assert (found.different, found.extra, found.columns) == (2, 1, {"rank": 2})
    assert [each.rule for each in found.violations] == ["rank counts from 1 to 5 without a gap"]
    found = await reconcile(HINTS, repairs=True)
    assert (found.repaired, found.violations) == (3, [])


async def test_people_are_told_of_a_decision_that_was_lost_and_not_of_a_figure_that_was_wrong(worker, databases, reconcile):
    citizen = databases["citizen"]
    one, other = [key for (key,) in citizen.execute("SELECT application_id FROM application_decisions ORDER BY 1 LIMIT 2")]
    citizen.execute("DELETE FROM notifications")
    citizen.execute("DELETE FROM application_decisions WHERE application_id = %s", (one,))
    citizen.execute("UPDATE application_decisions SET risk_score = 0.4321 WHERE application_id = %s", (other,))
    assert (await reconcile(DECISIONS, repairs=True)).repaired == 2
    assert citizen.execute("SELECT application_id FROM notifications").fetchall() == [(one,)]


async def test_a_run_in_small_steps_that_changes_hands_finds_what_one_step_finds(worker, databases, reconcile):
    databases["citizen"].execute("UPDATE application_decisions SET status = 'x' WHERE left(application_id::text, 1) < '3'")
    at_once = await reconcile(DECISIONS)
    source, target = worker.around(DECISIONS)
    around = Surroundings(source, target, worker, await agreed_hashing(source, target))
    progress, steps = Progress(), 0
    while not progress.finished:
        progress = await Reconciliation(DECISIONS, around, Request(repairs=False, rows_at_a_time=20)).step(progress)
        steps += 1
    assert steps > 5
    assert (progress.expected, progress.standing, progress.different) == (at_once.expected, at_once.standing, at_once.different)
    assert {row.key for row in progress.rows} == {row.key for row in at_once.rows}


async def test_only_the_keys_of_the_range_are_compared(worker, databases, reconcile):
    databases["citizen"].execute("UPDATE application_decisions SET status = 'x'")
    bounds = Range("40000000-0000-0000-0000-000000000000", "80000000-0000-0000-0000-000000000000")
    found = await reconcile(DECISIONS, bounds=bounds)
    inside = databases["warehouse"].execute(
        "SELECT count(*) FROM decision.applications WHERE application_id >= %s AND application_id < %s", bounds
    ).fetchone()  # fmt: skip
    assert (found.different, found.expected) == (inside[0], inside[0])
    assert found.different > 0


async def test_a_row_that_breaks_a_rule_only_until_a_change_has_landed_breaks_none(worker, databases, reconcile, monkeypatch):
    reach = Level.reach
    family = "(SELECT min(family_id::text)::uuid FROM profile_summary)"
    statement = f"UPDATE profile_summary SET income_category = %s WHERE family_id = {family}"
    databases["citizen"].execute(statement, ("12 LPA",))

    async def until_it_lands(level):
        databases["citizen"].execute(statement, ("CONFIDENTIAL",))
        await reach(level)

    monkeypatch.setattr(Level, "reach", until_it_lands)
    found = await reconcile(PROFILE_SUMMARY)
    assert (found.violations, found.differing) == ([], 0)
