import json

import pytest

from flows.application_events import APPLICATION_EVENTS as FLOW
from schemas.connector import TOAST_PLACEHOLDER
from schemas.problems import Reason
from streams.append_decoding import AppendDecoder, News
from tests.support.applications import ApplicationLog

DECODER = AppendDecoder(FLOW, epoch=1)


@pytest.fixture
def log():
    return ApplicationLog()


@pytest.fixture
def row(log):
    return log.row(log.identifier())


def decoded(log):
    (chunk,) = DECODER.decode(log.records)
    return chunk


def contents(log):
    return [json.loads(b"{%b}" % fact.content) for fact in decoded(log).changes]


def test_inserts_changes_of_status_and_others_are_told_apart(log, row):
    row = log.insert(row)
    row = log.update(row, status="approved")
    row = log.update(row)
    log.delete(row)
    log.event("r", None, row, lsn=0)
    assert [fact.news for fact in decoded(log).changes] == [
        News.HAPPENED,
        News.HAPPENED,
        News.NOTHING,
        News.GONE,
        News.FOUND,
    ]


def test_all_originals_are_kept_because_any_record_may_have_to_wait(log, row):
    log.delete(log.update(log.insert(row)))
    assert decoded(log).complete


def test_a_fact_carries_its_reference_beside_its_content(log, row):
    log.insert(row)
    (fact,) = decoded(log).changes
    assert (fact.row_key, fact.state, fact.reference) == (str(row["id"]), "submitted", str(row["scheme_id"]))
    assert contents(log)[0].keys() == set(FLOW.target.column_names) - {"scheme_code"}


def test_a_changed_primary_key_makes_another_row(log, row):
    other = row | {"id": log.identifier()}
    log.event("u", row, other)
    assert [fact.news for fact in decoded(log).changes] == [News.HAPPENED]


@pytest.mark.parametrize(
    ("status", "kind", "time", "approved"),
    [
        ("submitted", "APPLICATION_SUBMITTED", "submitted_at", False),
        ("approved", "APPLICATION_APPROVED", "approved_at", True),
        ("rejected", "APPLICATION_REJECTED", "updated_at", False),
        ("withdrawn", "APPLICATION_WITHDRAWN", "updated_at", False),
        ("in_review", "APPLICATION_STATUS_CHANGED", "updated_at", False),
        ("Approved", "APPLICATION_STATUS_CHANGED", "updated_at", False),
    ],
)
def test_type_and_time_follow_the_status(log, row, status, kind, time, approved):
    row |= {"status": status, "submitted_at": log.now(), "approved_at": log.now(), "updated_at": log.now()}
    log.insert(row)
    (content,) = contents(log)
    spelled = {name: row[name].isoformat().replace("+00:00", "Z") for name in ("submitted_at", "approved_at", "updated_at")}
    assert (content["event_type"], content["status"]) == (kind, status)
    assert content["event_timestamp"] == spelled[time]
    assert content["approval_timestamp"] == (spelled["approved_at"] if approved else None)


def test_a_status_that_was_left_out_has_not_changed_and_tells_nothing(log, row):
    log.event("u", row, row | {"status": TOAST_PLACEHOLDER})
    (fact,) = decoded(log).changes
    assert (fact.news, fact.content) == (News.NOTHING, b"")


def test_a_row_that_breaks_a_rule_is_a_problem(log, row):
    log.event("c", None, row | {"citizen_id": "nobody"})
    log.event("c", None, row | {"status": None})
    assert [problem.reason for problem in decoded(log).problems.values()] == [Reason.WRONG_TYPE, Reason.MISSING_FIELD]
