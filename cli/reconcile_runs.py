"""Runs of the reconciliation: do them, find them, go on with them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import typer

from cli.reconcile_broker import kafka_log
from flows.model import CapturedFlow
from flows.registry import captured_named
from flows.tables import Database
from reconcile.archive import Pools, flows_of, newest_runs
from reconcile.broker import Broker
from reconcile.canonical import Hashing, agreed_hashing
from reconcile.history import Record, State
from reconcile.kinds import comparison_of
from reconcile.ranges import Range
from reconcile.run import Request, Surroundings
from reconcile.session import begin, carry_on, new_run
from settings import PROGRAM, Settings
from sinks.operations.audit import RefusedError
from sinks.pool import Pool


@dataclass(frozen=True)
class Order:
    """What the operator wants. ``resume`` names a run that ended early."""

    flows: Sequence[CapturedFlow]
    repairs: bool
    key_from: str | None = None
    key_to: str | None = None
    patience: float = 60.0
    resume: str | None = None


class Listener(Protocol):
    """Hears how far a run is."""

    def begin(self, flow: CapturedFlow, rows: int) -> None:
        """A flow begins; ``rows`` of its source as the server estimates them."""

    def step(self, record: Record) -> None:
        """A part of the flow is done."""


async def run_or_resume(settings: Settings, order: Order, listener: Listener) -> list[Record]:
    """Do a run and return how it ended, flow by flow; raises :class:`RefusedError` and ``KafkaError``."""
    requests = [(flow, Request(order.repairs, _bounds(flow, order))) for flow in order.flows]
    async with _pools(settings) as pools, kafka_log(settings.kafka) as log:
        records = await _to_resume(pools, order.resume) if order.resume else await _begun(pools, requests)
        for record in [each for each in records if each.state is not State.DONE]:
            await _reconcile(pools, log, record, order.patience, listener)
        return await flows_of(pools, records[0].run)


async def find_runs(settings: Settings, limit: int) -> list[list[Record]]:
    """Find the newest runs, newest first."""
    async with _pools(settings) as pools:
        return await newest_runs(pools, limit)


async def run_named(settings: Settings, run: str) -> list[Record]:
    """Find one run; raises :class:`RefusedError`."""
    async with _pools(settings) as pools:
        return await _to_resume(pools, run)


async def _begun(pools: Pools, requests: Sequence[tuple[CapturedFlow, Request]]) -> list[Record]:
    run = new_run()
    return [await begin(run, flow, pools[flow.target.table.database], request) for flow, request in requests]


def _bounds(flow: CapturedFlow, order: Order) -> Range:
    comparison = comparison_of(flow, Hashing(fast=False))  # for the spelling of keys any will do
    try:
        return Range(*[key if key is None else comparison.spelled(key) for key in (order.key_from, order.key_to)])
    except ValueError:
        raise typer.BadParameter(f"keys of {flow.name} are of type {comparison.key_type}", param_hint="--key-from") from None


async def _reconcile(pools: Pools, log: Broker, record: Record, patience: float, listener: Listener) -> Record:
    flow = captured_named(record.flow)
    source, target = pools[flow.source.table.database], pools[flow.target.table.database]
    listener.begin(flow, await _rows(source, flow))
    around = Surroundings(source, target, log, await agreed_hashing(source, target))
    return await carry_on(record, flow, around, Request(record.repairs, record.bounds, patience), listener.step)


async def _rows(source: Pool, flow: CapturedFlow) -> int:
    table = flow.source.table
    async with source.session() as session:
        row = await session.row(_ESTIMATE, (table.schema, table.name))
    return int(row[0]) if row else 0


async def _to_resume(pools: Pools, run: str) -> list[Record]:
    found = await flows_of(pools, run)
    if not found:
        raise RefusedError(f"there is no run {run}; `{PROGRAM} reconcile list` shows what there is")
    return found


@asynccontextmanager
async def _pools(settings: Settings) -> AsyncIterator[Pools]:
    pools = {database: Pool(settings.databases[database.value]) for database in Database}
    try:
        yield pools
    finally:
        for pool in pools.values():
            await pool.close()


_ESTIMATE = """
    SELECT greatest(c.reltuples, 0)::bigint FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = %s
    """
