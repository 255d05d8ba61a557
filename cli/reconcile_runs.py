"""Runs of the reconciliation: do them, find them, go on with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import typer

from batch_timers.jobs import DAILY, WEEKLY
from cli.pools import open_pools
from cli.reconcile_broker import KafkaLog, kafka_log
from flows.model import CapturedFlow, Flow
from flows.registry import flow_named
from reconcile.archive import Pools, flows_of, newest_runs
from reconcile.canonical import Hashing, agreed_hashing
from reconcile.history import Record, State
from reconcile.kinds import comparison_of
from reconcile.light import horizon_of
from reconcile.ranges import Range
from reconcile.run import Request
from reconcile.session import begin, carry_on, estimated_rows, new_run
from reconcile.surroundings import Surroundings
from settings import PROGRAM, Settings
from sinks.operations.audit import RefusedError
from streams.retained import RetainedRows


@dataclass(frozen=True)
class Order:
    """What the operator wants. ``resume`` names a run that ended early."""

    flows: Sequence[Flow]
    repairs: bool
    key_from: str | None = None
    key_to: str | None = None
    patience: float = 60.0
    resume: str | None = None
    light: bool = False


class Listener(Protocol):
    """Hears how far a run is."""

    def begin(self, flow: Flow, rows: int | None) -> None:
        """A flow begins; ``rows`` of its source as the server estimates them, if it has one."""

    def step(self, record: Record) -> None:
        """A part of the flow is done."""


async def run_or_resume(settings: Settings, order: Order, listener: Listener) -> list[Record]:
    """Do a run and return how it ended, flow by flow; raises :class:`RefusedError` and ``KafkaError``."""
    requests = [(flow, Request(order.repairs, _bounds(flow, order), light=order.light)) for flow in order.flows]
    async with open_pools(settings) as pools, kafka_log(settings.kafka) as log:
        records = await _own(pools, order.resume) if order.resume else await _begun(pools, requests)
        for record in [each for each in records if each.state is not State.DONE]:
            await _reconcile(pools, log, record, order.patience, listener)
        return await flows_of(pools, records[0].run)


async def find_runs(settings: Settings, limit: int) -> list[list[Record]]:
    """Find the newest runs, newest first."""
    async with open_pools(settings) as pools:
        return await newest_runs(pools, limit)


async def run_named(settings: Settings, run: str) -> list[Record]:
    """Find one run; raises :class:`RefusedError`."""
    async with open_pools(settings) as pools:
        return await _to_resume(pools, run)


async def _begun(pools: Pools, requests: Sequence[tuple[Flow, Request]]) -> list[Record]:
    run = new_run()
    return [
        await begin(run, flow, pools[flow.target.table.database], request, await _horizon(pools, flow))
        for flow, request in requests
    ]


async def _horizon(pools: Pools, flow: Flow) -> int | None:
    return await horizon_of(pools[flow.source.table.database]) if isinstance(flow, CapturedFlow) else None


def _bounds(flow: Flow, order: Order) -> Range:
    kind, spelled = _keys(flow)
    try:
        return Range(*[key if key is None else spelled(key) for key in (order.key_from, order.key_to)])
    except ValueError:
        raise typer.BadParameter(f"keys of {flow.name} are of type {kind}", param_hint="--key-from") from None


def _keys(flow: Flow) -> tuple[object, Callable[[str], str]]:
    """The type of a flow's keys, and how the databases spell one that a person gives; that raises ``ValueError``."""
    if isinstance(flow, CapturedFlow):
        comparison = comparison_of(flow, Hashing(fast=False))  # for the spelling of keys any will do
        return comparison.key_type, comparison.spelled
    return "uuid", lambda key: str(UUID(key))  # as the definition of callbacks has it


async def _reconcile(pools: Pools, log: KafkaLog, record: Record, patience: float, listener: Listener) -> Record:
    flow = flow_named(record.flow)
    target = pools[flow.target.table.database]
    source = pools[flow.source.table.database] if isinstance(flow, CapturedFlow) else target
    listener.begin(flow, await estimated_rows(source, flow))
    around = Surroundings(source, target, log, await agreed_hashing(source, target), RetainedRows(log.reader))
    request = Request(record.repairs, record.bounds, patience, light=record.light)
    return await carry_on(record, flow, around, request, listener.step)


async def _own(pools: Pools, run: str) -> list[Record]:
    """Those of a run that a command began; workers go on with theirs by themselves."""
    if run.endswith((WEEKLY, DAILY)):
        raise RefusedError(f"run {run} is a job's, and workers go on with it; `{PROGRAM} jobs history` shows how it stands")
    return await _to_resume(pools, run)


async def _to_resume(pools: Pools, run: str) -> list[Record]:
    found = await flows_of(pools, run)
    if not found:
        raise RefusedError(f"there is no run {run}; `{PROGRAM} reconcile list` shows what there is")
    return found
