"""The generated histories: what they have in common, and what is told apart in each."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from demo.citizen.applications import Application, filed
from demo.citizen.citizens import Citizen
from demo.citizen.documents import Document
from demo.history import HISTORIES, Past, Sizes, history_of
from demo.moments import HISTORY
from demo.people import people
from demo.population import Population
from demo.warehouse.decisions import Decision

NOW = datetime(2025, 1, 15, 6, 0, tzinfo=UTC)
SIZES = Sizes(evaluations=200, applications=600, documents=600, user_events=1200, feedback=200)
PAST = Past(Population(7, 250), SIZES, NOW)
# Tables whose key the database assigns.
NUMBERED = {"eligibility.eligibility_snapshots", "public.profile_360"}
EVERYWHERE = pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.table)


def rows(table):
    return list(history_of(table).rows(PAST))


@pytest.fixture(scope="module")
def citizens():
    return [Citizen(*row) for row in rows("public.citizens")]


@EVERYWHERE
def test_equal_seeds_give_equal_rows(history):
    found = list(history.rows(PAST))
    assert list(history.rows(Past(Population(7, 250), SIZES, NOW))) == found
    assert all(len(row) == len(history.columns) for row in found)


@pytest.mark.parametrize("table", [history.table for history in HISTORIES if history.table not in NUMBERED])
def test_keys_are_distinct(table):
    keys = [row[0] for row in rows(table)]
    assert len(set(keys)) == len(keys) > 0


@EVERYWHERE
def test_nothing_lies_in_the_future_and_nothing_before_the_history(history):
    longest = {"eligibility.scheme_master": timedelta(days=91), "public.schemes": timedelta(days=91)}
    oldest = NOW - longest.get(history.table, HISTORY + timedelta(days=1))
    moments = [value for row in history.rows(PAST) for value in row if isinstance(value, datetime)]
    assert all(oldest <= moment <= NOW for moment in moments)


@EVERYWHERE
def test_every_number_that_reads_like_a_persons_is_one_that_nobody_can_have(history):
    texts = [str(value) for row in history.rows(PAST) for value in row if isinstance(value, str)]
    for text in texts:
        if not re.search(r"[a-z]", text):
            assert re.fullmatch(r"[01]\d{11}|(\+91 )?[1-5]\d{9}", text) or not re.search(r"\d{10}", text), text


def test_many_citizens_are_known_to_the_warehouse_by_their_number_and_some_are_not(citizens):
    known = {row[2] for row in rows("public.golden_records")}
    matched = Counter(citizen.aadhaar_number in known if citizen.aadhaar_number else None for citizen in citizens)
    assert matched[True] > 300
    assert matched[False] > 30
    assert matched[None] > 3
    assert len({citizen.aadhaar_number for citizen in citizens if citizen.aadhaar_number}) == len(citizens) - matched[None]


def test_the_verified_are_spelled_in_many_ways_and_have_a_number(citizens):
    statuses = Counter(citizen.verification_status for citizen in citizens)
    assert statuses.keys() >= {"VERIFIED", "Verified", "verified", "PENDING", "UNVERIFIED", "REJECTED"}
    assert all(c.aadhaar_number for c in citizens if c.verification_status.upper() == "VERIFIED")


def test_what_a_citizen_says_is_newer_than_the_golden_record_or_older_and_often_other_or_missing(citizens):
    golden = {row[2]: row for row in rows("public.golden_records")}
    pairs = [(citizen, golden[citizen.aadhaar_number]) for citizen in citizens if citizen.aadhaar_number in golden]
    newer = sum(citizen.updated_at > record[11] for citizen, record in pairs)
    assert 0.3 < newer / len(pairs) < 0.7
    assert sum(citizen.email != record[7] for citizen, record in pairs) > 50
    assert sum(citizen.email is None for citizen, _ in pairs) > 50


def test_most_people_have_one_profile_some_two_and_some_none():
    counts = Counter(row[0] for row in rows("public.profile_360"))
    everybody = [person.gr_id for person in people(PAST.population)]
    assert counts.keys() <= set(everybody)
    assert {0, 1, 2} == {counts[gr_id] for gr_id in everybody}


def test_profiles_of_one_family_share_their_time_now_and_then():
    families = {person.gr_id: person.family_id for person in people(PAST.population)}
    times = Counter((families[row[0]], row[-1]) for row in rows("public.profile_360"))
    assert max(times.values()) > 1


def test_an_application_is_consistent_with_its_status():
    applications = [Application(*row) for row in rows("public.service_applications")]
    for application in applications:
        assert application.approved_at is None or application.status == "approved"
        assert application.submitted_at is None or application.submitted_at <= application.updated_at
    statuses = Counter(application.status for application in applications)
    assert statuses.keys() == {"submitted", "in_review", "documents_pending", "approved", "rejected", "withdrawn"}
    assert any(a.status == "approved" and a.approved_at is None for a in applications)


def test_applications_and_documents_refer_to_rows_that_are_there(citizens):
    users = {citizen.id for citizen in citizens}
    applications = {row[0]: Application(*row) for row in rows("public.service_applications")}
    schemes = {row[0] for row in rows("public.schemes")}
    assert {a.citizen_id for a in applications.values()} <= users
    assert {a.scheme_id for a in applications.values()} <= schemes
    documents = [Document(*row) for row in rows("public.documents")]
    assert {document.citizen_id for document in documents} <= users
    of_applications = [document for document in documents if document.application_id]
    assert 0.5 < len(of_applications) / len(documents) < 0.9
    assert all(applications[d.application_id].citizen_id == d.citizen_id for d in of_applications)


def test_a_decision_on_a_portal_application_is_about_the_family_behind_it():
    decisions = {row[0]: Decision(*row) for row in rows("decision.applications")}
    both = 0
    for position in range(SIZES.applications):
        application = filed(PAST.population, position, NOW)
        if decision := decisions.get(application.row.id):
            both += 1
            assert decision.family_id == application.family_id
            assert (decision.decision == "APPROVED") == (application.row.status == "approved")
    assert 0.4 * len(decisions) < both < len(decisions)


def test_documents_have_content_that_is_as_long_as_they_say_or_none():
    documents = [Document(*row) for row in rows("public.documents")]
    assert {len(document.content) - document.file_size for document in documents if document.content} == {0}
    assert any(document.content is None for document in documents)


def test_the_portals_schemes_are_those_of_the_catalogue_but_for_drafts():
    master = {row[0]: row for row in rows("eligibility.scheme_master")}
    portal = {row[0]: row for row in rows("public.schemes")}
    assert {master[key][-2] for key in master.keys() - portal.keys()} == {"DRAFT"}
    assert all(master[key][1] == row[1] for key, row in portal.items())


def test_events_come_in_visits_and_some_are_handed_in_late():
    events = rows("public.user_events")
    visits = Counter((row[1]) for row in events)
    assert all(count % 12 == 0 for count in visits.values())
    late = [row for row in events if row[-1] - row[3] > timedelta(hours=1)]
    assert 0 < len(late) < len(events) / 4
    assert {type(json.loads(row[5])) for row in events if row[5]} == {dict}
