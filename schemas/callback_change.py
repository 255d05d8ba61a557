"""Records of a callback's topic: raw bytes in, a checked :class:`RowChange` or :class:`BadRecord` out.

The intake has checked what it wrote, by the rules of its release. They are checked again by those of this one: a record may be
older, younger, damaged, or somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import msgspec

from flows.callback_model import BodyField, Callback, CallbackFlow
from flows.moments import microseconds
from schemas.avro import codec
from schemas.avro_schema import schema_name
from schemas.body_types import python_type, rule
from schemas.debezium import Kind, RowChange
from schemas.headers import RECEIVED_HEADER, Headers, number_in
from schemas.message_key import key_maker
from schemas.problems import BadRecord, Reason

_TEXTS: Final = ("text", "varchar")


def callback_decoder(flow: CallbackFlow) -> Callable[[bytes | None, bytes | None, Headers], RowChange]:
    """A function of (key, value, headers) for records of the flow's topics; it raises :class:`BadRecord`.

    The place of a body in the order of changes (``lsn``) is its time, ``source_time`` when the intake received it; both in
    microseconds. Rows are as those of captured tables: numbers and ``jsonb`` as text.
    """
    callback = flow.source
    parse, check, check_key = codec(schema_name(callback)).decode, _row_check(callback), _key_check(flow)
    time_of = attrgetter(callback.time)

    def decode(key: bytes | None, value: bytes | None, headers: Headers) -> RowChange:
        if value is None:
            return RowChange(Kind.TOMBSTONE, 0, 0)
        try:
            row = check(parse(value))
            check_key(key, row)
        except BadRecord as problem:
            problem.row_key = problem.row_key or _key_value(callback, key)
            raise
        time = microseconds(time_of(row))
        return RowChange(Kind.UPSERT, time, number_in(headers, RECEIVED_HEADER, otherwise=time), after=row)

    return decode


def _key_check(flow: CallbackFlow) -> Callable[[bytes | None, Any], None]:
    identity, key_for = attrgetter(flow.source.key), key_maker(flow)

    def check(key: bytes | None, row: Any) -> None:
        row_key = str(identity(row))
        if key is None:
            raise BadRecord(Reason.MISSING_KEY, "the record has no key, so its partition means nothing", row_key)
        if key != key_for(row_key):
            raise BadRecord(Reason.KEY_MISMATCH, f"the key is not the body's {flow.source.key}", row_key)

    return check


def _row_check(callback: Callback) -> Callable[[dict[str, Any]], Any]:
    """A function of the decoded record: the row, its fields as attributes."""
    kinds = {field.name: _kind(field) for field in callback.fields}
    shape = msgspec.defstruct("Row", list(kinds.items()), gc=False)
    numbers = [column.name for column in callback.columns if column.sql_type.base == "numeric"]
    texts = [column.name for column in callback.columns if column.sql_type.base in _TEXTS]
    documents = [(field, msgspec.json.Decoder(python_type(field))) for field in callback.fields if _is_document(field)]

    def check(row: dict[str, Any]) -> Any:
        for name in numbers:
            row[name] = None if row[name] is None else format(row[name], "f")
        try:
            found = msgspec.convert(row, shape)
        except msgspec.ValidationError:
            raise _broken(callback, kinds, row) from None
        for field, decoder in documents:
            _check_document(field, decoder, row[field.name])
        for name in texts:
            if "\x00" in (row[name] or ""):
                raise BadRecord(Reason.FORBIDDEN_CHARACTER, f"U+0000 in `{name}`, which PostgreSQL cannot hold")
        return found

    return check


def _kind(field: BodyField) -> Any:
    """Documents are checked apart: they stay the text that they are."""
    if _is_document(field):
        return str if field.column.required else str | None
    return python_type(field)


def _is_document(field: BodyField) -> bool:
    return field.column.sql_type.base == "jsonb"


def _check_document(field: BodyField, decoder: msgspec.json.Decoder[Any], text: str | None) -> None:
    try:
        decoder.decode(b"null" if text is None else text)
    except (msgspec.DecodeError, RecursionError):
        raise BadRecord(Reason.OUT_OF_RANGE, f"`{field.name}` {rule(field)}") from None


def _broken(callback: Callback, kinds: dict[str, Any], row: dict[str, Any]) -> BadRecord:
    """The first field that breaks its rule; the library's own message may quote the value."""
    for field in callback.fields:
        try:
            msgspec.convert(row[field.name], kinds[field.name])
        except msgspec.ValidationError:
            reason = Reason.MISSING_FIELD if row[field.name] is None else Reason.OUT_OF_RANGE
            return BadRecord(reason, f"`{field.name}` {rule(field)}")
    return BadRecord(Reason.WRONG_TYPE, "the record does not have the fields of its schema")


def _key_value(callback: Callback, key: bytes | None) -> str | None:
    """The row's key, where the Kafka key tells it: with it a later good body closes the letter."""
    try:
        return str(UUID(msgspec.json.decode(key or b"")[callback.key]))
    except (msgspec.DecodeError, AttributeError, LookupError, TypeError, UnicodeDecodeError, ValueError):
        return None
