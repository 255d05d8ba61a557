"""The codec against Avro's own definition, and every pair of released versions against each other."""

import itertools
import json
from contextlib import suppress
from decimal import Decimal
from io import BytesIO

import pytest
from avro.io import BinaryDecoder, BinaryEncoder, DatumReader, DatumWriter
from avro.schema import parse
from avro.schemanormalization import Fingerprint, ToParsingCanonicalForm
from fastavro.utils import generate_many
from hypothesis import given
from hypothesis import strategies as st

from flows.callback_registry import CALLBACKS
from schemas.avro import HEADER_BYTES, MARKER, SingleObjectCodec, codec, committed_versions, schema_fingerprint
from schemas.avro_schema import rendered, schema_name
from schemas.problems import BadRecord, Reason
from stack.folder import PROJECT_ROOT
from tests.support.callback_rows import rows

SCHEMAS = PROJECT_ROOT / "schemas"
NAMES = [schema_name(callback) for callback in CALLBACKS]
ANY_ROW = st.sampled_from(CALLBACKS).flatmap(lambda callback: st.tuples(st.just(schema_name(callback)), rows(callback)))
# What was released, for ever: a change of a committed file is a change of what lies in the topics.
RELEASED = {("benefit_forecast", 1): "0d7b372dc865869d", ("ml_alert", 1): "d5efbad4ff68faea"}

SHORT = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}


def longer(*more):
    return SHORT | {"fields": [*SHORT["fields"], *more]}


def refused(codec_, value):
    with pytest.raises(BadRecord) as caught:
        codec_.decode(value)
    return caught.value


# -- one schema -------------------------------------------------------------------------------------------------------


@given(ANY_ROW)
def test_rows_come_back_as_they_were(case):
    name, row = case
    assert codec(name).decode(codec(name).encode(row)) == row


def test_a_fingerprint_is_that_of_the_specification():
    # From the table of Avro's own tests; a single object holds it with the least byte first.
    assert schema_fingerprint("null") == 0x63DD24E7CC258F8A.to_bytes(8, "little")
    assert schema_fingerprint("int") == 0x7275D51A3F395C8F.to_bytes(8, "little")


@pytest.mark.parametrize("name", NAMES)
def test_another_implementation_finds_the_same_fingerprint(name):
    for schema in committed_versions(name):
        canonical = ToParsingCanonicalForm(parse(json.dumps(schema)))
        assert Fingerprint(canonical, "CRC-64-AVRO") == schema_fingerprint(schema)


@given(ANY_ROW)
def test_another_implementation_reads_what_we_write_and_writes_what_we_read(case):
    name, row = case
    schema, ours = parse(json.dumps(committed_versions(name)[-1])), codec(name).encode(row)
    stream = BytesIO(ours[HEADER_BYTES:])
    plain = DatumReader(schema).read(BinaryDecoder(stream))
    assert stream.read() == b""
    theirs = BytesIO()
    DatumWriter(schema).write(plain, BinaryEncoder(theirs))
    assert theirs.getvalue() == ours[HEADER_BYTES:]


@given(ANY_ROW, st.data())
def test_damaged_bytes_are_a_bad_record_or_another_row_and_nothing_else(case, data):
    name, row = case
    value = bytearray(codec(name).encode(row))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadRecord):
        assert codec(name).decode(bytes(value)).keys() == row.keys()


@given(ANY_ROW, st.data())
def test_a_value_that_ends_early_or_goes_on_is_malformed(case, data):
    name, row = case
    value = codec(name).encode(row)
    cut = data.draw(st.integers(0, len(value) - 1))
    assert refused(codec(name), value[:cut]).reason is Reason.MALFORMED_AVRO
    assert refused(codec(name), value + b"\x00").reason is Reason.MALFORMED_AVRO


def test_a_value_of_an_unknown_schema_or_of_none_is_told_apart():
    known, other = SingleObjectCodec([SHORT]), SingleObjectCodec([longer({"name": "b", "type": "int", "default": 0})])
    assert refused(known, other.encode({"a": 1, "b": 2})).reason is Reason.UNKNOWN_SCHEMA
    assert refused(known, b'{"a": 1}').reason is Reason.MALFORMED_AVRO
    assert refused(known, MARKER).reason is Reason.MALFORMED_AVRO


