"""Avro single-object encoding of our own records: the marker C3 01, the fingerprint of the writer's schema, the body.

Every version of a schema that was ever released stands in ``versions/NAME/N.avsc``. The newest is written; what an older
release wrote is found by its fingerprint and resolved into the newest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.problems import BadRecord, Reason

Schema = Any  # as the JSON of it, or as fastavro has parsed it

VERSIONS: Final = Path(__file__).parent / "versions"
MARKER: Final = b"\xc3\x01"
HEADER_BYTES: Final = len(MARKER) + 8

# What the decoder raises over bytes that were damaged, besides the end of the input.
_UNREADABLE: Final = (ArithmeticError, AttributeError, EOFError, LookupError, TypeError, ValueError)


class SingleObjectCodec:
    """Rows to bytes and back, by name of field. ``versions``: oldest first; raises ``ValueError`` when two look the same.

    Logical types become ``UUID``, ``Decimal`` and aware ``datetime`` in UTC.
    """

    def __init__(self, versions: Sequence[Schema]) -> None:
        self._writers = {schema_fingerprint(schema): parse_schema(schema) for schema in versions}
        if len(self._writers) != len(versions):
            raise ValueError("two versions of a schema have one fingerprint, which ignores docs, defaults and logical types")
        self._newest = self._writers[schema_fingerprint(versions[-1])]
        self._prefix = MARKER + schema_fingerprint(versions[-1])

    def encode(self, row: dict[str, Any]) -> bytes:
        """The row as one object of the newest version; raises ``ValueError`` or ``TypeError`` for a row that does not fit."""
        stream = BytesIO()
        stream.write(self._prefix)
        schemaless_writer(stream, self._newest, row)
        return stream.getvalue()

    def decode(self, value: bytes) -> dict[str, Any]:
        """The row, with the fields of the newest version; raises :class:`BadRecord`."""
        if not value.startswith(MARKER) or len(value) < HEADER_BYTES:
            raise BadRecord(Reason.MALFORMED_AVRO, "the value is not an Avro single object")
        writer = self._writers.get(value[len(MARKER) : HEADER_BYTES])
        if writer is None:
            raise BadRecord(Reason.UNKNOWN_SCHEMA, "the value was written with a schema that this release does not know")
        return self._read(value, writer)

    def _read(self, value: bytes, writer: Schema) -> dict[str, Any]:
        stream = BytesIO(value)
        stream.seek(HEADER_BYTES)
        try:
            row: Any = schemaless_reader(stream, writer, None if writer is self._newest else self._newest)
        except _UNREADABLE:
            raise BadRecord(Reason.MALFORMED_AVRO, "the value ends early or does not follow its schema") from None
        if stream.tell() != len(value):
            raise BadRecord(Reason.MALFORMED_AVRO, "the value goes on behind its last field")
        return cast("dict[str, Any]", row)


def schema_fingerprint(schema: Schema) -> bytes:
    """CRC-64-AVRO of the schema's parsing canonical form, little-endian, as it stands in a single object."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def committed_versions(name: str) -> tuple[Schema, ...]:
    """All released versions of a schema, oldest first; raises ``KeyError`` when there is none of that name."""
    files = sorted((VERSIONS / name).glob("*.avsc"), key=lambda file: int(file.stem))
    if not files:
        raise KeyError(f"{VERSIONS / name} holds no schema")
    return tuple(json.loads(file.read_text()) for file in files)


@cache
def codec(name: str) -> SingleObjectCodec:
    """The codec of a schema's released versions, made once."""
    return SingleObjectCodec(committed_versions(name))
