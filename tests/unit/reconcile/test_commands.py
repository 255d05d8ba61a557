"""Repairs are records that the flow's own decoder takes for what happened."""

import json

import pytest

from flows.application_decisions import APPLICATION_DECISIONS
from flows.application_events import APPLICATION_EVENTS
from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.model import CapturedFlow
from reconcile.commands import Teller
from reconcile.judging import Difference, What
from schemas.debezium import Kind, decoder
from schemas.message_key import message_key, partition_of
from sinks.source_rows import SourceRow

KEY = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
DECISION = {
    "application_id": KEY, "family_id": None, "decision": "APPROVE", "status": "final", "risk_score": "0.1000",
    "confidence": None, "reasons": '{"a": 1.0}', "decision_timestamp": "2026-01-01T00:00:00+00:00",
}  # fmt: skip


def told(flow: CapturedFlow, row, *, late=False, gone=None, differences=None, key=KEY):
    rows = {} if row is None else {key: SourceRow(json.dumps(row).encode(), late)}
    return Teller(flow).tell(77, rows, gone or {}, {key: differences or []})


def only(found, flow):
    (command,) = found.commands
    return decoder(flow)(command.key, command.value)


def test_a_row_is_told_as_a_change_at_the_fence_on_its_own_partition():
    found = told(APPLICATION_DECISIONS, DECISION)
    change = only(found, APPLICATION_DECISIONS)
    assert (change.kind, change.lsn, change.after.risk_score) == (Kind.UPSERT, 77, "0.1000")
    (command,) = found.commands
    assert command.topic == "sync.application_decisions.commands"
    assert command.partition == partition_of(message_key(APPLICATION_DECISIONS, KEY), APPLICATION_DECISIONS.partitions)


@pytest.mark.parametrize(
    ("difference", "known"),
    [
        (Difference(KEY, "", What.DIFFERENT, ("risk_score",)), True),
        (Difference(KEY, "", What.DIFFERENT, ("risk_score", "decision_status")), False),
        (Difference(KEY, "", What.MISSING), False),
    ],
)
def test_people_are_told_where_what_a_notice_watches_was_not_there(difference, known):
    change = only(told(APPLICATION_DECISIONS, DECISION, differences=[difference]), APPLICATION_DECISIONS)
    before = None if change.before is None else (change.before.decision, change.before.status)
    assert before == (("APPROVE", "final") if known else None)


def test_a_row_that_the_source_does_not_have_is_told_as_gone():
    change = only(told(APPLICATION_DECISIONS, None, gone={KEY: KEY}), APPLICATION_DECISIONS)
    assert (change.kind, change.lsn, change.before.application_id) == (Kind.DELETE, 77, KEY)


def test_a_row_that_changed_after_the_fence_is_left_to_its_event():
    assert told(APPLICATION_DECISIONS, DECISION, late=True).commands == []


def test_a_bad_row_is_not_sent_and_the_reason_holds_no_value():
    found = told(APPLICATION_DECISIONS, DECISION | {"risk_score": "secret"})
    assert found.commands == []
    assert found.bad == {KEY: "the row in the source is bad: wrong_type, `risk_score` is not a number"}


def test_the_state_of_an_application_is_told_as_found_and_not_as_news():
    row = {
        "id": KEY, "citizen_id": KEY, "scheme_id": KEY, "status": "submitted", "submitted_at": None, "approved_at": None,
        "updated_at": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    assert only(told(APPLICATION_EVENTS, row), APPLICATION_EVENTS).lsn == 0


def test_keys_of_numbers_are_numbers():
    (command,) = told(ELIGIBILITY_HINTS, None, gone={"12": KEY}, key="12").commands
    assert json.loads(command.value)["before"] == {"snapshot_id": 12, "family_id": KEY}