@pytest.mark.parametrize("row", [{"a": "text"}, {}, {"a": None}])
def test_a_row_that_does_not_fit_is_not_written(row):
    with pytest.raises((TypeError, ValueError)):
        SingleObjectCodec([SHORT]).encode(row)


def test_a_number_with_more_digits_than_the_column_is_not_written():
    row = {field.name: field.example for field in CALLBACKS[0].fields} | {"total_annual_value": Decimal("0.001")}
    with pytest.raises((TypeError, ValueError)):
        codec(NAMES[0]).encode(row)


# -- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("callback", CALLBACKS, ids=schema_name)
def test_the_schema_is_that_of_the_definition_and_is_released(callback):
    name = schema_name(callback)
    assert (SCHEMAS / f"{name}.avsc").read_text() == rendered(callback), "run `python -m schemas.avro_schema`"
    newest = max((SCHEMAS / "versions" / name).glob("*.avsc"), key=lambda file: int(file.stem))
    assert newest.read_text() == rendered(callback), "what is written must be a released version: add the next number"


def test_a_released_version_never_changes():
    found = {(name, number): schema for name in NAMES for number, schema in enumerate(committed_versions(name), 1)}
    assert {version: schema_fingerprint(schema).hex() for version, schema in found.items()} == RELEASED


@pytest.mark.parametrize("name", NAMES)
def test_versions_are_numbered_without_a_gap(name):
    numbers = sorted(int(file.stem) for file in (SCHEMAS / "versions" / name).iterdir())
    assert numbers == list(range(1, len(numbers) + 1))


PAIRS = [(name, pair) for name in NAMES for pair in itertools.permutations(committed_versions(name), 2)]


def incompatibility(writer, reader):
    """Why data of one schema cannot be read with another, or None: both implementations, over many values."""
    try:
        codec_ = SingleObjectCodec([writer, reader]) if writer != reader else SingleObjectCodec([writer])
        resolving = DatumReader(parse(json.dumps(writer)), parse(json.dumps(reader)))
        for value in generate_many(writer, 50):
            encoded = SingleObjectCodec([writer]).encode(value)
            codec_.decode(encoded)
            resolving.read(BinaryDecoder(BytesIO(encoded[HEADER_BYTES:])))
    except Exception as error:  # noqa: BLE001 each implementation has its own
        return f"{type(error).__name__}: {error}"
    return None


def test_every_two_released_versions_read_each_other():
    assert [(name, why) for name, pair in PAIRS if (why := incompatibility(*pair))] == []


@pytest.mark.parametrize(
    ("change", "forth", "back"),
    [
        (longer({"name": "b", "type": "int", "default": 0}), True, True),
        (longer({"name": "b", "type": ["null", "string"], "default": None}), True, True),
        (longer({"name": "b", "type": "int"}), False, True),
        (SHORT | {"fields": [{"name": "a", "type": "long"}]}, True, False),
        (SHORT | {"fields": [{"name": "a", "type": "string"}]}, False, False),
        (SHORT | {"fields": [{"name": "c", "type": "int"}]}, False, False),
    ],
    ids=["default", "optional", "no default", "wider", "other type", "renamed"],
)
def test_the_check_would_notice(change, forth, back):
    assert (incompatibility(SHORT, change) is None, incompatibility(change, SHORT) is None) == (forth, back)


def test_what_an_older_release_wrote_is_read_as_the_newest_version():
    newest = longer({"name": "b", "type": "string", "default": "new"})
    value = SingleObjectCodec([SHORT]).encode({"a": 7})
    assert SingleObjectCodec([SHORT, newest]).decode(value) == {"a": 7, "b": "new"}


def test_two_versions_that_cannot_be_told_apart_are_refused():
    with pytest.raises(ValueError, match="one fingerprint"):
        SingleObjectCodec([SHORT, SHORT | {"doc": "the same to a reader"}])


def test_a_schema_that_nobody_released_is_named():
    with pytest.raises(KeyError, match="nonsense"):
        committed_versions("nonsense")
