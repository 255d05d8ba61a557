"""Scale: two workers against one on the same backlog."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.backlog import Backlog
from bench.drain import wait_until
from bench.errors import BenchError
from bench.figures import Figure
from bench.ours import Ours
from bench.process import MeasuredProcess
from bench.stage import Stage
from flows.model import CapturedFlow

# A worker reports once a second what it has done.
REPORT_SECONDS = 10.0
REPORT_PAUSE = 0.2


@dataclass(frozen=True)
class Shared:
    """A drain by ``workers``: records per second from the first commit on, and records per worker."""

    workers: int
    rate: float
    shares: dict[str, int]


def measure_scale(stage: Stage, flow: CapturedFlow, backlog: Backlog, workers: Sequence[int] = (1, 2)) -> list[Shared]:
    """Drain with each number of workers; raises ``BenchError`` when one is idle or a record is applied twice."""
    return [_measure(stage, Ours(flow), backlog, count) for count in workers]


def _measure(stage: Stage, ours: Ours, backlog: Backlog, count: int) -> Shared:
    ours.prepare(stage)
    _set_state(stage, ours, "paused")
    names = [f"worker-{number}" for number in range(1, count + 1)]
    processes = [MeasuredProcess(name, stage.stack.folder) for name in names]
    with ExitStack() as closing:
        for process in processes:
            closing.callback(process.stop)
            process.start(ours.launch(stage, process.name))
        wait_until(lambda: _owners(stage, ours) == set(names), processes[0], "every worker has partitions")
        _set_state(stage, ours, "running")
        rate = _rate(stage, ours, backlog, processes)
        ours.verify(stage)
        shares = _shares(stage, ours, backlog)
    shared = ", ".join(f"{name} {share:,}" for name, share in shares.items())
    stage.say(f"{count} worker{'s' * (count > 1)}: {rate:,.0f} events/s ({shared}), no record twice, verified")
    return Shared(count, rate, shares)


def _set_state(stage: Stage, ours: Ours, state: str) -> None:
    """Pause or resume the flow, so that all workers stand ready before the first record."""
    statement = """
        INSERT INTO sync.flow_state (flow, state) VALUES (%s, %s)
        ON CONFLICT (flow) DO UPDATE SET state = excluded.state, changed_at = now()
    """
    stage.citizen.rows(statement, (ours.flow.name, state))


def _owners(stage: Stage, ours: Ours) -> set[str]:
    """Return the owners once every partition has one."""
    rows = stage.citizen.rows("SELECT owner FROM sync.ledger WHERE flow = %s", (ours.flow.name,))
    return {owner for (owner,) in rows} if len(rows) == ours.flow.partitions * len(ours.flow.topics) else set()


def _rate(stage: Stage, ours: Ours, backlog: Backlog, processes: Sequence[MeasuredProcess]) -> float:
    wait_until(lambda: ours.started(stage), processes[0], "the first record is visible")
    began, visible = time.monotonic(), ours.visible(stage)
    wait_until(lambda: ours.finished(stage, backlog), processes[0], "the last records are visible")
    for process in processes:
        process.check()
    return (backlog.records - visible) / (time.monotonic() - began)


def _shares(stage: Stage, ours: Ours, backlog: Backlog) -> dict[str, int]:
    """Return the records of each worker, which must add up to the backlog in their reports and in the ledger."""
    deadline = time.monotonic() + REPORT_SECONDS
    while sum((shares := _reported(stage, ours)).values()) < backlog.records and time.monotonic() < deadline:
        time.sleep(REPORT_PAUSE)
    read = int(stage.citizen.value("SELECT sum(records_read) FROM sync.ledger WHERE flow = %s", (ours.flow.name,)))
    idle = [name for name, share in shares.items() if not share]
    if idle or read != backlog.records or sum(shares.values()) != backlog.records:
        raise BenchError(f"{backlog.records:,} records, {read:,} read by the ledger, per worker {shares}")
    return shares


def _reported(stage: Stage, ours: Ours) -> dict[str, int]:
    statement = """
        SELECT name, sum((flow->>'events')::bigint) FROM sync.worker, jsonb_array_elements(state->'flows') AS flow
        WHERE flow->>'flow' = %s GROUP BY name ORDER BY name
    """
    return {name: int(events) for name, events in stage.citizen.rows(statement, (ours.flow.name,))}


def scale_figures(found: Sequence[Shared]) -> list[Figure]:
    """Compare two workers with one."""
    one, two = found
    return [Figure(f"drain by {two.workers} workers", "events/s", two.rate, "one worker", one.rate)]
