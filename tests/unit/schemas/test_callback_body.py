"""The reader of bodies, its JSON schema and the record: all three from one definition."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.benefit_forecasts import FORECAST_CALLBACK
from flows.callback_model import BodyField
from flows.callback_registry import CALLBACKS
from flows.ml_alerts import ALERT_CALLBACK
from flows.tables import SourceColumn
from schemas.avro import codec
from schemas.avro_schema import schema_name
from schemas.body_types import python_type
from schemas.callback_body import BodyReader, InvalidBody, MalformedBody, body_schema, example_body
from schemas.callback_record import Delivery, record_maker
from schemas.headers import RECEIVED_HEADER, SENDER_HEADER, WEBHOOK_ID_HEADER
from schemas.message_key import partition_of
from tests.support.callback_rows import rows

NOW = datetime(2026, 11, 24, 8, 44, 26, 123456, tzinfo=UTC)
ANY_ROW = st.sampled_from(CALLBACKS).flatmap(lambda callback: st.tuples(st.just(callback), rows(callback)))


def as_json(callback, row):
    """The row as a sender writes it."""
    spelt = {name: str(value) if isinstance(value, Decimal | UUID) else value for name, value in row.items()}
    spelt |= {name: value.isoformat() for name, value in row.items() if isinstance(value, datetime)}
    raw = [field.name for field in callback.fields if field.column.sql_type.base == "jsonb"]
    members = [f"{json.dumps(name)}: {value if name in raw else json.dumps(value)}" for name, value in spelt.items()]
    return ("{" + ", ".join(members) + "}").encode()


def read(callback, **changes):
    return BodyReader(callback).read(json.dumps(example_body(callback) | changes).encode())


def pointers(callback, **changes):
    with pytest.raises(InvalidBody) as caught:
        read(callback, **changes)
    return [violation.pointer for violation in caught.value.violations]


@given(ANY_ROW)
def test_every_row_can_be_written_as_a_body_and_is_read_back(case):
    callback, row = case
    assert BodyReader(callback).read(as_json(callback, row)) == row


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"horizon_months": 0}, "#/horizon_months"),
        ({"horizon_months": 601}, "#/horizon_months"),
        ({"horizon_months": "12"}, "#/horizon_months"),
        ({"horizon_months": 12.5}, "#/horizon_months"),
        ({"horizon_months": True}, "#/horizon_months"),
        ({"scheme_count": -1}, "#/scheme_count"),
        ({"scheme_count": 2**31}, "#/scheme_count"),
        ({"total_annual_value": 12}, "#/total_annual_value"),
        ({"total_annual_value": "-1"}, "#/total_annual_value"),
        ({"total_annual_value": "0.001"}, "#/total_annual_value"),
        ({"total_annual_value": "1" * 13}, "#/total_annual_value"),
        ({"total_annual_value": "1e3"}, "#/total_annual_value"),
        ({"total_annual_value": "NaN"}, "#/total_annual_value"),
        ({"total_annual_value": "\u0661"}, "#/total_annual_value"),
        ({"projections": "[]"}, "#/projections"),
        ({"projections": None}, "#/projections"),
        ({"generated_at": "2026-11-24"}, "#/generated_at"),
        ({"generated_at": "2026-11-24T08:44:26"}, "#/generated_at"),
        ({"generated_at": 1795509866}, "#/generated_at"),
        ({"generated_at": "0001-01-01T00:00:00+23:59"}, "#/generated_at"),
        ({"family_id": "not one"}, "#/family_id"),
    ],
)
def test_a_value_outside_the_definition_is_refused_at_its_place(changes, pointer):
    assert pointers(FORECAST_CALLBACK, **changes) == [pointer]


def test_values_at_the_bounds_are_taken():
    row = read(FORECAST_CALLBACK, horizon_months=600.0, scheme_count=0, total_annual_value="999999999999.99", projections={})
    assert (row["horizon_months"], type(row["horizon_months"])) == (600, int)
    assert (row["total_annual_value"], row["projections"]) == (Decimal("999999999999.99"), "{}")


def test_times_are_kept_to_the_microsecond_in_utc():
    row = read(FORECAST_CALLBACK, generated_at="2026-11-24T14:14:26.123456+05:30")
    assert row["generated_at"] == NOW
    assert row["generated_at"].tzinfo is UTC


def test_length_is_counted_in_code_points():
    assert read(ALERT_CALLBACK, alert_type="😀" * 50)["alert_type"] == "😀" * 50
    assert pointers(ALERT_CALLBACK, alert_type="😀" * 51) == ["#/alert_type"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": nan}', b"{} {}"])
def test_what_is_no_json_has_an_error_of_its_own(body):
    with pytest.raises(MalformedBody):
        BodyReader(ALERT_CALLBACK).read(body)


def test_no_value_and_no_foreign_name_is_part_of_the_error():
    with pytest.raises(InvalidBody) as caught:
        read(ALERT_CALLBACK, severity="hunter2", hunter2="hunter2", alert_id={"hunter2": 1})
    assert "hunter2" not in f"{caught.value} {caught.value.violations}"
    assert len(caught.value.violations) == 3


@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.route)
def test_the_json_schema_has_the_fields_of_the_definition_and_no_others(callback):
    schema = body_schema(callback)
    assert list(schema["properties"]) == [column.name for column in callback.columns]
    assert schema["required"] == [column.name for column in callback.columns if column.required]
    assert schema["additionalProperties"] is False
    assert all(field["description"] and field["examples"] for field in schema["properties"].values())


@pytest.mark.parametrize("bounds", [{"maximum": Decimal(9)}, {"minimum": Decimal(1)}])
def test_a_bound_that_the_type_cannot_say_is_refused(bounds):
    with pytest.raises(ValueError, match="'a'"):
        python_type(BodyField(SourceColumn("a", "numeric(5,2)", **bounds), "doc", "1"))


@given(ANY_ROW, st.uuids())
def test_a_record_has_the_key_of_its_row_and_is_the_same_for_a_repeated_message(case, message):
    callback, row = case
    make, delivery = record_maker(callback), Delivery(str(message), "sender", NOW, row)
    record = make(delivery)
    identity = str(row[callback.key])
    assert record == make(delivery)
    assert json.loads(record.key) == {callback.key: identity}
    assert (record.topic, record.partition) == (callback.topic, partition_of(record.key, callback.partitions))
    assert codec(schema_name(callback)).decode(record.value) == row
    assert record.headers == [
        (WEBHOOK_ID_HEADER, str(message).encode()),
        (SENDER_HEADER, b"sender"),
        (RECEIVED_HEADER, b"1795509866123456"),
    ]
