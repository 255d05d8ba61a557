"""A run over one flow: step by step, each kept as soon as it is done, until the end or until something is in the way."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import psycopg2
import psycopg2.errorcodes
from aiokafka.errors import KafkaError

from flows.callback_model import CallbackFlow
from flows.model import CapturedFlow, Flow
from reconcile.history import Record, State, save
from reconcile.level import NotLevel
from reconcile.light import good_since
from reconcile.progress import Progress
from reconcile.run import Reconciliation, Request
from reconcile.surroundings import Surroundings
from reconcile.topic import TopicReconciliation
from sinks.pool import Pool, StatementTimeout, Unavailable
from sinks.source_rows import FenceTimeout

#: What keeps a run from saying what differs; it may go on later.
OBSTACLES: Final = (FenceTimeout, KafkaError, NotLevel, StatementTimeout, TimeoutError, Unavailable, psycopg2.Error)

_ESTIMATE: Final = """
    SELECT greatest(c.reltuples, 0)::bigint FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = %s
    """


def new_run() -> str:
    """The name of a run; names sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def run_of_slot(group: str, slot: datetime) -> str:
    """The name of the run that jobs of a group do for a slot: one for all flows. Run again, its report is replaced."""
    return f"{slot:%Y%m%dT%H%M%SZ}-{group}"


async def estimated_rows(source: Pool, flow: Flow) -> int | None:
    """About how many rows there are to compare; ``None`` of a callback flow."""
    if not isinstance(flow, CapturedFlow):
        return None
    table = flow.source.table
    async with source.session() as session:
        row = await session.row(_ESTIMATE, (table.schema, table.name))
    return int(row[0]) if row else 0


def beginning(run: str, flow: Flow, request: Request, horizon: int | None) -> Record:
    """A flow in a run, before its first step. ``horizon``: see :mod:`reconcile.light`."""
    record = Record(run, flow.name, request.repairs, request.bounds, State.RUNNING, Progress())
    return replace(record, light=request.light, horizon=horizon)


async def begin(run: str, flow: Flow, target: Pool, request: Request, horizon: int | None = None) -> Record:
    """The same, kept, so that a run that is killed can go on."""
    record = beginning(run, flow, request, horizon)
    await _keep(record, target)
    return record


async def steps(record: Record, flow: Flow, around: Surroundings, request: Request) -> AsyncGenerator[Record, None]:
    """Go on from where ``record`` stands, to the end; raises :data:`OBSTACLES`. Whoever calls keeps each step before the next."""
    stepper = await _stepper(flow, around, request)
    while not record.progress.finished:
        progress = await stepper.step(record.progress)
        state = State.DONE if progress.finished else State.RUNNING
        record = replace(record, progress=progress, state=state, problem=None)
        yield record


async def _stepper(flow: Flow, around: Surroundings, request: Request) -> Reconciliation | TopicReconciliation:
    since = await good_since(around.target, flow) if request.light else None
    if isinstance(flow, CallbackFlow):
        return TopicReconciliation(flow, around, request)
    assert isinstance(flow, CapturedFlow), f"flow {flow.name} has neither a source table nor a topic of its own"
    return Reconciliation(flow, around, request, since)


async def carry_on(
    record: Record, flow: Flow, around: Surroundings, request: Request, tell: Callable[[Record], None] = lambda _: None
) -> Record:
    """Go on from where ``record`` stands, to the end or to an obstacle; ``tell`` hears of every step."""
    try:
        async for done in steps(record, flow, around, request):
            record = done
            await _keep(record, around.target)
            tell(record)
    except OBSTACLES as error:
        record = undecided(record, error)
        await _keep(record, around.target)
    return record


def undecided(record: Record, error: Exception) -> Record:
    """The record where something was in the way."""
    return replace(record, state=State.UNDECIDED, problem=described(error))


async def _keep(record: Record, target: Pool) -> None:
    async with target.session() as session:
        await save(session, record)


def described(error: Exception) -> str:
    """What was in the way; never the message of a database, which may quote a value."""
    if isinstance(error, psycopg2.Error):
        name = psycopg2.errorcodes.lookup(error.pgcode) if error.pgcode else type(error).__name__
        return f"a database refused a statement: {name}"
    if isinstance(error, KafkaError):
        return f"Kafka: {type(error).__name__}"
    return str(error) or type(error).__name__
