"""The body of a callback: bytes in, a checked row or everything that is wrong with it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from flows.callback_model import BodyField, Callback
from schemas.body_types import field_schema, python_type, rule


@dataclass(frozen=True)
class Violation:
    """``pointer`` is a JSON pointer into the body as a URI fragment; ``detail`` is the rule that is broken. No values."""

    pointer: str
    detail: str


class MalformedBody(Exception):
    """The body is no JSON document."""


class InvalidBody(Exception):
    """The body is JSON but not what the route takes."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(f"{each.pointer} {each.detail}" for each in violations))
        self.violations = violations


class BodyReader:
    """Reads the bodies of one callback. Rows hold ``UUID``, ``int``, ``Decimal``, ``str`` and aware ``datetime``.

    What is ``jsonb`` in the table stays the JSON text that came, so that no digit of it changes.
    """

    def __init__(self, callback: Callback) -> None:
        self._readers = [_FieldReader(field) for field in callback.fields]
        self._names = frozenset(field.name for field in callback.fields)
        self._members = msgspec.json.Decoder(dict[str, msgspec.Raw])

    def read(self, body: bytes) -> dict[str, Any]:
        """The row; raises :class:`MalformedBody` or :class:`InvalidBody` with all that is wrong."""
        try:
            members = self._members.decode(body)
        except msgspec.ValidationError:
            raise InvalidBody((Violation("#", "must be a JSON object"),)) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise MalformedBody from None
        row: dict[str, Any] = {}
        violations = [*self._unknown(members)]
        for reader in self._readers:
            try:
                row[reader.name] = reader.read(members.get(reader.name))
            except ValueError:
                violations.append(reader.violation(missing=reader.name not in members))
        if violations:
            raise InvalidBody(tuple(violations))
        return row

    def _unknown(self, members: dict[str, Any]) -> Iterator[Violation]:
        """Without the names: they come from the body."""
        if members.keys() - self._names:
            yield Violation("#", f"has a field that this message does not know; it knows {', '.join(sorted(self._names))}")


class _FieldReader:
    def __init__(self, field: BodyField) -> None:
        self.name: Final = field.name
        self._rule = rule(field)
        self._decode = _decoder(field)
        self._absent = None if field.column.required else b"null"
        self._value = _CONVERSIONS.get(field.column.sql_type.base, _as_decoded)

    def read(self, raw: msgspec.Raw | None) -> Any:
        """The value; raises ``ValueError``, of which the library's errors are a kind."""
        given = self._absent if raw is None else raw
        if given is None:
            raise ValueError
        return self._value(given, self._decode(given))

    def violation(self, *, missing: bool) -> Violation:
        return Violation(f"#/{self.name}", f"is missing; it {self._rule}" if missing else self._rule)


def _decoder(field: BodyField) -> Callable[[Any], Any]:
    kind = python_type(field)
    if field.column.sql_type.base != "integer":
        return msgspec.json.Decoder(kind).decode
    number = msgspec.json.Decoder(int | float | None)

    def decode(raw: Any) -> Any:
        """In JSON 12.0 is a whole number, and some libraries write it so."""
        value = number.decode(raw)
        return msgspec.convert(int(value) if isinstance(value, float) and value.is_integer() else value, kind)

    return decode


def body_schema(callback: Callback) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of the body."""
    return {
        "type": "object",
        "description": callback.doc,
        "properties": {field.name: field_schema(field) for field in callback.fields},
        "required": [field.name for field in callback.fields if field.column.required],
        "additionalProperties": False,
    }


def example_body(callback: Callback) -> dict[str, Any]:
    """A body that is right."""
    return {field.name: field.example for field in callback.fields}


def _as_decoded(_: msgspec.Raw | bytes, value: Any) -> Any:
    return value


def _as_utc(_: msgspec.Raw | bytes, value: datetime | None) -> datetime | None:
    try:
        return None if value is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError from None  # in UTC it is before the year 1 or after 9999


def _as_text(raw: msgspec.Raw | bytes, value: Any) -> str | None:
    return None if value is None else bytes(raw).decode()


def _as_decimal(_: msgspec.Raw | bytes, value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


_CONVERSIONS: Final[dict[str, Callable[[msgspec.Raw | bytes, Any], Any]]] = {
    "jsonb": _as_text,
    "numeric": _as_decimal,
    "timestamptz": _as_utc,
}
