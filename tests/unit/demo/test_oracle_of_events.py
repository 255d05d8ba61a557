"""The oracles of application events and of decision notifications, on small histories."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.oracle.application_events import Event, application_events
from tests.oracle.changes import Change
from tests.oracle.decision_notifications import Notice, decision_notifications

APPLICATION, ANOTHER, CITIZEN, SCHEME, UNKNOWN = (UUID(int=number) for number in range(1, 6))
CODES = {SCHEME: "AGR-1"}
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def application(status="submitted", **values):
    row = {"id": APPLICATION, "citizen_id": CITIZEN, "scheme_id": SCHEME, "status": status}
    return row | {"submitted_at": at(0), "approved_at": None, "updated_at": at(0)} | values


def events(*rows):
    """The events of an application that was these rows one after the other; None: it was deleted."""
    pairs = zip((None, *rows), rows, strict=False)
    changes = [Change("public.service_applications", old, new) for old, new in pairs]
    return application_events(changes, CODES)


def kinds(found):
    return {(event.event_type, event.status, event.event_timestamp) for event in found}


def test_an_insert_is_an_event_at_the_time_of_its_type():
    assert events(application(submitted_at=at(3), updated_at=at(9))) == {
        Event(APPLICATION, "APPLICATION_SUBMITTED", "submitted", at(3), CITIZEN, "AGR-1", None)
    }


def test_an_approval_has_its_time_twice_and_without_one_the_time_of_the_update():
    (timed,) = events(application("approved", approved_at=at(4), updated_at=at(5)))
    assert (timed.event_type, timed.event_timestamp, timed.approval_timestamp) == ("APPLICATION_APPROVED", at(4), at(4))
    (untimed,) = events(application("approved", updated_at=at(5)))
    assert (untimed.event_timestamp, untimed.approval_timestamp) == (at(5), None)


def test_a_submission_without_time_has_the_time_of_the_update():
    assert kinds(events(application(submitted_at=None, updated_at=at(7)))) == {("APPLICATION_SUBMITTED", "submitted", at(7))}


def test_rejected_withdrawn_and_every_other_status_have_the_time_of_the_update():
    found = events(
        application("in_review", updated_at=at(1)),
        application("rejected", updated_at=at(2)),
        application("withdrawn", updated_at=at(3), approved_at=at(0)),
    )
    assert kinds(found) == {
        ("APPLICATION_STATUS_CHANGED", "in_review", at(1)),
        ("APPLICATION_REJECTED", "rejected", at(2)),
        ("APPLICATION_WITHDRAWN", "withdrawn", at(3)),
    }
    assert {event.approval_timestamp for event in found} == {None}


def test_a_change_that_leaves_the_status_is_no_event_and_neither_is_a_delete():
    assert len(events(application(), application(updated_at=at(5)), None)) == 1


def test_a_fact_that_comes_again_counts_once_and_as_it_was_first():
    approved = application("approved", approved_at=at(4), updated_at=at(4))
    found = events(approved, application("in_review", updated_at=at(5)), approved | {"citizen_id": ANOTHER, "updated_at": at(6)})
    assert kinds(found) == {
        ("APPLICATION_APPROVED", "approved", at(4)),
        ("APPLICATION_STATUS_CHANGED", "in_review", at(5)),
    }
    assert {event.citizen_id for event in found} == {CITIZEN}


def test_a_row_that_is_inserted_again_or_gets_another_key_is_an_event_anew():
    assert len(events(application(), None, application(submitted_at=at(8)))) == 2
    renamed = application(id=ANOTHER)
    assert {event.application_id for event in events(application(), renamed)} == {APPLICATION, ANOTHER}


def test_an_application_waits_for_its_scheme():
    assert events(application(scheme_id=UNKNOWN)) == set()


def test_rows_of_a_snapshot_have_the_event_of_their_status():
    rows = [application("withdrawn", updated_at=at(2)), application(id=ANOTHER)]
    changes = Change.of_snapshot("public.service_applications", rows)
    assert len(application_events(changes, CODES)) == 2


def decision(**values):
    row = {"application_id": APPLICATION, "decision": "PENDING", "status": "pending", "decision_timestamp": at(0)}
    return row | values


def notices(*rows):
    pairs = zip((None, *rows), rows, strict=False)
    return decision_notifications([Change("decision.applications", old, new) for old, new in pairs])


def test_a_create_and_every_change_of_decision_or_status_is_told_once():
    approved = decision(decision="APPROVED", decision_timestamp=at(1))
    assert notices(decision(), approved, approved | {"status": "decided"}) == {
        Notice(APPLICATION, "PENDING", "pending", at(0)),
        Notice(APPLICATION, "APPROVED", "pending", at(1)),
        Notice(APPLICATION, "APPROVED", "decided", at(1)),
    }


def test_nobody_is_told_of_a_new_score_or_of_a_delete():
    assert len(notices(decision(), decision(risk_score=1), decision(decision_timestamp=at(5)), None)) == 1


def test_back_and_forth_at_one_time_is_told_twice_and_not_three_times():
    closed = decision(status="closed")
    assert len(notices(decision(), closed, decision())) == 2


def test_a_decision_with_another_key_or_inserted_again_is_a_create():
    assert {notice.application_id for notice in notices(decision(), decision(application_id=ANOTHER))} == {APPLICATION, ANOTHER}
    assert notices(decision(), None, decision()) == {Notice(APPLICATION, "PENDING", "pending", at(0))}
