"""What a signed HTTP callback carries, and the flow that applies it.

Body check, JSON schema, Avro schema, topic, record and the check when it is read again are derived from the callback.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flows.model import TimeOf
from flows.row_model import RowFlow
from flows.tables import IDENTIFIER, DefinitionError, SourceColumn, column_named, column_problems, names_of


@dataclass(frozen=True)
class BodyField:
    """A field of the body: its name, type and bounds are those of ``column``.

    ``doc`` is for the developers of the sender, ``example`` a good value as JSON has it. ``values`` are all that are allowed,
    ``pattern`` is a regular expression that text must match; without either the type decides alone.
    """

    column: SourceColumn
    doc: str
    example: Any = field(hash=False)
    values: tuple[str, ...] = ()
    pattern: str | None = None

    @property
    def name(self) -> str:
        """The same in the body, in the record and as the source column of the flow."""
        return self.column.name


@dataclass(frozen=True, kw_only=True)
class Callback:
    """The intake of one flow, and its :class:`~flows.tables.Origin`: who posts to ``route`` makes a record of ``topic``.

    ``key`` is the field whose value is the Kafka key, ``time`` the field that decides which of two bodies with one key is newer,
    ``record`` the name of the record in Avro.
    """

    flow: str
    route: str
    record: str
    doc: str
    fields: tuple[BodyField, ...]
    key: str
    time: str
    partitions: int

    def __post_init__(self) -> None:
        if problems := list(self.problems()):
            raise DefinitionError(f"callback {self.flow}: {'; '.join(problems)}")

    def problems(self) -> Iterator[str]:
        """What contradicts itself."""
        if not (IDENTIFIER.fullmatch(self.flow) and IDENTIFIER.fullmatch(self.route)):
            yield "flow and route must be plain identifiers"
        if self.partitions < 1:
            yield "partitions must be at least 1"
        yield from column_problems(self.columns)
        for name, kind in ((self.key, "uuid"), (self.time, "timestamptz")):
            if name not in names_of(self.columns):
                yield f"field {name!r} is used but not declared"
            elif (column := self.field(name).column).type != kind or not column.required:
                yield f"field {name!r} must be a required {kind}"

    @property
    def topic(self) -> str:
        """Where accepted bodies go."""
        return f"sync.{self.flow}.callbacks"

    @property
    def path(self) -> str:
        """Where bodies are posted."""
        return f"/callbacks/{self.route}"

    @property
    def columns(self) -> tuple[SourceColumn, ...]:
        """The fields as source columns of the flow."""
        return tuple(field.column for field in self.fields)

    @property
    def primary_key(self) -> str:
        """Bodies with equal keys are versions of one row."""
        return self.key

    @property
    def message_key(self) -> str:
        """All versions of a row are on one partition."""
        return self.key

    def column(self, name: str) -> SourceColumn:
        """The field as a column; raises :class:`DefinitionError`."""
        return column_named(name, self.columns, self.path)

    def field(self, name: str) -> BodyField:
        """The field of that name; raises ``KeyError``."""
        return {field.name: field for field in self.fields}[name]


@dataclass(frozen=True, kw_only=True)
class CallbackFlow(RowFlow):
    """The bodies that services have posted; of those with one key the one with the latest time stands.

    Nothing but the topic remembers them, as long as it keeps them: a rebuild reads it again and removes nothing.
    """

    source: Callback

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if (self.name, self.partitions) != (self.source.flow, self.source.partitions):
            yield "name and partitions must be those of the callback, or the intake would write elsewhere"
        if self.version != TimeOf(self.source.time):
            yield f"the version must be the time of the callback, {self.source.time!r}"
        if self.filter is not None or self.deleted_at is not None:
            yield "every body counts, and nothing deletes one"
