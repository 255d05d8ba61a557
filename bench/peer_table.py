"""The table into which a peer writes the source rows as they are, and the comparison of it with the source.

Derived from the flow's source columns, so that product and peers always carry the same data.
"""

from dataclasses import dataclass
from typing import Any

from bench.errors import BenchError
from bench.stage import BENCH_SCHEMA, Stage
from flows.model import CapturedFlow
from tests.support.databases import Administrator

NULL_TEXT = r"\N"  # as in COPY; the data has empty texts, which are something else


@dataclass(frozen=True)
class PeerTable:
    """The table of one peer. ``texts``: every column but the key is text, and :data:`NULL_TEXT` stands for null."""

    flow: CapturedFlow
    name: str
    texts: bool = False

    @property
    def qualified(self) -> str:
        """``schema.name``."""
        return f"{BENCH_SCHEMA}.{self.name}"

    @property
    def key(self) -> str:
        """The source's primary key."""
        return self.flow.source.primary_key

    @property
    def columns(self) -> dict[str, str]:
        """Name → type of the data columns, the key first."""
        given = sorted(self.flow.source.columns, key=lambda column: column.name != self.key)
        return {column.name: "text" if self.texts and column.name != self.key else str(column.sql_type) for column in given}

    def create(self, stage: Stage) -> None:
        """Make the table anew, empty; ``lsn`` is for peers that guard versions."""
        columns = ", ".join(f"{name} {sql_type}" for name, sql_type in self.columns.items())
        self.drop(stage)
        user = stage.address_of(self.flow.target.table.database).user
        stage.target_of(self.flow).rows(f"CREATE TABLE {self.qualified} ({columns}, lsn bigint, PRIMARY KEY ({self.key}))")
        stage.target_of(self.flow).rows(f"ALTER TABLE {self.qualified} OWNER TO {user}")

    def drop(self, stage: Stage) -> None:
        """Remove the table."""
        stage.target_of(self.flow).rows(f"DROP TABLE IF EXISTS {self.qualified}")

    def count(self, stage: Stage) -> int:
        """Rows now."""
        return int(stage.target_of(self.flow).value(f"SELECT count(*) FROM {self.qualified}"))  # noqa: S608 names of the definition

    def present(self, stage: Stage, keys: list[Any]) -> int:
        """How many of the keys are there; costs an index look-up each."""
        statement = f"SELECT count(*) FROM {self.qualified} WHERE {self.key} = ANY(%s::{self.columns[self.key]}[])"  # noqa: S608
        return int(stage.target_of(self.flow).value(statement, (keys,)))

    def any_row(self, stage: Stage) -> bool:
        """Whether there is a row."""
        return bool(stage.target_of(self.flow).value(f"SELECT EXISTS (SELECT FROM {self.qualified})"))  # noqa: S608

    def verify(self, stage: Stage) -> None:
        """Raise :class:`BenchError` unless the table holds exactly the source's rows."""
        expected = _digest(stage.source_of(self.flow), self._select(self.flow.source.table.qualified, texts=False))
        found = _digest(stage.target_of(self.flow), self._select(self.qualified, texts=self.texts))
        if found != expected:
            raise BenchError(f"{self.qualified} holds {found[0]:,} rows that are not the source's {expected[0]:,} rows")

    def _select(self, table: str, *, texts: bool) -> str:
        types = {column.name: str(column.sql_type) for column in self.flow.source.columns}
        values = [f"nullif({name}::text, '{NULL_TEXT}')::{types[name]}" if texts else name for name in self.columns]
        return f"SELECT {', '.join(values)} FROM {table} ORDER BY {self.key}"  # noqa: S608 names of the definition


def _digest(database: Administrator, select: str) -> tuple[int, str]:
    """Rows and a digest over all of them, in order, computed in the database."""
    return database.rows(f"SELECT count(*), md5(string_agg(md5(r::text), '')) FROM ({select}) AS r")[0]  # noqa: S608
