"""Ranks groups and makes the target hold the result: the full result of each, never a difference to what we remember."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from flows.model import Flow
from sinks.pool import Session
from sinks.ranked_rows import ranked_statement
from tables.candidates import CandidateTable
from tables.ranking import best


class RankedWriter:
    """Writes inside a transaction that somebody else has begun under the ledger lock."""

    def __init__(self, flow: Flow, table: CandidateTable) -> None:
        self._flow = flow
        self._table = table
        self._statement = ranked_statement(flow).text
        self._row_type = _row_type(flow)

    def rows(self, partition: int, groups: Iterable[bytes], now: int) -> list[Any]:
        """The target rows of the groups as of ``now`` (microseconds)."""
        size, row_type = self._flow.ranking.size, self._row_type
        return [
            row_type(*candidate.shown, group.hex(), candidate.item, place)
            for group, candidates in self._table.groups(partition, groups)
            for place, candidate in enumerate(best(candidates, size, now), 1)
        ]

    async def write(self, session: Session, groups: Collection[bytes], rows: list[Any]) -> tuple[int, int]:
        """(deleted, written) target rows; raises ``psycopg2.Error``."""
        parameters = {
            "groups": msgspec.json.encode([group.hex() for group in groups]).decode(),
            "rows": msgspec.json.encode(rows).decode(),
        }
        row = await session.row(self._statement, parameters)
        assert row is not None, "the statement answers one row"
        return row[0], row[1]


def _row_type(flow: Flow) -> type[msgspec.Struct]:
    """Fields in the order in which rows are made: shown columns, group, item, rank."""
    target, ranking = flow.target, flow.ranking
    shown = [column.name for column in target.columns if column.name not in target.key]
    group, item = (
        next(column.name for column in target.columns if column.source == source and column.name in target.key)
        for source in (ranking.group, ranking.item)
    )
    return msgspec.defstruct("TargetRow", [*shown, group, item, ranking.rank], gc=False)
