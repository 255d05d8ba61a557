import json
import uuid

import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from flows.golden_records import GOLDEN_RECORDS
from schemas.debezium import Kind, decoder, row_decoder
from schemas.message_key import message_key, partition_of
from schemas.problems import BadRecord, Reason

FAMILY = "3f2b8c1e-0000-4000-8000-00000000abcd"
DECODE = decoder(FLOW)
KEY = message_key(FLOW, FAMILY)
MISSING = object()


def row(**changes):
    values = {
        "snapshot_id": 7,
        "family_id": FAMILY,
        "member_id": None,
        "scheme_code": "PENSION",
        "evaluation_status": "RULE_ELIGIBLE",
        "eligibility_score": "0.9876",
        "confidence_score": "0.5000",
        "explanation": "age",
        "evaluation_timestamp": "2026-01-02T03:04:05.678901Z",
        "updated_at": "2026-01-02T03:04:05Z",
    } | changes
    return {name: value for name, value in values.items() if value is not MISSING}


def event(op="c", before=None, after=MISSING, **changes):
    after = row(**changes) if after is MISSING else after
    source = {"lsn": 42, "ts_us": 1_700_000_000_000_000, "ts_ms": 1_700_000_000_000}
    return json.dumps({"op": op, "before": before, "after": after, "source": source}).encode()


def problem(value, key=KEY):
    with pytest.raises(BadRecord) as caught:
        DECODE(key, value)
    return caught.value


def test_an_insert_is_read_with_its_position_and_commit_time():
    change = DECODE(KEY, event())
    assert (change.kind, change.lsn, change.source_time) == (Kind.UPSERT, 42, 1_700_000_000_000_000)
    assert (change.after.scheme_code, str(change.after.eligibility_score)) == ("PENSION", "0.9876")


def test_a_snapshot_read_has_no_place_in_the_order_of_changes():
    assert DECODE(KEY, event(op="r")).lsn == 0


def test_a_delete_needs_only_what_identifies_the_row():
    before = {"snapshot_id": 7, "family_id": FAMILY, "eligibility_score": "rubbish"}
    change = DECODE(KEY, event(op="d", before=before, after=None))
    assert (change.kind, change.before.snapshot_id) == (Kind.DELETE, 7)


def test_a_null_value_is_a_tombstone():
    assert DECODE(KEY, None).kind is Kind.TOMBSTONE


def test_a_truncate_is_read_without_a_key():
    assert DECODE(None, event(op="t", after=None)).kind is Kind.TRUNCATE


@pytest.mark.parametrize("value", [b"", b"{", b"\xff\xfe", b'{"op":"c","after":{"explanation":"\\ud800"}}'])
def test_what_is_no_json_is_malformed(value):
    assert problem(value).reason in {Reason.MALFORMED_JSON, Reason.MISSING_FIELD}


def test_a_lone_surrogate_is_malformed():
    value = event().replace(b'"age"', b'"\\ud800"')
    assert problem(value).reason is Reason.MALFORMED_JSON


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"snapshot_id": "seven"}, Reason.WRONG_TYPE),
        ({"snapshot_id": True}, Reason.WRONG_TYPE),
        ({"snapshot_id": 2**63}, Reason.OUT_OF_RANGE),
        ({"scheme_code": 5}, Reason.WRONG_TYPE),
        ({"scheme_code": MISSING}, Reason.MISSING_FIELD),
        ({"scheme_code": None}, Reason.MISSING_FIELD),
        ({"scheme_code": "x" * 51}, Reason.OUT_OF_RANGE),
        ({"evaluation_status": None}, Reason.MISSING_FIELD),
        ({"eligibility_score": "NaN"}, Reason.OUT_OF_RANGE),
        ({"eligibility_score": "Infinity"}, Reason.OUT_OF_RANGE),
        ({"eligibility_score": "-0.0001"}, Reason.OUT_OF_RANGE),
        ({"eligibility_score": "1.0001"}, Reason.OUT_OF_RANGE),
        ({"eligibility_score": "high"}, Reason.WRONG_TYPE),
        ({"eligibility_score": "0.12345"}, Reason.OUT_OF_RANGE),
        ({"eligibility_score": 0.5}, Reason.WRONG_TYPE),
        ({"confidence_score": "1.5"}, Reason.OUT_OF_RANGE),
        ({"explanation": "a\u0000b"}, Reason.FORBIDDEN_CHARACTER),
        ({"evaluation_timestamp": "+292278994-08-17T07:12:55Z"}, Reason.OUT_OF_RANGE),
        ({"evaluation_timestamp": "yesterday"}, Reason.OUT_OF_RANGE),
        ({"evaluation_timestamp": None}, Reason.MISSING_FIELD),
    ],
)
def test_each_bad_value_has_its_reason(changes, reason):
    found = problem(event(**changes))
    assert found.reason is reason


