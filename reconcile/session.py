"""A run over one flow: step by step, each kept as soon as it is done, until the end or until something is in the way."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import psycopg2
import psycopg2.errorcodes
from aiokafka.errors import KafkaError

from flows.model import CapturedFlow
from reconcile.history import Record, State, save
from reconcile.level import NotLevel
from reconcile.progress import Progress
from reconcile.run import Reconciliation, Request, Surroundings
from sinks.pool import Pool, StatementTimeout, Unavailable
from sinks.source_rows import FenceTimeout

#: What keeps a run from saying what differs; it may go on later.
OBSTACLES: Final = (FenceTimeout, KafkaError, NotLevel, StatementTimeout, Unavailable, psycopg2.Error)


def new_run() -> str:
    """The name of a run; names sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


async def begin(run: str, flow: CapturedFlow, target: Pool, request: Request) -> Record:
    """A flow in a run, before its first step; kept, so that a run that is killed can go on."""
    record = Record(run, flow.name, request.repairs, request.bounds, State.RUNNING, Progress())
    await _keep(record, target)
    return record


async def carry_on(
    record: Record, flow: CapturedFlow, around: Surroundings, request: Request, tell: Callable[[Record], None] = lambda _: None
) -> Record:
    """Go on from where ``record`` stands, to the end or to an obstacle; ``tell`` hears of every step."""
    record = replace(record, state=State.RUNNING, problem=None)
    try:
        reconciliation = Reconciliation(flow, around, request)
        while not record.progress.finished:
            progress = await reconciliation.step(record.progress)
            record = replace(record, progress=progress, state=State.DONE if progress.finished else State.RUNNING)
            await _keep(record, around.target)
            tell(record)
    except OBSTACLES as error:
        record = replace(record, state=State.UNDECIDED, problem=described(error))
        await _keep(record, around.target)
    return record


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
