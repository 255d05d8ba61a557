"""What every definition says, whatever carries it: where rows come from, what they become, and what that reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flows.tables import IDENTIFIER, DefinitionError, Origin, Table, Target, names_of
from flows.types import SqlType


@dataclass(frozen=True)
class SideTable:
    """A table beside the target, and the columns that are written or read."""

    table: Table
    columns: tuple[str, ...]


@dataclass(frozen=True)
class PersonLink:
    """A target column that names the golden record of the citizen whom a row is about, filled as soon as it is known.

    ``citizen`` is the target column with the citizen's id, ``row`` the one by which a row is found again.
    """

    column: str
    citizen: str
    row: str


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One kind of data: source, mapping and target. ``link``: a column for the golden record."""

    name: str
    title: str
    source: Origin
    target: Target
    link: PersonLink | None = None

    def __post_init__(self) -> None:
        if not IDENTIFIER.fullmatch(self.name):
            raise DefinitionError(f"flow {self.name!r}: the name is not a plain identifier")
        if problems := list(self._problems()):
            raise DefinitionError(f"flow {self.name}: {'; '.join(problems)}")

    def _problems(self) -> Iterator[str]:
        yield from self.source.problems()
        yield from self.target.problems()
        yield from self._link_problems()
        declared = names_of(self.source.columns)
        undeclared = [name for name in self._used_columns() if name not in declared]
        yield from (f"source column {name!r} is used but not declared" for name in undeclared)
        if not undeclared:
            yield from self._deciding_problems()
            yield from self._privacy_problems()

    def _used_columns(self) -> Iterator[str]:
        yield from (column.source for column in self.target.columns)
        yield from self._deciding_columns()

    def _deciding_columns(self) -> Iterator[str]:
        """Source columns that decide key, match, filter or version."""
        yield from ()

    def _link_problems(self) -> Iterator[str]:
        if self.link is not None:
            mapped = names_of(self.target.columns)
            if self.link.column in mapped:
                yield f"the link column {self.link.column!r} is looked up and may not be mapped"
            missing = [name for name in (self.link.citizen, self.link.row) if name not in mapped]
            yield from (f"the link needs the target column {name!r}" for name in missing)

    def _deciding_problems(self) -> Iterator[str]:
        for name in self._deciding_columns():
            if not self.source.column(name).required:
                yield f"source column {name!r} decides key, match or filter and must be required"

    def _privacy_problems(self) -> Iterator[str]:
        for column in self.target.columns:
            if self.source.column(column.source).private and not (column.masks or column.clear):
                yield f"target column {column.name!r} would hold a private value: give it a mask, or say that it is its place"

    @property
    def masked_columns(self) -> tuple[str, ...]:
        """Target columns that hold a mask."""
        return tuple(column.name for column in self.target.columns if column.masks)

    @property
    def side_tables(self) -> tuple[SideTable, ...]:
        """Tables of the platform that are written beside the target."""
        return ()

    @property
    def lookup_tables(self) -> tuple[SideTable, ...]:
        """Tables of the platform in the target's database that are only read."""
        return ()

    @property
    def written_columns(self) -> tuple[tuple[str, SqlType], ...]:
        """All target columns that we write, with their types."""
        linked = () if self.link is None else ((self.link.column, SqlType("uuid")),)
        return (*((column.name, column.sql_type) for column in self.target.columns), *linked)
