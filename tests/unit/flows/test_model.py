from dataclasses import replace

import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from flows.registry import FLOWS, flow_named
from flows.tables import Column, Database, DefinitionError, SourceColumn, Table
from flows.types import SqlType


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_flow_can_be_found_by_its_name(flow):
    assert flow_named(flow.name) is flow


def test_an_unknown_flow_is_answered_with_the_names_that_exist():
    with pytest.raises(KeyError, match=r"there are: .*eligibility_hints"):
        flow_named("hints")


def test_a_column_that_the_source_does_not_have_is_named():
    target = replace(FLOW.target, columns=(*FLOW.target.columns, Column("colour", "text", "colour")))
    with pytest.raises(DefinitionError, match="source column 'colour' is used but not declared"):
        replace(FLOW, target=target)


def test_a_key_that_is_no_target_column_is_named():
    with pytest.raises(DefinitionError, match="key column 'house' is not a target column"):
        replace(FLOW, target=replace(FLOW.target, key=("house", "scheme_code")))


def test_a_group_spread_over_partitions_is_refused():
    with pytest.raises(DefinitionError, match="group must be the message key"):
        replace(FLOW, source=replace(FLOW.source, message_key="member_id"))


def test_a_filter_column_that_may_be_null_is_refused():
    columns = tuple(replace(c, required=False) if c.name == "evaluation_status" else c for c in FLOW.source.columns)
    with pytest.raises(DefinitionError, match="'evaluation_status' decides key, match or filter"):
        replace(FLOW, source=replace(FLOW.source, columns=columns))


def test_a_column_named_twice_is_refused():
    source = replace(FLOW.source, columns=(*FLOW.source.columns, SourceColumn("explanation", "text")))
    with pytest.raises(DefinitionError, match="'explanation' stands twice"):
        replace(FLOW, source=source)


def test_source_and_target_must_be_different_databases():
    target = replace(FLOW.target, table=Table(Database.WAREHOUSE, "public", "eligibility_hints"))
    with pytest.raises(DefinitionError, match="the same database"):
        replace(FLOW, target=target)


@pytest.mark.parametrize("name", ['x"; DROP TABLE y', "Upper", "", "a" * 64, "ä"])
def test_an_identifier_that_could_break_sql_is_refused(name):
    with pytest.raises(DefinitionError, match="plain lower-case identifier"):
        Table(Database.CITIZEN, "public", name)


@pytest.mark.parametrize("spelling", ["money", "numeric", "varchar", "text(3)", "numeric(5)", "bigint "])
def test_a_type_that_no_flow_may_use_is_refused(spelling):
    with pytest.raises(ValueError, match="unknown column type"):
        SqlType.parse(spelling)


@pytest.mark.parametrize(
    ("spelling", "catalog"),
    [
        ("varchar(50)", "character varying(50)"),
        ("timestamptz", "timestamp with time zone"),
        ("numeric(5,4)", "numeric(5,4)"),
    ],
)
def test_types_have_the_spelling_of_the_catalog(spelling, catalog):
    assert SqlType.parse(spelling).catalog_name == catalog
    assert str(SqlType.parse(spelling)) == spelling


def test_command_topic_and_source_topic_are_both_the_flows():
    assert FLOW.topics == ("warehouse.eligibility.eligibility_snapshots", "sync.eligibility_hints.commands")
