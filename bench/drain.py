"""Drain: how fast each contender works off the same records, which all wait in the topic before it starts."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.backlog import Backlog
from bench.contender import Contender
from bench.errors import BenchError
from bench.process import MeasuredProcess
from bench.stage import Stage
from flows.tables import Database

DRAIN_SECONDS = 900.0
LOOK_SECONDS = 0.02
MEGABYTE = 2**20


@dataclass(frozen=True)
class Drained:
    """One contender's run.

    ``rate``: records per second from the first visible one on; ``rate_from_start``: from the start of the process.
    ``cpu_us``: the process's CPU per record in microseconds, from the first visible one on. ``machine_load``: the mean
    number of runnable processes of the last minute, at the end.
    """

    contender: str
    records: int
    seconds: float
    rate: float
    rate_from_start: float
    cpu_us: float
    peak_rss_mb: float
    machine_load: float


def drain(stage: Stage, contender: Contender, backlog: Backlog) -> Drained:
    """Run the contender over the backlog from nothing; raises ``BenchError`` when it dies, stalls or is wrong."""
    contender.prepare(stage)
    for database in Database:
        stage.of(database).rows("CHECKPOINT")  # one contender's dirty pages are not written at the cost of the next
    process = MeasuredProcess(contender.name, stage.stack.folder)
    try:
        began = time.monotonic()
        process.start(contender.launch(stage))
        measured = watch_drain(stage, contender, backlog, process, began)
        contender.verify(stage)
    finally:
        process.stop()
    contender.clear(stage)
    stage.say(f"{contender.name}: {measured.rate:,.0f} events/s, {measured.cpu_us:.0f} µs CPU each, verified")
    return measured


def watch_drain(stage: Stage, contender: Contender, backlog: Backlog, process: MeasuredProcess, began: float) -> Drained:
    """Watch a process that was started at ``began`` (``time.monotonic()``) until it has worked off the backlog."""
    wait_until(lambda: contender.started(stage), process, "the first record is visible")
    first, visible, cpu = time.monotonic(), contender.visible(stage), process.cpu_seconds()
    peak = 0

    def finished() -> bool:
        nonlocal peak
        peak = max(peak, process.rss_bytes())
        return contender.finished(stage, backlog)

    wait_until(finished, process, "the last records are visible")
    done, used = time.monotonic(), process.cpu_seconds() - cpu
    rest = max(backlog.records - visible, 1)
    return Drained(
        contender=contender.name,
        records=backlog.records,
        seconds=done - began,
        rate=rest / (done - first),
        rate_from_start=backlog.records / (done - began),
        cpu_us=used / rest * 1e6,
        peak_rss_mb=peak / MEGABYTE,
        machine_load=os.getloadavg()[0],
    )


def wait_until(condition: Callable[[], bool], process: MeasuredProcess, what: str) -> None:
    """Return when the condition holds; raises ``BenchError`` when the process ends before, or after a quarter of an hour."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while not condition():
        process.check()
        if time.monotonic() > deadline:
            raise BenchError(f"{process.name}: not within {DRAIN_SECONDS:.0f} s: {what}")
        time.sleep(LOOK_SECONDS)
