"""After the platform has deleted its rows, a purge leaves nothing of the person, and everything of everybody else."""

import pytest

from cli.erasure import Order, look
from flows.tables import Database
from sinks.erasure import search
from sinks.erasure.person import Person
from sinks.erasure.search import _ours as ours
from sinks.erasure.stores import Remedy
from tests.integration.erasure.conftest import ORDER
from tests.support.canaries import Canary
from tests.support.canary_places import search_tables
from tests.support.canary_search import Search


def places(databases, worker, household):
    """Where an id of the household is found, in whatever form."""
    ids = {*household.ids, *(each.replace("-", "") for each in household.ids)}
    seen = Search([Canary(f"id {number}", value) for number, value in enumerate(sorted(ids))])
    for database in Database:
        search_tables(seen, database, databases[database.value])
    for place, part in worker.candidates():
        seen.of(place).feed_all([part, part.hex().encode()])
    return {hit.place for hit in seen.hits}


OF_US = {"store", "changelog"}


@pytest.fixture
def everything(databases, worker, person):
    return places(databases, worker, person)


async def test_nothing_is_left_of_the_person_and_all_of_the_neighbour(
    databases, worker, person, neighbour, delete_at_the_platform, purge_person
):
    before = places(databases, worker, neighbour)
    await delete_at_the_platform()
    outcome = await purge_person()
    assert (outcome.problems, outcome.survey.left, outcome.erasure) == ([], 0, None)
    assert places(databases, worker, person) == set()
    assert places(databases, worker, neighbour) == before
    everything = contents(databases)
    assert (await purge_person()).problems == []
    assert contents(databases) == everything


async def test_while_the_platform_has_rows_nothing_is_erased_and_what_is_known_is_kept(
    databases, worker, person, everything, delete_at_the_platform, purge_person
):
    refused = await purge_person()
    assert "the platform still has rows" in refused.problems[0]
    assert {each.table for each in refused.survey.of(Remedy.SOURCE)} >= {"public.citizens", "public.golden_records"}
    assert places(databases, worker, person) == everything | {"table citizen.sync.erasure"}
    await delete_at_the_platform()
    # The profile's number led to a row of versions whose link has gone with the profile; the first call has kept it.
    known = databases["citizen"].execute("SELECT person->'rows' FROM sync.erasure").fetchone()[0]
    assert ["profile_summary", str(person.rows["public.profile_360"]["profile_id"])] in known
    assert (await purge_person()).problems == []
    assert places(databases, worker, person) == set()


class Killed(Exception):
    pass


def dying_after(count):
    """The places that are erased one after the other, until the process dies."""
    for number, place in enumerate(ours()):
        if number == count:
            raise Killed
        yield place


async def test_a_purge_that_is_killed_again_and_again_is_finished_by_the_next(
    databases, worker, person, delete_at_the_platform, purge_person, monkeypatch
):
    await delete_at_the_platform()
    for count in range(0, len(list(ours())), 4):
        monkeypatch.setattr(search, "_ours", lambda count=count: dying_after(count))
        with pytest.raises(Killed):
            await purge_person()
    assert "table citizen.sync.erasure" in places(databases, worker, person)
    monkeypatch.undo()
    assert (await purge_person()).problems == []
    assert places(databases, worker, person) == set()


def contents(databases):
    """All rows of both databases but those of the audit and the heart, which say that somebody was there."""
    tables = (
        "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname <> ALL(%s) ORDER BY 1"
    )
    found = {}
    for name, connection in databases.items():
        for (table,) in connection.execute(tables, (["pg_catalog", "information_schema"],)).fetchall():
            if table not in ("sync.audit", "sync.heartbeat", "sync.ledger"):
                found[name, table] = sorted(map(str, connection.execute(f"SELECT t::text FROM {table} AS t").fetchall()))
    return found


