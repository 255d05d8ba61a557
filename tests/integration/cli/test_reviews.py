import uuid

import pytest

from cli.options import actor

INSERT = """
INSERT INTO sync.review_queue (flow, kind, citizen_id, gr_id, reason) VALUES ('profile_updates', %s, %s, %s, 'why') RETURNING id
"""


@pytest.fixture
def put(migrated):
    """Put something before a person, as the worker does; returns its number."""

    def add(kind="new_record", database="warehouse"):
        return migrated[database].execute(INSERT, (kind, uuid.uuid4(), uuid.uuid4())).fetchone()[0]

    return add


def listed(answer, *arguments):
    return [each["id"] for each in answer("review", "list", *arguments)]


def test_what_waits_for_a_person_is_listed_with_its_keys_and_its_reason(answer, put):
    number = put()
    (found,) = answer("review", "list")
    assert (found["id"], found["flow"], found["kind"], found["reason"]) == (number, "profile_updates", "new_record", "why")
    assert uuid.UUID(found["citizen_id"]) != uuid.UUID(found["gr_id"])
    assert found["resolved_at"] is None


def test_the_list_can_be_narrowed(answer, put):
    numbers = [put(), put("number_changed"), put()]
    assert listed(answer, "--kind", "number_changed") == [numbers[1]]
    assert listed(answer, "--limit", 2) == numbers[:2]
    assert listed(answer, "--flow", "profile_updates") == numbers
    assert listed(answer, "--flow", "document_metadata") == []


def test_what_is_closed_leaves_the_list_and_who_and_why_stand_in_the_audit(sync, answer, put, migrated):
    first, second = put(), put()
    assert answer("review", "close", first, "--reason", "the record is right") == {"closed": [first]}
    assert (listed(answer), listed(answer, "--status", "closed"), listed(answer, "--status", "all")) == (
        [second],
        [first],
        [first, second],
    )
    audit = migrated.warehouse.execute("SELECT actor, action, subject, reason FROM sync.audit").fetchall()
    assert audit == [(actor(), "close review", f"profile_updates {first}", "the record is right")]
    assert "UTC · " in sync("review", "list", "--status", "closed").stdout


def test_what_is_closed_already_or_unknown_is_refused_and_the_others_stay_open(sync, answer, put):
    number = put()
    assert sync("review", "close", number, number + 1, "--reason", "done").exit_code == 1
    assert listed(answer) == [number]
    answer("review", "close", number, "--reason", "done")
    again = sync("review", "close", number, "--reason", "done")
    assert (again.exit_code, "closed already" in again.stderr) == (1, True)


def test_a_reason_must_be_given(sync, answer, put):
    number = put()
    assert sync("review", "close", number, "--reason", " ").exit_code == 2
    assert sync("review", "close", number).exit_code == 2
    assert listed(answer) == [number]


def test_a_number_that_both_databases_have_needs_the_flow(sync, answer, put):
    number = put()
    assert put(database="citizen") == number
    refused = sync("review", "close", number, "--reason", "done")
    assert (refused.exit_code, f"both databases have a review {number}" in refused.stderr) == (1, True)
    answer("review", "close", number, "--flow", "profile_updates", "--reason", "done")


def test_with_nothing_to_review_the_list_says_so(sync, migrated):
    assert sync("review", "list").stdout.strip() == "Reviews: none"
