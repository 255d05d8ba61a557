import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.benefit_forecasts import BENEFIT_FORECASTS
from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.ml_alerts import ML_ALERTS
from schemas.avro import MARKER, codec
from schemas.avro_schema import schema_name
from schemas.redaction import names_of, redact, redact_bytes, redact_headers, redact_message, redact_value
from tests.support.callback_rows import rows

NAMES = names_of(ELIGIBILITY_HINTS)
FLOWS = [BENEFIT_FORECASTS, ML_ALERTS]
KIND = re.compile(r"<(text, \d+ characters|number|UUID|datetime|Decimal)>")
SECRETS = st.text("ABCDEFGHJK", min_size=12, max_size=20)  # no such run of capitals is in our own words
NUMBERS = st.integers(100_000_000, 999_999_999_999).map(lambda number: number * 1000 + 7)
SCALARS = st.one_of(SECRETS, NUMBERS, st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(SECRETS | st.sampled_from(sorted(NAMES)), inner, max_size=5),
    max_leaves=25,
)


def texts_of(value):
    """Every text and number of a document, names included."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def shape_of(value):
    if isinstance(value, dict):
        return [shape_of(item) for item in value.values()]
    if isinstance(value, list):
        return [shape_of(item) for item in value]
    return None


@given(DOCUMENTS)
@example({"after": {"explanation": "ABCDEFGHJKAB", "ABCDEFGHJKAB": 1}})
def test_no_value_and_no_unknown_name_survives(document):
    shown = json.dumps(redact(document, NAMES))
    for text in texts_of(document):
        assert text in NAMES or len(text) < 6 or text not in shown


@given(DOCUMENTS)
def test_the_structure_survives(document):
    assert shape_of(redact(document, NAMES)) == shape_of(document)


@given(DOCUMENTS)
def test_names_that_are_known_survive(document):
    shown = redact({"after": document, "op": "c"}, NAMES)
    assert set(shown) == {"after", "op"}


@given(st.dictionaries(SECRETS, SCALARS, min_size=1, max_size=6))
def test_unknown_names_stay_apart(document):
    assert len(redact(document, NAMES)) == len(document)


@given(st.binary(max_size=60))
@example(b"\xff\xfe{")
@example(b'"\\ud800"')
@example(b"NaN")
@example(b"[" * 5000)
def test_any_bytes_can_be_shown(document):
    shown = redact_bytes(document, NAMES)
    assert shown is None or isinstance(shown, str | list | dict)


def test_an_absent_document_stays_absent():
    assert redact_bytes(None, NAMES) is None


def test_headers_lose_their_values_and_strangers_their_names():
    headers = [("__debezium.newkey", b"secret"), ("x-citizen-1234", b"")]
    assert redact_headers(headers, NAMES) == [("__debezium.newkey", "<6 bytes>"), ("<name 2>", "<0 bytes>")]


def test_the_kind_of_a_value_is_told():
    assert redact({"op": "c", "lsn": 1.5, "snapshot": True, "after": None}, NAMES) == {
        "op": "<text, 1 characters>",
        "lsn": "<number>",
        "snapshot": "<boolean>",
        "after": None,
    }


@given(st.sampled_from(FLOWS).flatmap(lambda flow: st.tuples(st.just(flow), rows(flow.source))))
def test_avro_of_a_callback_keeps_its_names_and_loses_its_values(case):
    flow, row = case
    document = codec(schema_name(flow.source)).encode(row)
    shown = redact_value(document, flow)
    assert shown.keys() == row.keys()
    assert all(value is None or KIND.fullmatch(value) for value in shown.values())
    assert {name for name, value in shown.items() if value is None} == {name for name, value in row.items() if value is None}


@given(st.sampled_from(FLOWS), st.binary(max_size=60))
def test_any_bytes_of_a_callback_can_be_shown(flow, rest):
    for document in (rest, MARKER + rest):
        assert isinstance(redact_value(document, flow), str | list | dict | None)
    assert redact_value(MARKER + bytes(8) + rest, flow).endswith("a schema that this release does not know>")


def test_json_of_other_flows_is_shown_as_before():
    assert redact_value(b'{"op": "c"}', ELIGIBILITY_HINTS) == {"op": "<text, 1 characters>"}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.",
            "org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.",
        ),
        (
            'org.postgresql.util.PSQLException: ERROR: invalid input "Asha "x" Rao"',
            "org.postgresql.util.PSQLException: ERROR: invalid input …",
        ),
        ("Couldn't obtain encoding for database 'O'Brien' now", "Couldn't obtain encoding for database … now"),
        ("Connection to 10.1.2.3:5432 refused", "Connection to … refused"),
        ("Key (mobile, email)=(98, a@b) is there", "Key … is there"),
        ('a message that was cut "in the middle', "a message that was cut …"),
        ("[null] Struct{name=Asha}", "… Struct…"),
    ],
)
def test_a_message_keeps_its_words_and_loses_what_may_be_a_value(message, shown):
    assert redact_message(message) == shown


@pytest.mark.parametrize("enclosed", ["'{}'", '"{}"', "`{}`", "({})", "[{}]", "{{{}}}"])
@given(secret=SECRETS, before=st.text("abc '", max_size=5))
def test_no_enclosed_text_stays_in_a_message(enclosed, secret, before):
    assert secret not in redact_message(f"it {before} {enclosed.format(secret)} failed")
