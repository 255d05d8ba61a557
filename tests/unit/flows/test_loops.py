"""No write of ours can come back to its own source: proven over the definitions, refused where it does not hold."""

import itertools
from dataclasses import replace

import pytest

from flows.application_events import APPLICATION_EVENTS
from flows.document import hops_section
from flows.golden_records import GOLDEN_RECORDS
from flows.loops import checked, hops
from flows.model import CapturedFlow
from flows.profile_updates import PROFILE_UPDATES
from flows.registry import FLOWS, SECOND_HOPS
from flows.row_model import MirrorFlow
from flows.scheme_map import SCHEME_MAP
from flows.tables import Column, Database, DefinitionError, Source, SourceColumn, Table, Target

CAPTURED = [flow for flow in FLOWS if isinstance(flow, CapturedFlow)]


def made_up(source, target, columns=("key", "said"), read=("key", "said")):
    """A flow from table to table, `database.name`, that brings columns over."""
    return MirrorFlow(
        name=f"{source}_to_{target}".replace(".", "_"),
        title="Made up",
        source=Source(table_of(source), tuple(SourceColumn(name, "uuid", required=True) for name in read), "key", "key"),
        target=Target(table_of(target), ("key",), tuple(Column(name, "uuid", name) for name in columns)),
        partitions=1,
        events_per_day=1,
        latency=GOLDEN_RECORDS.latency,
    )


def table_of(name):
    database, table = name.split(".")
    return Table(Database(database), "public", table)


def names(*flows):
    return [flow.name for flow in flows]


def test_the_only_write_that_another_flow_hears_is_that_of_the_golden_records_and_it_ends_there():
    heard = [hop.names for hop in hops(FLOWS) if not hop.looked_up]
    assert heard == [("profile_updates", "golden_records")]
    assert GOLDEN_RECORDS.target.table not in {flow.source.table for flow in CAPTURED}


def test_from_no_flow_do_hops_lead_back_to_a_table_that_it_reads():
    after = {flow.name: {hop.then.name for hop in hops(FLOWS) if hop.first == flow} for flow in FLOWS}
    sources = {flow.name: flow.source.table for flow in CAPTURED}
    for flow in CAPTURED:
        reached, ahead = set(), {flow.name}
        while ahead:
            ahead = set().union(*(after[name] for name in ahead)) - reached
            reached |= ahead
        assert flow.source.table not in {sources[name] for name in reached}, flow.name


def test_rows_that_are_looked_up_are_hops_too():
    looked_up = [hop.names for hop in hops(FLOWS) if hop.looked_up]
    assert looked_up == [("golden_records", "profile_summary"), (SCHEME_MAP.name, APPLICATION_EVENTS.name)]


def test_a_flow_that_brings_what_was_carried_back_is_refused_with_the_way_and_the_columns():
    there, back = made_up("warehouse.a", "citizen.b"), made_up("citizen.b", "warehouse.a")
    with pytest.raises(
        DefinitionError, match=r"could come back .*: citizen_b_to_warehouse_a → warehouse_a_to_citizen_b → citizen_b"
    ):
        checked([there, back], [tuple(names(there, back)), tuple(names(back, there))])
    with pytest.raises(
        DefinitionError, match=r"warehouse_a_to_citizen_b writes public\.b\.key, public\.b\.said, which flow citizen_b"
    ):
        checked([there, back], [])


def test_a_loop_through_many_flows_and_behind_others_is_refused():
    ways = ("warehouse.start", "citizen.b", "warehouse.c", "citizen.d", "warehouse.e"), ("warehouse.e", "citizen.b")
    flows = [made_up(*pair) for way in ways for pair in itertools.pairwise(way)]
    heard = [hop.names for hop in hops(flows)]
    with pytest.raises(
        DefinitionError, match=r"citizen_b_to_warehouse_c → warehouse_c_to_citizen_d → .* → citizen_b_to_warehouse_c;"
    ):
        checked(flows, heard)
    assert checked(flows[:-1], heard[: len(flows) - 2]) == tuple(flows[:-1])


def test_a_loop_through_rows_that_are_looked_up_is_refused():
    back = made_up(
        "warehouse.application_events", "citizen.schemes", columns=("key", "code"), read=("key", "code", "scheme_code")
    )
    events = replace(APPLICATION_EVENTS.target.table, schema="public")
    flows = [SCHEME_MAP, replace(APPLICATION_EVENTS, target=replace(APPLICATION_EVENTS.target, table=events)), back]
    with pytest.raises(
        DefinitionError, match="application_events → warehouse_application_events_to_citizen_schemes → scheme_map → app"
    ):
        checked(flows, [hop.names for hop in hops(flows) if not hop.looked_up])


def test_a_link_that_is_filled_in_somebody_elses_rows_is_a_write():
    reader = made_up("warehouse.document_metadata", "citizen.x", read=("key", "said", "gr_id"))
    assert ("profile_updates", reader.name) in [hop.names for hop in hops([*FLOWS, reader])]


def test_columns_that_nobody_reads_make_no_hop():
    first, then = (
        made_up("warehouse.a", "citizen.b"),
        made_up("citizen.b", "warehouse.c", read=("key", "other"), columns=("key", "other")),
    )
    assert [hop.cells for hop in hops([first, then])] == [{(table_of("citizen.b"), "key")}]


def test_a_second_hop_that_is_named_and_does_not_exist_is_refused():
    with pytest.raises(DefinitionError, match="profile_updates → golden_records is named, but profile_updates writes nothing"):
        checked([flow for flow in FLOWS if flow != GOLDEN_RECORDS], SECOND_HOPS)


def test_the_document_shows_every_hop():
    section = hops_section([PROFILE_UPDATES, GOLDEN_RECORDS])
    assert "| `profile_updates` | `golden_records` | as changes of its source | `public.golden_records.city_village`" in section
