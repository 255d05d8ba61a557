"""What a body field may hold: the type that checks it, the rule in words, and the JSON schema of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec

from flows.callback_model import BodyField
from flows.tables import SourceColumn

_INTEGER: Final = range(-(2**31), 2**31)
_SIMPLE: Final[dict[str, Any]] = {
    "jsonb": dict[str, Any] | list[Any],
    "text": str,
    "timestamptz": Annotated[datetime, msgspec.Meta(tz=True)],
    "uuid": UUID,
}
_SIMPLE_RULES: Final = {
    "jsonb": "must be a JSON object or array",
    "text": "must be text",
    "timestamptz": "must be a time as in RFC 3339 with its offset from UTC, such as 2026-11-24T08:44:26Z",
    "uuid": "must be a UUID, such as 5d0c7c1e-93a4-4b0e-8a55-0c9a3f1f6f42",
}


def python_type(field: BodyField) -> Any:
    """The type that the JSON library checks a field against. Numbers with decimals travel as text."""
    kind = _required_type(field)
    return kind if field.column.required else kind | None


def rule(field: BodyField) -> str:
    """What a value must be, for the answer to a sender; it never quotes a value."""
    kind = field.column.sql_type
    if field.values:
        text = f"must be one of {', '.join(field.values)}"
    elif kind.base == "integer":
        low, high = _integer_bounds(field.column)
        text = f"must be a whole number from {low} to {high}"
    elif kind.base == "numeric":
        text = f"must be text that is a number of {_digits(field.column)}"
    elif kind.base == "varchar":
        text = f"must be text of at most {kind.sizes[0]} characters"
    else:
        text = _SIMPLE_RULES[kind.base]
    if field.pattern is not None:
        text += f" that matches {field.pattern}"
    return text if field.column.required else f"{text}, or null"


def field_schema(field: BodyField) -> dict[str, Any]:
    """The field's JSON schema (draft 2020-12)."""
    return {"description": field.doc, **msgspec.json.schema(python_type(field)), "examples": [field.example]}


def _required_type(field: BodyField) -> Any:
    kind = field.column.sql_type
    if field.values:
        return Literal[field.values]
    if kind.base == "integer":
        low, high = _integer_bounds(field.column)
        return Annotated[int, msgspec.Meta(ge=low, le=high)]
    if kind.base == "numeric":
        return Annotated[str, msgspec.Meta(pattern=_number_pattern(field.column))]
    if kind.base == "varchar":
        return Annotated[str, msgspec.Meta(max_length=kind.sizes[0], pattern=field.pattern)]
    if field.pattern is not None:
        return Annotated[str, msgspec.Meta(pattern=field.pattern)]
    return _SIMPLE[kind.base]


def _integer_bounds(column: SourceColumn) -> tuple[int, int]:
    low = _INTEGER[0] if column.minimum is None else int(column.minimum)
    high = _INTEGER[-1] if column.maximum is None else int(column.maximum)
    return low, high


def _number_pattern(column: SourceColumn) -> str:
    precision, scale = column.sql_type.sizes
    return rf"^{_sign(column)}[0-9]{{1,{precision - scale}}}(\.[0-9]{{1,{scale}}})?$"


def _digits(column: SourceColumn) -> str:
    precision, scale = column.sql_type.sizes
    sign = "" if _sign(column) else ", not negative"
    return f"at most {precision - scale} digits before the point and {scale} behind it{sign}"


def _sign(column: SourceColumn) -> str:
    """The only bound of such numbers is zero: a pattern cannot say another."""
    if column.maximum is not None or column.minimum not in (None, 0):
        raise ValueError(f"field {column.name!r}: a number with decimals can be bounded by 0 from below and in no other way")
    return "-?" if column.minimum is None else ""
