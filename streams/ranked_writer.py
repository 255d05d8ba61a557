"""Ranks groups and makes the target hold the result: the full result of each, never a difference to what we remember."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from flows.model import RankedFlow
from sinks.pool import Session
from sinks.ranked_rows import ranked_statement
from tables.candidates import CandidateTable, Rank
from tables.entry import shown_of
from tables.ranking import best

#: Group → its winning entries, in order of rank.
Ranked = Mapping[bytes, Sequence[bytes]]


class RankedWriter:
    """Writes inside a transaction that somebody else has begun under the ledger lock."""

    def __init__(self, flow: RankedFlow, table: CandidateTable) -> None:
        self._table = table
        self.statement = ranked_statement(flow).text
        self._size = flow.ranking.size
        group = next(column.name for column in flow.target.columns if column.source == flow.ranking.group)
        self._row = f'{{%b,"{group}":"%b","{flow.ranking.rank}":%d}}'.encode()

    def rank(self, now: int) -> Rank:
        """The ranking of one group as of ``now`` (microseconds)."""
        return lambda entries: best(entries, self._size, now)

    async def write_stored(self, session: Session, partition: int, groups: Iterable[bytes], now: int) -> tuple[int, int]:
        """Rank groups as they stand in the table; see :meth:`write`."""
        ranked = {group: best(entries, self._size, now) for group, entries in self._table.groups(partition, groups)}
        return await self.write(session, ranked)

    async def write(self, session: Session, ranked: Ranked) -> tuple[int, int]:
        """Make the target hold these winners; returns (deleted, written) rows, raises ``psycopg2.Error``."""
        row = await session.row(self.statement, self.parameters(ranked))
        assert row is not None, "the statement answers one row"
        return row[0], row[1]

    def parameters(self, ranked: Ranked) -> dict[str, str]:
        """What :attr:`statement` takes to make the target hold these winners."""
        groups = ",".join(f'"{group.hex()}"' for group in ranked)
        rows = b",".join(self._rows(ranked)).decode()
        return {"groups": f"[{groups}]", "rows": f"[{rows}]"}

    def _rows(self, ranked: Ranked) -> Iterator[bytes]:
        """Target rows as JSON objects; entries hold the inside of theirs ready."""
        for group, winners in ranked.items():
            name = group.hex().encode()
            for place, entry in enumerate(winners, 1):
                yield self._row % (shown_of(entry), name, place)
