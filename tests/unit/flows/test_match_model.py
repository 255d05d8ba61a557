from dataclasses import replace

import pytest

from flows.definition import PersonLink
from flows.document import flow_section
from flows.document_metadata import DOCUMENT_METADATA
from flows.profile_updates import PROFILE_UPDATES as FLOW
from flows.tables import Column, Database, DefinitionError, Filter, Table


def test_a_filter_may_leave_the_letter_case_open():
    either = Filter("status", ("VERIFIED",), any_case=True)
    assert all(either.admits(value) for value in ("VERIFIED", "Verified", "verified"))
    assert not any(either.admits(value) for value in ("VERIFIED ", "VER\N{LATIN SMALL LETTER DOTLESS I}FIED", ""))
    assert not Filter("status", ("VERIFIED",)).admits("verified")


def test_the_match_key_and_the_time_are_not_merged():
    assert "jan_aadhaar" not in FLOW.merged_columns
    assert "updated_at" not in FLOW.merged_columns
    assert "district_id" in FLOW.merged_columns


def test_a_lookup_in_another_database_is_refused():
    away = replace(FLOW.lookups[0], table=Table(Database.CITIZEN, "public", "district_master"))
    with pytest.raises(DefinitionError, match=r"public\.district_master must be in the target's database"):
        replace(FLOW, lookups=(away,))


def test_a_computed_column_may_not_be_mapped():
    target = replace(FLOW.target, columns=(*FLOW.target.columns, Column("district_id", "integer", "full_name")))
    with pytest.raises(DefinitionError, match="'district_id' is computed"):
        replace(FLOW, target=target)


def test_a_time_that_is_not_written_is_refused():
    with pytest.raises(DefinitionError, match="the time column 'seen_at' must be mapped"):
        replace(FLOW, time="seen_at")


def test_a_clear_value_needs_its_place_named():
    columns = tuple(replace(column, clear=False) for column in FLOW.target.columns)
    with pytest.raises(DefinitionError, match="'jan_aadhaar' would hold a private value"):
        replace(FLOW, target=replace(FLOW.target, columns=columns))


def test_a_link_needs_its_columns_and_a_place_of_its_own():
    with pytest.raises(DefinitionError, match="the link needs the target column 'person_id'"):
        replace(DOCUMENT_METADATA, link=PersonLink("gr_id", "person_id", "document_id"))
    with pytest.raises(DefinitionError, match="'file_name' is looked up and may not be mapped"):
        replace(DOCUMENT_METADATA, link=PersonLink("file_name", "citizen_id", "document_id"))


def test_the_page_says_how_records_are_matched_and_linked():
    section = flow_section(FLOW)
    assert "is `VERIFIED`, in capitals or not." in section
    assert "`district_name` is `district`; letter case and spaces do not count" in section
    assert "`gr_id` is the golden record of the citizen in `citizen_id`" in flow_section(DOCUMENT_METADATA)