def test_a_problem_names_the_column_and_never_the_value():
    found = problem(event(eligibility_score="7.4242"))
    assert "eligibility_score" in found.detail
    assert "7.4242" not in found.detail
    assert found.row_key == "7"


@pytest.mark.parametrize("spoiled", ["918273645546", "somebody@example.org", "", 12, None, ["a"]])
def test_what_stands_for_a_primary_key_and_is_none_is_not_taken_for_the_rows_key(spoiled):
    changes = {column.name: None for column in GOLDEN_RECORDS.source.columns} | {"gr_id": spoiled}
    with pytest.raises(BadRecord) as caught:
        decoder(GOLDEN_RECORDS)(b"{}", event(after=changes))
    assert caught.value.row_key is None
    assert problem(event(snapshot_id="918273645546")).row_key is None


def test_an_unknown_operation_is_a_problem():
    assert problem(event(op="x")).reason is Reason.UNKNOWN_OPERATION


def test_an_update_without_after_is_a_problem():
    assert problem(event(op="u", after=None)).reason is Reason.MISSING_FIELD


def test_a_record_without_key_is_a_problem():
    assert problem(event(), key=None).reason is Reason.MISSING_KEY


@pytest.mark.parametrize("key", [message_key(FLOW, str(uuid.UUID(int=1))), b"{", b"[]", b'{"other":1}', b"\xff"])
def test_a_key_of_another_family_is_a_problem(key):
    assert problem(event(), key=key).reason is Reason.KEY_MISMATCH


def test_a_key_may_be_spelled_otherwise():
    assert DECODE(json.dumps({"family_id": FAMILY.upper()}).encode(), event()).kind is Kind.UPSERT


@pytest.mark.parametrize("family", ["x", "", "0" * 31, "zz" * 16])
def test_a_family_that_is_no_uuid_is_a_wrong_type_and_not_a_crash(family):
    assert problem(event(family_id=family), key=message_key(FLOW, family)).reason is Reason.WRONG_TYPE


@pytest.mark.parametrize("family", ["x", "0" * 31])
def test_a_delete_of_a_family_that_is_no_uuid_is_a_wrong_type(family):
    before = {"snapshot_id": 7, "family_id": family}
    assert problem(event(op="d", before=before, after=None), key=message_key(FLOW, family)).reason is Reason.WRONG_TYPE


def test_rubbish_in_before_does_no_harm_to_an_update():
    before = row(eligibility_score="NaN", explanation=None)
    assert DECODE(KEY, event(op="u", before=before)).kind is Kind.UPSERT


def test_a_megabyte_of_explanation_is_read():
    assert len(DECODE(KEY, event(explanation="x" * 2**20)).after.explanation) == 2**20


def test_rows_read_from_the_database_pass_the_same_checks():
    decode = row_decoder(FLOW)
    assert decode(json.dumps(row()).encode()).snapshot_id == 7
    with pytest.raises(BadRecord, match="outside 0"):
        decode(json.dumps(row(eligibility_score="2")).encode())


def test_the_partition_is_the_one_that_the_java_client_computes():
    # Known answers of Kafka's own murmur2, as its test suite states them.
    from aiokafka.partitioner import murmur2

    assert murmur2(b"21") & 0xFFFFFFFF == -973932308 & 0xFFFFFFFF
    assert murmur2(b"foobar") & 0xFFFFFFFF == -790332482 & 0xFFFFFFFF
    assert 0 <= partition_of(KEY, 10) < 10
