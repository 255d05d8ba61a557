"""Avro schemas of callback records, rendered from the definitions.

Renew one by ``python -m schemas.avro_schema benefit_forecast > schemas/benefit_forecast.avsc``. What is released goes to
``schemas/versions`` under the next number as well; a version that stands there is never changed.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Final

from flows.callback_model import BodyField, Callback
from flows.callback_registry import CALLBACKS
from flows.types import SqlType

NAMESPACE: Final = "sync.callbacks"

_PRIMITIVES: Final = {"integer": "int", "text": "string", "varchar": "string", "jsonb": "string"}
_LOGICAL_TYPES: Final = {"timestamptz": ("long", "timestamp-micros"), "uuid": ("string", "uuid")}


def schema_name(callback: Callback) -> str:
    """``benefit_forecast`` for the record ``BenefitForecast``: the name of the schema's file and of its versions' folder."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", callback.record).lower()


def avro_schema(callback: Callback) -> dict[str, Any]:
    """The record of a callback as an Avro schema."""
    return {
        "type": "record",
        "name": callback.record,
        "namespace": NAMESPACE,
        "doc": callback.doc,
        "fields": [_field(field) for field in callback.fields],
    }


def rendered(callback: Callback) -> str:
    """The schema as its file holds it."""
    return json.dumps(avro_schema(callback), indent=2, ensure_ascii=False) + "\n"


def _field(field: BodyField) -> dict[str, Any]:
    kind = _type(field.column.sql_type)
    if field.column.required:
        return {"name": field.name, "type": kind, "doc": _doc(field)}
    return {"name": field.name, "type": ["null", kind], "default": None, "doc": _doc(field)}


def _doc(field: BodyField) -> str:
    return f"{field.doc} One of {', '.join(field.values)}." if field.values else field.doc


def _type(kind: SqlType) -> Any:
    """Text for what has a list of values, too: a value more must not need a new version of every reader."""
    if kind.base == "numeric":
        precision, scale = kind.sizes
        return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
    if kind.base in _LOGICAL_TYPES:
        primitive, logical = _LOGICAL_TYPES[kind.base]
        return {"type": primitive, "logicalType": logical}
    return _PRIMITIVES[kind.base]


if __name__ == "__main__":
    by_name = {schema_name(callback): callback for callback in CALLBACKS}
    sys.stdout.write(rendered(by_name[sys.argv[1]]))
