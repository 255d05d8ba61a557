"""Compare a flow with its live tables and name each difference. Pure: two values in, differences out."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flows.batch_model import BatchFlow
from flows.definition import Definition, SideTable
from flows.model import CapturedFlow
from flows.tables import Database, Table
from flows.types import SqlType
from settings import PROGRAM
from sinks.catalog import Catalog, CatalogTable
from sinks.provision import STATE_SCHEMA

MIGRATE: Final = f"run `{PROGRAM} migrate`"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as a flow needs it. ``flow`` is empty where it concerns the database as a whole."""

    database: str
    flow: str
    object: str
    problem: str
    remedy: str


def flow_differences(flow: Definition, catalogs: Mapping[Database, Catalog]) -> Iterator[Difference]:
    """Compare one flow with its target and, where its source is a table, with that."""
    target = catalogs[flow.target.table.database].tables.get(flow.target.table.qualified)
    nullable = {column.name for column in flow.source.columns if not column.required}
    if isinstance(flow, CapturedFlow | BatchFlow):
        source = catalogs[flow.source.table.database].tables.get(flow.source.table.qualified)
        yield from _source_differences(flow, source)
        nullable &= _nullable_columns(source)
    if target is None:
        remedy = MIGRATE if flow.target.table.schema == STATE_SCHEMA else _edit(flow, "target")
        yield _difference(flow, flow.target.table, "", "the table does not exist", remedy)
    else:
        yield from _target_differences(flow, target)
    for side in flow.side_tables:
        yield from _side_differences(flow, side, catalogs[side.table.database].tables.get(side.table.qualified))
    for looked_up in flow.lookup_tables:
        yield from _lookup_differences(flow, looked_up, catalogs[looked_up.table.database].tables.get(looked_up.table.qualified))
    if target is not None:
        yield from _null_differences(flow, nullable, target)


def _nullable_columns(source: CatalogTable | None) -> set[str]:
    """Of a table that is not there, none: that it is not there is the difference."""
    return {column.name for column in source.columns.values() if not column.not_null} if source else set()


def _source_differences(flow: CapturedFlow | BatchFlow, found: CatalogTable | None) -> Iterator[Difference]:
    source = flow.source
    if found is None:
        yield _difference(flow, source.table, "", "the table does not exist", _edit(flow, "source"))
        return
    expected = {column.name: column.sql_type for column in source.columns}
    yield from _column_differences(flow, source.table, expected, found, "source")
    for column in source.columns:
        live = found.columns.get(column.name)
        if column.required and live is not None and not live.not_null:
            problem = "the column may be null, but the flow needs a value: such rows become dead letters"
            yield _difference(flow, source.table, column.name, problem, "ALTER TABLE … ALTER COLUMN … SET NOT NULL")
    if frozenset((source.primary_key,)) not in found.unique_keys:
        problem = "no unique index on it, but the flow tells rows apart by it"
        yield _difference(flow, source.table, source.primary_key, problem, "CREATE UNIQUE INDEX, or " + _edit(flow, "source"))
    if source.replica_identity_full and found.replica_identity != "f":
        yield _difference(flow, source.table, "", "the replica identity is not FULL", MIGRATE)


def _target_differences(flow: Definition, found: CatalogTable) -> Iterator[Difference]:
    table = flow.target.table
    expected = dict(flow.written_columns)
    yield from _column_differences(flow, table, expected, found, "target")
    if frozenset(flow.target.key) not in found.unique_keys:
        key = ", ".join(flow.target.key)
        yield _difference(
            flow, table, "", f"no unique index on the key ({key})", f"CREATE UNIQUE INDEX ON {table.qualified} ({key})"
        )
    for column in found.columns.values():
        if column.name not in expected and column.not_null and not column.filled:
            problem = "the column must have a value, but the flow does not write it"
            yield _difference(flow, table, column.name, problem, "give the column a default, or " + _edit(flow, "target"))


def _side_differences(flow: Definition, side: SideTable, found: CatalogTable | None) -> Iterator[Difference]:
    yield from _lookup_differences(flow, side, found)
    if found is not None and frozenset((side.columns[0],)) not in found.unique_keys:
        remedy = f"CREATE UNIQUE INDEX ON {side.table.qualified} ({side.columns[0]})"
        yield _difference(flow, side.table, side.columns[0], "no unique index on it", remedy)


def _lookup_differences(flow: Definition, beside: SideTable, found: CatalogTable | None) -> Iterator[Difference]:
    if found is None:
        yield _difference(flow, beside.table, "", "the table does not exist", _edit(flow, "target"))
        return
    for name in beside.columns:
        if name not in found.columns:
            yield _difference(flow, beside.table, name, "the column does not exist", _edit(flow, "target"))


def _null_differences(flow: Definition, nullable: Collection[str], target: CatalogTable) -> Iterator[Difference]:
    """Name target columns that refuse the null that their source column may hold and the mapping lets through."""
    for column in flow.target.columns:
        if column.name in flow.target.key:
            continue  # A row without it never gets there.
        live = target.columns.get(column.name)
        if column.source in nullable and live is not None and live.not_null and column.value(None) is None:
            problem = f"the column refuses null, but {column.source} of the source may be null"
            yield _difference(flow, flow.target.table, column.name, problem, "drop NOT NULL, or map null to a value in the flow")


def _column_differences(
    flow: Definition, table: Table, expected: Mapping[str, SqlType], found: CatalogTable, side: str
) -> Iterator[Difference]:
    for name, sql_type in expected.items():
        live = found.columns.get(name)
        wanted = sql_type.catalog_name
        if live is None:
            yield _difference(flow, table, name, "the column does not exist", _edit(flow, side))
        elif live.type != wanted:
            yield _difference(flow, table, name, f"the type is {live.type}, the flow says {wanted}", _edit(flow, side))


def _difference(flow: Definition, table: Table, column: str, problem: str, remedy: str) -> Difference:
    name = f"{table.qualified}.{column}" if column else table.qualified
    return Difference(table.database.value, flow.name, name, problem, remedy)


def _edit(flow: Definition, side: str) -> str:
    return f"change the table, or the {side} in flows/{flow.name}.py"
