"""Columns of batch flows in SQL: what the source makes of a row, and how the target takes it. Identifiers are of definitions."""

from __future__ import annotations

from collections.abc import Iterable

from flows.batch_model import BatchFlow


def mapped(flow: BatchFlow, names: Iterable[str]) -> str:
    """Arguments of ``json_build_object`` for target columns, as the source computes them."""
    columns = [flow.target.column(name) for name in names]
    return ", ".join(f"'{column.name}', {column.sql(column.source)}" for column in columns)


def record(flow: BatchFlow, names: Iterable[str]) -> str:
    """The columns of ``json_to_recordset`` that take them."""
    return ", ".join(f"{name} {flow.target.column(name).type}" for name in names)


def distinct(names: Iterable[str]) -> str:
    """Whether an upsert would change the standing row ``t`` in one of the columns."""
    names = list(names)
    standing, given = (", ".join(f"{row}.{name}" for name in names) for row in ("t", "excluded"))
    return f"({standing}) IS DISTINCT FROM ({given})"


def array(rows: Iterable[str]) -> str:
    """A JSON array of documents that are text already."""
    return f"[{','.join(rows)}]"
