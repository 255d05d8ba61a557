"""Random rows of a callback, as the reader of bodies gives them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from flows.callback_model import BodyField, Callback
from flows.tables import SourceColumn

LAST = datetime(9999, 12, 31)  # noqa: DTZ001 hypothesis wants the bounds without zone
CHARACTERS = st.characters(exclude_categories=["Cs"])
LENGTH = 50
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "jsonb": st.sampled_from(["[]", "{}", '[{"a": 1.10}]']),
    "timestamptz": st.datetimes(max_value=LAST, timezones=st.just(UTC)),
    "uuid": st.uuids(),
}


def rows(callback: Callback) -> st.SearchStrategy[dict[str, Any]]:
    """Rows with every field."""
    return st.fixed_dictionaries({field.name: values(field) for field in callback.fields})


def values(field: BodyField) -> st.SearchStrategy[Any]:
    """Values of one field; null where it may be."""
    given = st.sampled_from(field.values) if field.values else _values(field)
    return given if field.column.required else st.none() | given


def _values(field: BodyField) -> st.SearchStrategy[Any]:
    kind = field.column.sql_type
    if kind.base in SIMPLE:
        return SIMPLE[kind.base]
    if kind.base in ("integer", "numeric"):
        return _numbers(field.column)
    if field.pattern is not None:
        return st.from_regex(field.pattern, alphabet=CHARACTERS).filter(lambda text: len(text) <= LENGTH)
    return st.text(CHARACTERS, max_size=LENGTH)


def _numbers(column: SourceColumn) -> st.SearchStrategy[Any]:
    low, high, kind = column.minimum, column.maximum, column.sql_type
    if kind.base == "integer":
        return st.integers(-(2**31) if low is None else int(low), 2**31 - 1 if high is None else int(high))
    precision, scale = kind.sizes
    return st.decimals(low, Decimal(10) ** (precision - scale) - 1, places=scale, allow_nan=False)
