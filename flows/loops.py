"""Loops: a change that we carry may never come back to the table that it began in.

A hop leads from a flow to one that reads what the first writes: as changes of its source, or because it looks rows up. The proof
is over columns and takes it that every column read may decide every column written, so what it finds free of loops is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from flows.definition import SideTable
from flows.match_model import MatchFlow
from flows.model import CapturedFlow, Flow
from flows.tables import DefinitionError, Table, names_of

#: A column of a table.
Cell = tuple[Table, str]


@dataclass(frozen=True)
class Hop:
    """``then`` reads columns that ``first`` writes; ``looked_up``: only as rows that it refers to, which makes no event."""

    first: Flow
    then: Flow
    cells: frozenset[Cell]
    looked_up: bool

    @property
    def names(self) -> tuple[str, str]:
        """The names of the two flows."""
        return (self.first.name, self.then.name)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, ``schema.table.column``, in order."""
        return tuple(sorted(f"{table.qualified}.{name}" for table, name in self.cells))


def checked(flows: Sequence[Flow], second_hops: Collection[tuple[str, str]]) -> tuple[Flow, ...]:
    """The flows, if the only flows that hear what we write are ``second_hops``, and no chain of hops is a loop.

    Raises :class:`DefinitionError`, which names the flows and the columns.
    """
    found = list(hops(flows))
    heard = {hop.names: hop for hop in found if not hop.looked_up}
    for names, hop in heard.items():
        if names not in second_hops:
            raise DefinitionError(
                f"flow {hop.first.name} writes {', '.join(hop.columns)}, which flow {hop.then.name} has as its source:"
                " name this second hop in flows/registry.py if it is wanted, or change one of the two"
            )
    for first, then in second_hops:
        if (first, then) not in heard:
            raise DefinitionError(
                f"the second hop {first} → {then} is named, but {first} writes nothing that {then} has as its source"
            )
    if loop := _loop(found):
        raise DefinitionError(f"a change could come back to where it began: {' → '.join(loop)}; change one of these flows")
    return tuple(flows)


def hops(flows: Sequence[Flow]) -> Iterator[Hop]:
    """All hops, in the order of the flows."""
    for first in flows:
        written = frozenset(_written(first, flows))
        for then in flows:
            for cells, looked_up in ((frozenset(_heard(then)), False), (frozenset(_looked_up(then)), True)):
                if written & cells:
                    yield Hop(first, then, written & cells, looked_up)


def _heard(flow: Flow) -> Iterator[Cell]:
    """Nobody but the intake writes what flows of callbacks hear."""
    if isinstance(flow, CapturedFlow):
        yield from ((flow.source.table, name) for name in names_of(flow.source.columns))


def _looked_up(flow: Flow) -> Iterator[Cell]:
    return _cells((*flow.lookup_tables, *flow.reference_tables))


def _written(flow: Flow, flows: Sequence[Flow]) -> Iterator[Cell]:
    yield from ((flow.target.table, name) for name, _ in flow.written_columns)
    yield from _cells(flow.side_tables)
    if isinstance(flow, MatchFlow):
        # Who matches a citizen fills the links of rows that others wrote.
        yield from (
            (other.target.table, other.link.column)
            for other in flows
            if other.link is not None and other.target.table.database is flow.target.table.database
        )


def _cells(tables: Sequence[SideTable]) -> Iterator[Cell]:
    return ((each.table, name) for each in tables for name in each.columns)


def _loop(found: Sequence[Hop]) -> list[str] | None:
    """The names of the flows of one loop, the first again at its end; nothing where there is none."""
    after: dict[str, list[str]] = {}
    for first, then in sorted({hop.names for hop in found}):
        after.setdefault(first, []).append(then)
    return next((loop for start in after if (loop := _way_back(start, after))), None)


def _way_back(start: str, after: dict[str, list[str]]) -> list[str] | None:
    ways, seen = [[start]], set[str]()
    while ways:
        way = ways.pop()
        for then in after.get(way[-1], ()):
            if then == start:
                return [*way, start]
            if then not in seen:
                seen.add(then)
                ways.append([*way, then])
    return None
