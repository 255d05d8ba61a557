"""Debezium change events of one flow: raw bytes in, a checked :class:`RowChange` or :class:`BadRecord` out.

The decoder is built from the flow's source columns, so that types, lengths and required columns are checked by the
compiled library in the same pass that parses the JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import Enum, auto
from functools import partial
from operator import attrgetter
from typing import Annotated, Any, Final

import msgspec

from flows.model import CapturedFlow
from flows.numbers import NumberCache
from flows.tables import SourceColumn
from schemas.message_key import key_maker
from schemas.problems import BadRecord, Reason

#: A readable row key; more would be somebody's text.
_SHOWN_KEY: Final = 64
_UUID_BYTES: Final = 16
_OPERATIONS: Final = frozenset("curd")
_INTEGERS: Final = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_PYTHON_TYPES: Final[dict[str, Any]] = {
    "boolean": bool,
    # As the connector and the database spell it; the years that PostgreSQL has and Python lacks are not four digits.
    "date": Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}Z?$")],
    "jsonb": str,
    "numeric": str,
    "text": str,
    "timestamptz": Annotated[datetime, msgspec.Meta(tz=True)],
    "uuid": str,
}


class Kind(Enum):
    """What a record asks for."""

    UPSERT = auto()
    DELETE = auto()
    TOMBSTONE = auto()
    TRUNCATE = auto()


class RowChange(msgspec.Struct, frozen=True, gc=False):
    """A checked change. ``before`` and ``after`` are rows with the flow's source columns as attributes, numbers as text.

    ``lsn`` is the place in the order of changes; 0 for snapshot reads, which have none: they fill what is absent.
    ``source_time`` is the commit in the source, microseconds since 1970, UTC.
    """

    kind: Kind
    lsn: int
    source_time: int
    before: Any = None
    after: Any = None


class _Position(msgspec.Struct, gc=False):
    lsn: int | None = None
    ts_us: int | None = None
    ts_ms: int = 0


def decoder(flow: CapturedFlow) -> Callable[[bytes | None, bytes | None], RowChange]:
    """A function of (key, value) for records of the flow's topics; it raises :class:`BadRecord`."""
    parse, check = _parser(flow), _change_check(flow)
    identity = flow.source.column(flow.source.primary_key)
    identity_of = attrgetter(identity.name)

    def decode(key: bytes | None, value: bytes | None) -> RowChange:
        if value is None:
            return RowChange(Kind.TOMBSTONE, 0, 0)
        event = parse(value)
        lsn, time = event.source.lsn or 0, _source_time(event.source)
        if event.op == "t":
            return RowChange(Kind.TRUNCATE, lsn, time)
        row = event.before if event.op == "d" else event.after
        try:
            check(event.op, key, row)
        except BadRecord as error:
            error.row_key = None if row is None else _shown_key(identity, identity_of(row))
            raise
        if event.op == "d":
            return RowChange(Kind.DELETE, lsn, time, before=row)
        return RowChange(Kind.UPSERT, 0 if event.op == "r" else lsn, time, event.before, row)

    return decode


def row_decoder(flow: CapturedFlow) -> Callable[[bytes], Any]:
    """A function of one source row as a JSON object, for rows read from the database; the same checks as for events."""
    parse = msgspec.json.Decoder(_row_type(flow)).decode
    check = _row_check(flow)

    def decode(value: bytes) -> Any:
        try:
            row = parse(value)
        except msgspec.ValidationError as error:
            raise BadRecord(_reason(str(error)), str(error)) from None
        check(row)
        return row

    return decode


def _source_time(position: _Position) -> int:
    return position.ts_us if position.ts_us is not None else position.ts_ms * 1000


def _parser(flow: CapturedFlow) -> Callable[[bytes], Any]:
    envelope = msgspec.json.Decoder(_envelope_type(flow))

    def parse(value: bytes) -> Any:
        try:
            return envelope.decode(value)
        except msgspec.ValidationError as error:
            raise BadRecord(_reason(str(error)), str(error), _row_key(flow, value)) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BadRecord(Reason.MALFORMED_JSON, "the value is not a JSON document in UTF-8") from None

    return parse


def _change_check(flow: CapturedFlow) -> Callable[[str, bytes | None, Any], None]:
    check_row, key_of = _row_check(flow), attrgetter(flow.source.message_key)
    key_for = key_maker(flow)

    def check(operation: str, key: bytes | None, row: Any) -> None:
        if operation not in _OPERATIONS:
            raise BadRecord(Reason.UNKNOWN_OPERATION, "`op` is not one of c, u, r, d, t")
        if row is None:
            side = "before" if operation == "d" else "after"
            raise BadRecord(Reason.MISSING_FIELD, f"`{side}` is missing")
        if key is None:
            raise BadRecord(Reason.MISSING_KEY, "the record has no key, so its partition means nothing")
        if key != key_for(key_of(row)) and not _same_key(flow, key, key_of(row)):
            raise BadRecord(Reason.KEY_MISMATCH, f"the key is not the row's {flow.source.message_key}")
        if operation != "d":
            check_row(row)
        else:
            _check_uuid(flow.source.column(flow.source.message_key), key_of(row))

    return check


