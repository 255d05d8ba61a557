"""Target rows as JSON, the form in which they become the parameter of a statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

import msgspec

from flows.model import Flow
from flows.numbers import NumberCache

_DATE = len("2000-12-31")


def row_encoder(flow: Flow, names: Sequence[str]) -> Callable[[Any], bytes]:
    """A function of a source row, columns as attributes: its target columns ``names`` as the inside of a JSON object.

    Numbers are text, checked before; everything else is as the decoder gives it. Masks and other transforms are applied here.
    """
    columns = [flow.target.column(name) for name in names]
    # The key twice, so that it answers a tuple in any case.
    read = attrgetter(flow.source.primary_key, *[column.source for column in columns])
    mappings = [(place, mapping) for place, name in enumerate(names) if (mapping := _mapping(flow, name))]
    encode = msgspec.json.Encoder().encode
    fields = msgspec.defstruct("TargetRow", list(names), gc=False)

    def encoded(row: Any) -> bytes:
        values = list(read(row))[1:]
        for place, mapping in mappings:
            values[place] = mapping(values[place])
        return encode(fields(*values))[1:-1]

    return encoded


def _mapping(flow: Flow, name: str) -> Callable[[Any], Any] | None:
    """The column's transforms; of numbers the rendered results are remembered. ``None``: the value goes as it is."""
    column = flow.target.column(name)
    base = flow.source.column(column.source).sql_type.base
    if base == "numeric":
        return NumberCache(lambda text: _rendered(column.value(None if text is None else Decimal(text)))).__getitem__
    if base == "date":
        return lambda given: column.value(None if given is None else given[:_DATE])
    return column.value if column.transforms else None


def _rendered(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
