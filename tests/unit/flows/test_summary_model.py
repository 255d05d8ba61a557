from dataclasses import replace

import pytest

from flows.document import flow_section
from flows.golden_records import GOLDEN_RECORDS
from flows.profile_summary import PROFILE_SUMMARY as FLOW
from flows.tables import Column, Database, DefinitionError, Table


def test_what_is_shown_of_a_profile_is_all_but_the_family():
    assert FLOW.content_columns == ("vulnerability", "under_coverage", "income_category", "region", "updated_at")


def test_neither_income_nor_features_leave_the_warehouse():
    carried = {column.name for column in FLOW.source.columns}
    assert not carried & {"inferred_income_band", "profile_data"}
    assert FLOW.target.column("income_category").value("any value") == "CONFIDENTIAL"


def test_message_key_and_partitions_are_those_of_golden_records():
    assert (FLOW.source.message_key, FLOW.partitions) == (GOLDEN_RECORDS.source.message_key, GOLDEN_RECORDS.partitions)


def test_a_group_that_is_not_the_targets_key_is_refused():
    columns = (Column("group_id", "uuid", "gr_id"), *FLOW.target.columns)
    with pytest.raises(DefinitionError, match="the target's key must be the group, 'family_id'"):
        replace(FLOW, target=replace(FLOW.target, columns=columns, key=("group_id",)))


def test_a_reference_to_another_table_than_the_one_that_is_followed_is_refused():
    away = replace(FLOW.reference, table=Table(Database.CITIZEN, "public", "households"))
    with pytest.raises(DefinitionError, match="the reference must be to the target of golden_records"):
        replace(FLOW, reference=away)


def test_a_group_that_nobody_writes_is_refused():
    with pytest.raises(DefinitionError, match="golden_records does not write 'household_id'"):
        replace(FLOW, reference=replace(FLOW.reference, value="household_id"))


def test_a_time_that_may_be_null_is_refused():
    columns = tuple(replace(column, required=False) for column in FLOW.source.columns if column.name == "updated_at")
    others = tuple(column for column in FLOW.source.columns if column.name != "updated_at")
    with pytest.raises(DefinitionError, match="'updated_at' decides key, match or filter and must be required"):
        replace(FLOW, source=replace(FLOW.source, columns=(*others, *columns)))


def test_the_page_says_who_stands_for_a_family_and_what_waits():
    section = flow_section(FLOW)
    assert "| `family_id` | uuid | `gr_id` | looked up in `public.profile_data` |" in section
    assert "the greatest `updated_at`, then the greatest `profile_id`" in section
    assert "A source row whose `gr_id` names a row that is not there waits for it." in section
