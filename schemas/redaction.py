"""Show the structure of a record without its content: every scalar is replaced by what kind of value it is. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from flows.callback_model import CallbackFlow
from flows.model import Flow
from schemas.avro import MARKER, codec
from schemas.avro_schema import schema_name
from schemas.headers import (
    CONTEXT_HEADERS,
    NEW_KEY_HEADER,
    OFFSET_HEADER,
    OLD_KEY_HEADER,
    RECEIVED_HEADER,
    REPLAY_HEADER,
    SENDER_HEADER,
    WEBHOOK_ID_HEADER,
)
from schemas.problems import BadRecord

_ENVELOPE: Final = frozenset(
    {
        *("before", "after", "source", "op", "ts_ms", "ts_us", "ts_ns", "transaction", "schema", "payload"),
        *("version", "connector", "name", "snapshot", "db", "sequence", "table", "txId", "lsn", "xmin"),
        *("origin", "origin_lsn"),
        *(NEW_KEY_HEADER, OLD_KEY_HEADER, REPLAY_HEADER, OFFSET_HEADER, *CONTEXT_HEADERS),
        *(WEBHOOK_ID_HEADER, SENDER_HEADER, RECEIVED_HEADER),
    }
)

# In a message: what is quoted (an apostrophe inside a word is no quote) or in brackets, up to the last closing sign or, where
# the message was cut, to the end; and every word with a digit or an @.
_ENCLOSURES: Final = ((r"(?<!\w)'", "'"), ('"', '"'), ("`", "`"), (r"\(", r"\)"), (r"\[", r"\]"), (r"\{", r"\}"))
_VALUES: Final = re.compile("|".join([*(f"{start}(?:.*{end}|.*)" for start, end in _ENCLOSURES), r"\S*[\d@]\S*"]))


@dataclass(frozen=True)
class Content:
    """A record with every value masked."""

    key: Any
    value: Any
    headers: list[tuple[str, str]]


def redact_record(key: bytes | None, value: bytes | None, headers: Collection[tuple[str, bytes]], flow: Flow) -> Content:
    """What people may see of a record of the flow."""
    names = names_of(flow)
    return Content(redact_bytes(key, names), redact_value(value, flow), redact_headers(headers, names))


def names_of(flow: Flow) -> frozenset[str]:
    """Return the names that may be shown: those of the flow's source columns, of Debezium's envelope and of our headers."""
    return _ENVELOPE | {column.name for column in flow.source.columns}


def redact(value: Any, names: Collection[str]) -> Any:
    """Replace every scalar of a decoded JSON value, and every object name that is not among ``names``."""
    if isinstance(value, dict):
        return {_name(name, place, names): redact(item, names) for place, (name, item) in enumerate(value.items(), 1)}
    if isinstance(value, list):
        return [redact(item, names) for item in value]
    return describe(value)


def redact_bytes(document: bytes | None, names: Collection[str]) -> Any:
    """Redact a JSON document; of other bytes only their number is told. ``None`` stays: no key, or a tombstone."""
    if document is None:
        return None
    try:
        return redact(msgspec.json.decode(document), names)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"<{len(document)} bytes, not JSON>"


def redact_value(document: bytes | None, flow: Flow) -> Any:
    """Redact the value of a record of the flow: Avro of a callback, otherwise JSON."""
    if isinstance(flow, CallbackFlow) and document is not None and document.startswith(MARKER):
        return _redact_avro(document, flow)
    return redact_bytes(document, names_of(flow))


def _redact_avro(document: bytes, flow: CallbackFlow) -> Any:
    try:
        return redact(codec(schema_name(flow.source)).decode(document), names_of(flow))
    except BadRecord as problem:
        return f"<{len(document)} bytes of Avro; {problem.detail}>"


def redact_headers(headers: Collection[tuple[str, bytes]], names: Collection[str]) -> list[tuple[str, str]]:
    """Redact the values of record headers, and the names that are not ours or Debezium's."""
    return [(_name(name, place, names), f"<{len(value)} bytes>") for place, (name, value) in enumerate(headers, 1)]


def redact_message(text: str) -> str:
    """Keep the words of another program's error message and leave out what may be a value."""
    return _VALUES.sub("…", text)


def describe(value: object) -> str | None:
    """Tell what kind of scalar it is and, of text, how long; null stays."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "<boolean>"
    if isinstance(value, str):
        return f"<text, {len(value)} characters>"
    if isinstance(value, int | float):
        return "<number>"
    return f"<{type(value).__name__}>"


def _name(name: str, place: int, names: Collection[str]) -> str:
    return name if name in names else f"<name {place}>"
