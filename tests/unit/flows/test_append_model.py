from dataclasses import replace

import pytest

from flows.application_events import APPLICATION_EVENTS as FLOW
from flows.document import flow_section
from flows.reference import Reference
from flows.scheme_map import SCHEME_MAP
from flows.tables import Database, DefinitionError, Table
from sinks.provision import Roles, grants, tables_needed


def target(**changes):
    return replace(FLOW.target, **changes)


def test_facts_of_a_row_stay_on_one_partition():
    with pytest.raises(DefinitionError, match="message key must be the primary key"):
        replace(FLOW, source=replace(FLOW.source, message_key="citizen_id"))


def test_old_values_are_compared_so_the_source_must_send_them():
    with pytest.raises(DefinitionError, match="replica identity full"):
        replace(FLOW, source=replace(FLOW.source, replica_identity_full=False))


def test_a_key_that_does_not_tell_facts_apart_is_refused():
    with pytest.raises(DefinitionError, match="the watched column as it is, and the time"):
        replace(FLOW, target=target(key=("application_id", "event_type", "event_timestamp")))


def test_a_column_that_is_looked_up_is_no_part_of_the_key():
    with pytest.raises(DefinitionError, match="'scheme_code' is looked up"):
        replace(FLOW, target=target(key=(*FLOW.target.key, "scheme_code")))


def test_a_watched_column_that_is_mapped_nowhere_as_it_is_is_refused():
    columns = tuple(column for column in FLOW.target.columns if column.name != "status")
    with pytest.raises(DefinitionError, match="'status' must be mapped as it is"):
        replace(FLOW, target=target(columns=columns, key=("application_id", "event_type", "event_timestamp")))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"own_times": (("paid", "paid_at"),)}, "'paid_at' is used but not declared"),
        ({"only": (("paid_on", "paid"),)}, "'paid_on' is not a target column"),
        ({"wakes": "x; DROP"}, "not a plain identifier"),
        ({"watched": "approved_at"}, "must be mapped|must be required"),
        (
            {"reference": Reference("scheme_code", Table(Database.CITIZEN, "public", "schemes"), "id", "code")},
            "target's database",
        ),
        ({"reference": replace(FLOW.reference, key="a b")}, "not a plain identifier"),
    ],
)
def test_each_contradiction_is_named(changes, problem):
    with pytest.raises(DefinitionError, match=problem):
        replace(FLOW, **changes)


def test_the_page_tells_when_a_row_is_added_its_time_and_what_it_waits_for():
    page = flow_section(FLOW)
    for line in (
        "A row is added for every insert into the source and for every change of `status`",
        "`event_timestamp` is `submitted_at` where `status` is `submitted`; `approved_at` where `status` is `approved`;",
        "`scheme_code` is `scheme_code` of the row of `sync.scheme_map` whose `scheme_id` is the source's `scheme_id`",
        "| `scheme_code` | varchar(50) | `scheme_id` | looked up in `sync.scheme_map` |",
        "notifies the channel `sync_application_events`",
        "approved → APPLICATION_APPROVED",
    ):
        assert line in page
    assert "version of a row" not in page


def test_the_page_of_facts_without_times_of_their_own_is_shorter():
    assert "- `event_timestamp` is `updated_at`." in flow_section(replace(FLOW, own_times=(), wakes=None))


def test_a_target_in_our_own_schema_is_granted_with_the_schema_and_looked_at_like_any_other():
    held = grants(Database.WAREHOUSE, [SCHEME_MAP], Roles("w", "c"))
    assert [grant.table for grant in held] == []
    assert tables_needed(Database.WAREHOUSE, [SCHEME_MAP]) == (SCHEME_MAP.target.table,)
