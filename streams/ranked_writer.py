"""Ranks groups and makes the target hold the result: the full result of each, never a difference to what we remember."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from flows.model import Flow
from sinks.pool import Session
from sinks.ranked_rows import ranked_statement
from tables.candidates import CandidateTable
from tables.entry import shown_of
from tables.ranking import best

#: Group → its entries by key.
Groups = Mapping[bytes, Mapping[bytes, bytes]]


class RankedWriter:
    """Writes inside a transaction that somebody else has begun under the ledger lock."""

    def __init__(self, flow: Flow, table: CandidateTable) -> None:
        self._table = table
        self._statement = ranked_statement(flow).text
        self._size = flow.ranking.size
        group = next(column.name for column in flow.target.columns if column.source == flow.ranking.group)
        self._row = f'{{%b,"{group}":"%b","{flow.ranking.rank}":%d}}'.encode()

    async def write_stored(self, session: Session, partition: int, groups: Iterable[bytes], now: int) -> tuple[int, int]:
        """Rank groups as they stand in the table; see :meth:`write`."""
        found = {group: dict(entries) for group, entries in self._table.groups(partition, groups)}
        return await self.write(session, found, now)

    async def write(self, session: Session, groups: Groups, now: int) -> tuple[int, int]:
        """Rank ``groups`` as of ``now`` (microseconds); returns (deleted, written) rows, raises ``psycopg2.Error``."""
        rows = b",".join(self._rows(groups, now))
        parameters = {"groups": _json_array(groups), "rows": f"[{rows.decode()}]"}
        row = await session.row(self._statement, parameters)
        assert row is not None, "the statement answers one row"
        return row[0], row[1]

    def _rows(self, groups: Groups, now: int) -> Iterable[bytes]:
        """Target rows as JSON objects; entries hold the inside of theirs ready."""
        for group, entries in groups.items():
            name = group.hex().encode()
            for place, entry in enumerate(best(entries.items(), self._size, now), 1):
                yield self._row % (shown_of(entry), name, place)


def _json_array(groups: Collection[bytes]) -> str:
    return msgspec.json.encode([group.hex() for group in groups]).decode()
