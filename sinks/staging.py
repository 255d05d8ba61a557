"""Where rows wait in the target to be compared and written: temporary tables, which a transaction leaves empty."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flows.model import CapturedFlow
from sinks.copied_rows import Copied
from sinks.copying import CopySession
from sinks.mapped_rows import mapped_columns


@dataclass(frozen=True)
class Found:
    """What a page came to: rows that differ, rows that are too much, and rows that wait for what they refer to.

    ``won``: of how many of the first two the version won. ``written`` and ``removed``: their keys, if they were asked for.
    """

    differing: int
    extra: int
    waiting: int
    won: int
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def staged(flow: CapturedFlow) -> str:
    """The name of the table for the rows of a page."""
    return f"pg_temp.staged_{flow.name}"


def staging_statement(flow: CapturedFlow) -> str:
    """Make that table, unless the session has it: ``row_state`` and ``row_key``, then the columns of a row."""
    key = flow.source.column(flow.source.primary_key).type
    columns = (f"{name} {kind}" for name, kind, _ in mapped_columns(flow))
    return temporary(staged(flow), ("row_state text", f"row_key {key}", *columns))


def temporary(name: str, columns: Iterable[str]) -> str:
    """A table that is empty when a transaction begins."""
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({', '.join(columns)}) ON COMMIT DELETE ROWS"


async def stage(session: CopySession, flow: CapturedFlow, page: Copied) -> None:
    """Bring the rows of a page there, in the transaction that is open."""
    await session.run(staging_statement(flow))
    await session.copy_in(f"COPY {staged(flow)} FROM STDIN", page.blocks)
