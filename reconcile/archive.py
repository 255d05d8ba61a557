"""Runs of the reconciliation over both databases, each with all of its flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from flows.registry import CAPTURED
from flows.tables import Database
from reconcile import history
from reconcile.history import Record
from sinks.pool import Pool

Pools = Mapping[Database, Pool]


async def flows_of(pools: Pools, run: str) -> list[Record]:
    """The flows of one run, in the order in which flows are reconciled; empty when there is no such run."""
    return _in_order(await _found(pools, run, len(CAPTURED), rows=True))


async def newest_runs(pools: Pools, limit: int) -> list[list[Record]]:
    """The newest runs, newest first, each with all of its flows; counts, but no rows."""
    runs: dict[str, list[Record]] = defaultdict(list)
    # A run has each flow at most once, so that none of the newest is cut.
    for record in await _found(pools, None, limit * len(CAPTURED), rows=False):
        runs[record.run].append(record)
    return [_in_order(runs[name]) for name in sorted(runs, reverse=True)[:limit]]


async def _found(pools: Pools, run: str | None, limit: int, *, rows: bool) -> list[Record]:
    found: list[Record] = []
    for pool in pools.values():
        async with pool.session() as session:
            found += await history.find(session, run, limit, rows=rows)
    return found


def _in_order(records: Iterable[Record]) -> list[Record]:
    places = {flow.name: place for place, flow in enumerate(CAPTURED)}
    return sorted(records, key=lambda each: places.get(each.flow, len(places)))
