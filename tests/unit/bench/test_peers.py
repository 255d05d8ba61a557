"""Peers carry the flow's columns, all of them, and fold and guard as they say."""

from types import SimpleNamespace

import orjson
import pytest

from bench.jdbc_sink import envelope_schema
from bench.peer_table import PeerTable
from bench.programs.plain_loop import column_names, newest_rows, upsert
from flows.registry import FLOWS


def record(lsn, **row):
    return SimpleNamespace(value=orjson.dumps({"after": row, "source": {"lsn": lsn}}))


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_peer_table_has_every_source_column_with_the_key_first(flow):
    columns = PeerTable(flow, "peer").columns
    assert set(columns) == {column.name for column in flow.source.columns}
    assert next(iter(columns)) == flow.source.primary_key
    assert columns[flow.source.message_key] == str(flow.source.column(flow.source.message_key).sql_type)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_table_of_texts_keeps_the_type_of_its_key(flow):
    columns = PeerTable(flow, "peer", texts=True).columns
    assert columns.pop(flow.source.primary_key) == str(flow.source.column(flow.source.primary_key).sql_type)
    assert set(columns.values()) == {"text"}


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_the_sink_is_told_the_schema_of_every_source_column(flow):
    schema = envelope_schema(flow)
    assert schema["name"].endswith(".Envelope"), "by this name the sink knows a change from a plain row"
    after = next(field for field in schema["fields"] if field["field"] == "after")
    assert {field["field"]: field["optional"] for field in after["fields"]} == {
        column.name: not column.required for column in flow.source.columns
    }


def test_the_loop_folds_a_fetch_to_the_last_state_of_each_row():
    rows = newest_rows([record(5, id=1, name="a"), record(6, id=2, name="b"), record(7, id=1, name="c")], "id")
    assert rows == [{"id": 1, "name": "c", "lsn": 7}, {"id": 2, "name": "b", "lsn": 6}]


def test_the_loop_keeps_newer_rows_that_stand_already():
    statement = upsert("bench.loop", "id bigint, score numeric(5,4), lsn bigint")
    assert statement.endswith(
        "ON CONFLICT (id) DO UPDATE SET score = excluded.score, lsn = excluded.lsn WHERE t.lsn <= excluded.lsn"
    )
    assert "AS x(id bigint, score numeric(5,4), lsn bigint)" in statement


def test_column_names_are_the_first_words():
    assert column_names("id bigint, score numeric(5,4)") == ["id", "score"]