def _envelope_type(flow: CapturedFlow) -> type[msgspec.Struct]:
    """``after`` with every column; ``before`` with what identifies a row or is compared, so that old rubbish does no harm."""
    full = _row_type(flow)
    identity = {flow.source.primary_key, flow.source.message_key}
    fixed = [_field(column) for column in flow.source.columns if column.name in identity]
    compared: list[Any] = [(name, Any, None) for name in flow.compared_columns if name not in identity]
    short = msgspec.defstruct("Before", [*fixed, *compared], gc=False)
    fields: list[Any] = [
        ("op", str),
        ("source", _Position),
        ("before", short | None, None),
        ("after", full | None, None),
    ]
    return msgspec.defstruct("Envelope", fields, gc=False)


def _row_type(flow: CapturedFlow) -> type[msgspec.Struct]:
    return msgspec.defstruct("Row", [_field(column) for column in _required_first(flow)], gc=False)


def _required_first(flow: CapturedFlow) -> list[SourceColumn]:
    return sorted(flow.source.columns, key=lambda column: not column.required)


def _field(column: SourceColumn) -> Any:
    python_type = _python_type(column)
    return (column.name, python_type) if column.required else (column.name, python_type | None)


def _python_type(column: SourceColumn) -> Any:
    kind = column.sql_type
    if kind.base in _INTEGERS:
        bound = _INTEGERS[kind.base]
        return Annotated[int, msgspec.Meta(ge=-bound, le=bound - 1)]
    if kind.base == "varchar":
        return Annotated[str, msgspec.Meta(max_length=kind.sizes[0])]
    return _PYTHON_TYPES[kind.base]


def _row_check(flow: CapturedFlow) -> Callable[[Any], None]:
    """The checks that types cannot say: numbers and their bounds, UUID spelling, U+0000."""
    numbers = [(attrgetter(c.name), NumberCache(partial(_check_number, c))) for c in _columns(flow, "numeric")]
    uuids = [(attrgetter(column.name), column) for column in _columns(flow, "uuid")]
    texts = [(attrgetter(column.name), column) for column in flow.source.columns if column.sql_type.can_be_long]

    def check_row(row: Any) -> None:
        for value_of, good in numbers:
            good[value_of(row)]
        for value_of, column in uuids:
            value = value_of(row)
            if value is not None:
                _check_uuid(column, value)
        for value_of, column in texts:
            if "\x00" in (value_of(row) or ""):
                raise BadRecord(Reason.FORBIDDEN_CHARACTER, f"U+0000 in `{column.name}`, which PostgreSQL cannot hold")

    return check_row


def _columns(flow: CapturedFlow, base: str) -> list[SourceColumn]:
    return [column for column in flow.source.columns if column.sql_type.base == base]


def _check_number(column: SourceColumn, text: str | None) -> None:
    if text is None:
        return
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise BadRecord(Reason.WRONG_TYPE, f"`{column.name}` is not a number") from None
    if not value.is_finite():
        raise BadRecord(Reason.OUT_OF_RANGE, f"`{column.name}` is not a finite number")
    low, high = column.minimum, column.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise BadRecord(Reason.OUT_OF_RANGE, f"`{column.name}` is outside {low} .. {high}")
    if round(value, column.sql_type.sizes[1]) != value:
        raise BadRecord(Reason.OUT_OF_RANGE, f"`{column.name}` has more decimals than {column.type}")


def _check_uuid(column: SourceColumn, value: str) -> None:
    if not _is_uuid(value):
        raise BadRecord(Reason.WRONG_TYPE, f"`{column.name}` is not a UUID")


def _is_uuid(value: str) -> bool:
    try:
        return len(bytes.fromhex(value.replace("-", ""))) == _UUID_BYTES
    except ValueError:
        return False


def _same_key(flow: CapturedFlow, key: bytes, value: str) -> bool:
    """The slow comparison, for keys that another producer spells with spaces or capitals."""
    try:
        found = msgspec.json.decode(key)[flow.source.message_key]
    except (msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError):
        return False
    return isinstance(found, str) and found.lower() == value.lower()


def _reason(message: str) -> Reason:
    """The rule behind a validation message of the JSON library."""
    if "missing required field" in message or "got `null`" in message:
        return Reason.MISSING_FIELD
    if any(sign in message for sign in ("` of length <=", "`int` >=", "`int` <=", "RFC3339", "matching regex")):
        return Reason.OUT_OF_RANGE
    return Reason.WRONG_TYPE


def _row_key(flow: CapturedFlow, value: bytes) -> str | None:
    """The primary key of a row that failed elsewhere, where it can still be read."""
    try:
        event = msgspec.json.decode(value)
        row = event.get("after") or event.get("before")
        found = row.get(flow.source.primary_key)
    except (msgspec.DecodeError, AttributeError, UnicodeDecodeError):
        return None
    return _shown_key(flow.source.column(flow.source.primary_key), found)


def _shown_key(column: SourceColumn, found: Any) -> str | None:
    """A primary key as people are shown it. What is none of its type may be anything, a private value too."""
    if column.sql_type.base in _INTEGERS:
        shown = isinstance(found, int)
    elif column.sql_type.base == "uuid":
        shown = isinstance(found, str) and _is_uuid(found)
    else:
        shown = isinstance(found, str) and len(found) <= _SHOWN_KEY and not column.private
    return str(found) if shown else None