def test_a_look_counts_in_every_place_where_the_person_is_and_changes_nothing(databases, tools, known, everything):
    held = {
        *OF_US,
        *(f"table citizen.{name}" for name in ("public.benefit_forecasts", "public.ml_alerts", "public.notifications")),
        *(f"table citizen.public.{name}" for name in ("eligibility_hints", "profile_summary", "profile_data")),
        *(f"table citizen.sync.{name}" for name in ("row_version", "profile_member", "family", "job_run", "job_missed")),
        *(f"table warehouse.{name}" for name in ("decision.application_events", "public.document_metadata")),
        *(f"table warehouse.analytics.{name}" for name in ("feedback_analytics", "user_behavior")),
        *(f"table warehouse.sync.{name}" for name in ("row_version", "person_link", "unlinked", "unresolved", "review_queue")),
        *(
            f"table warehouse.sync.{name}"
            for name in ("golden_write", "parked", "reconciliation", "backfilled_fact", "maintenance")
        ),
    }
    assert held - everything == set()
    before = contents(databases)
    _, found = look(tools.sessions, known, tools.cipher)
    assert contents(databases) == before
    counted = {f"table {each.database}.{each.table}" for each in found.holdings if each.rows}
    assert {place for place in everything if place not in OF_US} - counted == set()


async def test_nothing_is_erased_while_the_flows_are_behind(databases, worker, person, delete_at_the_platform, purge_person):
    worker.deaf = True
    await delete_at_the_platform()
    before = contents(databases)
    outcome = await purge_person()
    assert "nothing is erased yet" in outcome.problems[0]
    after = contents(databases)
    assert {name for name in after if after[name] != before[name]} == {("citizen", "sync.erasure")}


async def test_a_purge_that_is_forced_leaves_what_stands_at_the_platform_and_says_so(databases, person, purge_person):
    a_reason = "INSERT INTO sync.audit (actor, action, subject, reason) VALUES ('x', 'pause', 'y', 'for ' || %s)"
    databases["citizen"].execute(a_reason, (person.citizen,))
    outcome = await purge_person(Order("tester", "request 17", force=True))
    assert any("only the database's administrator may change it" in problem for problem in outcome.problems)
    assert {each.table for each in outcome.survey.of(Remedy.DELETE, Remedy.REDACT, Remedy.EMPTY, Remedy.RELEASE)} == set()
    assert {each.table for each in outcome.survey.of(Remedy.FLOW)} >= {"public.profile_data", "sync.profile_member"}
    assert any("public.golden_records are left: the platform's own" in problem for problem in outcome.problems)
    standing = databases["citizen"].execute("SELECT count(*) FROM public.profile_data WHERE record_id = %s", (person.gr_id,))
    assert standing.fetchone() == (1,)


async def test_of_a_family_that_is_not_named_nothing_but_the_person_goes(databases, person, delete_at_the_platform, purge_person):
    await delete_at_the_platform()
    alone = Person.parsed({"ids": {"citizen": [person.citizen]}, "rows": []})
    assert (await purge_person(person=alone)).problems == []
    forecasts = databases["citizen"].execute(
        "SELECT count(*) FROM public.benefit_forecasts WHERE family_id = %s", (person.family,)
    )
    assert forecasts.fetchone() == (1,)
    assert (
        databases["warehouse"].execute("SELECT 1 FROM sync.person_link WHERE citizen_id = %s", (person.citizen,)).fetchall() == []
    )


async def test_the_ledger_adds_up_the_letter_is_an_empty_line_and_the_audit_names_nobody(
    databases, delete_at_the_platform, purge_person
):
    """The check constraints of the ledger hold at every statement; what was parked counts as superseded."""
    await delete_at_the_platform()
    statement = "SELECT sum(parked), sum(superseded) FROM sync.ledger WHERE flow = 'application_events'"
    parked, superseded = databases["warehouse"].execute(statement).fetchone()
    await purge_person()
    assert databases["warehouse"].execute(statement).fetchone() == (parked - 1, superseded + 1)
    letters = (
        databases["warehouse"].execute("SELECT status, close_reason, record_value FROM sync.dead_letter ORDER BY id").fetchall()
    )
    assert letters[0] == ("discarded", "erased", None)
    assert letters[1][0] == "open"
    lines = [
        each
        for name in ("citizen", "warehouse")
        for each in databases[name].execute("SELECT actor, action, subject, reason FROM sync.audit ORDER BY id").fetchall()
    ]
    done = ("tester", "purge subject", "erasure 1, done", ORDER.reason)
    assert lines == [("tester", "purge subject", "erasure 1, begun", ORDER.reason), done, done]
