"""What is read of a callback's topic: good bodies as rows, everything else as a dead letter with its reason."""

import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flows.benefit_forecasts import BENEFIT_FORECASTS
from flows.ml_alerts import ML_ALERTS
from flows.moments import microseconds
from schemas.avro import MARKER, codec
from schemas.avro_schema import schema_name
from schemas.callback_body import BodyReader
from schemas.callback_change import callback_decoder
from schemas.callback_record import Delivery, record_maker
from schemas.debezium import Kind
from schemas.headers import RECEIVED_HEADER
from schemas.problems import BadRecord, Reason
from tests.support.callback_rows import rows
from tests.support.posted import PostedLog

FLOWS = [BENEFIT_FORECASTS, ML_ALERTS]
RECEIVED = datetime(2026, 11, 24, 8, 44, 27, 123456, tzinfo=UTC)
SECRET = "Canary4711"
every_flow = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)


def good(flow, **changes):
    """A row as the reader of bodies gives it, with changes that no reader would give."""
    return BodyReader(flow.source).read(json.dumps(PostedLog(flow).row()).encode()) | changes


def record(flow, **changes):
    return record_maker(flow.source)(Delivery("msg_1", "sender", RECEIVED, good(flow, **changes)))


def read(flow, made, **changes):
    parts = {"key": made.key, "value": made.value, "headers": made.headers} | changes
    return callback_decoder(flow)(**parts)


def refused(flow, made, **changes):
    with pytest.raises(BadRecord) as caught:
        read(flow, made, **changes)
    assert SECRET not in str(caught.value)
    return caught.value


@every_flow
@given(data=st.data())
def test_what_the_intake_accepts_is_read_as_it_was(flow, data):
    row = data.draw(rows(flow.source))
    assume(not any(isinstance(value, str) and "\0" in value for value in row.values()))  # the intake refuses it
    made = record_maker(flow.source)(Delivery("msg_1", "sender", RECEIVED, row))
    change = read(flow, made)
    found = {name: getattr(change.after, name) for name in row}
    expected = {name: format(value, "f") if isinstance(value, Decimal) else value for name, value in row.items()}
    assert found == expected
    assert (change.kind, change.lsn) == (Kind.UPSERT, microseconds(row[flow.source.time]))


@every_flow
def test_the_place_of_a_body_is_its_time_and_its_latency_begins_when_it_was_received(flow):
    time = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    change = read(flow, record(flow, **{flow.source.time: time}))
    assert (change.lsn, change.source_time) == (1_767_323_045_678_901, microseconds(RECEIVED))


@every_flow
@pytest.mark.parametrize("header", [b"", b"soon", b"-1", b"9" * 40])
def test_a_time_of_receipt_that_is_none_is_replaced_by_the_bodys(flow, header):
    change = read(flow, record(flow), headers=[(RECEIVED_HEADER, header)])
    assert change.source_time == change.lsn


@pytest.mark.parametrize(
    ("flow", "changes", "reason", "detail"),
    [
        (BENEFIT_FORECASTS, {"horizon_months": 0}, Reason.OUT_OF_RANGE, "`horizon_months` must be a whole number from 1 to 600"),
        (BENEFIT_FORECASTS, {"horizon_months": 601}, Reason.OUT_OF_RANGE, "`horizon_months`"),
        (BENEFIT_FORECASTS, {"scheme_count": -1}, Reason.OUT_OF_RANGE, "`scheme_count`"),
        (BENEFIT_FORECASTS, {"total_annual_value": Decimal("-0.01")}, Reason.OUT_OF_RANGE, "`total_annual_value`"),
        (BENEFIT_FORECASTS, {"projections": '"text"'}, Reason.OUT_OF_RANGE, "`projections` must be a JSON object or array"),
        (BENEFIT_FORECASTS, {"projections": f"[{SECRET}"}, Reason.OUT_OF_RANGE, "`projections`"),
        (BENEFIT_FORECASTS, {"projections": "[" * 100_000}, Reason.OUT_OF_RANGE, "`projections`"),
        (ML_ALERTS, {"severity": SECRET}, Reason.OUT_OF_RANGE, "`severity` must be one of LOW, MEDIUM, HIGH, CRITICAL"),
        (ML_ALERTS, {"source": SECRET}, Reason.OUT_OF_RANGE, "`source` must be one of AI-PLATFORM-07"),
        (ML_ALERTS, {"alert_type": SECRET * 6}, Reason.OUT_OF_RANGE, "`alert_type` must be text of at most 50 characters"),
        (ML_ALERTS, {"action_url": f"javascript:{SECRET}"}, Reason.OUT_OF_RANGE, "`action_url`"),
        (ML_ALERTS, {"message": f"{SECRET}\0"}, Reason.FORBIDDEN_CHARACTER, "U+0000 in `message`"),
        (ML_ALERTS, {"alert_type": "\0"}, Reason.FORBIDDEN_CHARACTER, "U+0000 in `alert_type`"),
    ],
)
def test_a_value_that_breaks_a_rule_is_named_by_its_field_and_never_quoted(flow, changes, reason, detail):
    made = record(flow, **changes)
    problem = refused(flow, made)
    assert (problem.reason, problem.row_key) == (reason, str(good(flow)[flow.source.key]))
    assert problem.detail.startswith(detail)


@every_flow
def test_what_is_no_avro_of_a_known_schema_is_told_apart_and_belongs_to_the_row_of_its_key(flow):
    made, row_key = record(flow), str(good(flow)[flow.source.key])
    cases = {
        b"": Reason.MALFORMED_AVRO,
        b'{"op": "c"}': Reason.MALFORMED_AVRO,
        made.value[:-1]: Reason.MALFORMED_AVRO,
        made.value + b"x": Reason.MALFORMED_AVRO,
        MARKER + bytes(8) + made.value[10:]: Reason.UNKNOWN_SCHEMA,
    }
    for value, reason in cases.items():
        problem = refused(flow, made, value=value)
        assert (problem.reason, problem.row_key) == (reason, row_key)


@every_flow
@pytest.mark.parametrize("key", [b"", b"{}", b"[]", b"null", b"\xff", b"{", b'{"alert_id": 1, "forecast_id": 1}'])
def test_a_key_that_tells_no_row_makes_a_letter_without_one(flow, key):
    assert refused(flow, record(flow), key=key, value=b"x").row_key is None


@every_flow
def test_a_record_under_another_rows_key_is_refused(flow):
    row_key = str(good(flow)[flow.source.key])
    other = json.dumps({flow.source.key: str(uuid.UUID(int=7))}, separators=(",", ":")).encode()
    mismatch, missing = refused(flow, record(flow), key=other), refused(flow, record(flow), key=None)
    assert (mismatch.reason, mismatch.row_key) == (Reason.KEY_MISMATCH, row_key)
    assert (missing.reason, missing.row_key) == (Reason.MISSING_KEY, row_key)


@every_flow
def test_a_record_without_a_value_is_a_tombstone(flow):
    assert read(flow, record(flow), value=None).kind is Kind.TOMBSTONE


@every_flow
@given(data=st.binary(max_size=200))
def test_any_bytes_behind_a_known_fingerprint_are_a_row_or_a_dead_letter(flow, data):
    prefix = codec(schema_name(flow.source)).encode(good(flow))[:10]
    with pytest.raises(BadRecord):
        read(flow, record(flow), value=prefix + data)
