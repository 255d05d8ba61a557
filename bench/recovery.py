"""Recovery: how long a worker with an empty data folder takes to have its table again from the changelog.

The time from the start of the process to the first new event in the target, less the same with the folder intact. The peer
is a Faust table as it comes, which reads the same changelog into its own RocksDB.
"""

import asyncio
import shutil
import sys
import time
from dataclasses import dataclass

from bench.backlog import Backlog
from bench.drain import wait_until
from bench.figures import Figure
from bench.ours import Ours
from bench.probes import Families, ProbeFlow
from bench.process import Launch, MeasuredProcess
from bench.stage import Stage
from bench.watches import hints_watch
from cli.broker import log_ranges
from flows.model import RankedFlow

RATE = 20.0
FLOW_SECONDS = 120.0
STOCK_SECONDS = 15.0  # it is slow and steady


@dataclass(frozen=True)
class Recovered:
    """``records`` of the changelog; seconds to the first event, folder intact and empty; stock Faust's records per second."""

    records: int
    warm: float
    empty: float
    stock_rate: float

    @property
    def seconds(self) -> float:
        """What the recovery alone takes."""
        return max(self.empty - self.warm, 0.001)


def measure_recovery(stage: Stage, flow: RankedFlow, backlog: Backlog, families: Families) -> Recovered:
    """Fill the table, then start again with it, without it, and with stock Faust on the same changelog."""
    ours = Ours(flow)
    ours.prepare(stage)
    process = MeasuredProcess("worker-1", stage.stack.folder)
    try:
        process.start(ours.launch(stage))
        wait_until(lambda: ours.finished(stage, backlog), process, "the backlog is worked off")
        process.stop()
        warm = _seconds_to_first_event(stage, flow, ours, process, families)
        shutil.rmtree(ours.data_dir(stage, "worker-1"))
        records = _changelog_records(stage, ours)
        empty = _seconds_to_first_event(stage, flow, ours, process, families)
    finally:
        process.stop()
    found = Recovered(records, warm, empty, _stock_rate(stage, ours))
    stage.say(f"recovery of {records:,} changelog records: {found.seconds:.1f} s beyond a warm start of {warm:.1f} s")
    return found


def _seconds_to_first_event(stage: Stage, flow: RankedFlow, ours: Ours, process: MeasuredProcess, families: Families) -> float:
    """Start the worker in a flow of events and stop it when they have come through."""
    began = time.perf_counter()
    with ProbeFlow(stage, families, RATE, hints_watch(flow)) as probes:
        process.start(ours.launch(stage))
        probes.until(lambda: bool(probes.latencies), "an event comes through", FLOW_SECONDS)
        took = time.perf_counter() - began
    process.stop()
    return took


def changelog_topic(ours: Ours) -> str:
    """Return the name of the table's changelog."""
    return f"{ours.application_id}-{ours.flow.name}-candidates-v1-changelog"


def _changelog_records(stage: Stage, ours: Ours) -> int:
    partitions = [(changelog_topic(ours), number) for number in range(ours.flow.partitions)]
    ranges = asyncio.run(log_ranges(stage.settings.kafka, partitions))
    return sum(found.end - found.start for found in ranges.values())


def _stock_rate(stage: Stage, ours: Ours) -> float:
    """Return the records per second of the stock table, over all of the changelog or :data:`STOCK_SECONDS`."""
    data = stage.stack.folder.data(stage.new_name("stock"))
    answer = data.with_suffix(".answer")
    process = MeasuredProcess("stock-recovery", stage.stack.folder)
    arguments = [changelog_topic(ours), str(ours.flow.partitions), str(data), str(STOCK_SECONDS), str(answer)]
    try:
        process.start(Launch([sys.executable, "-m", "bench.programs.stock_recovery", *arguments]))
        wait_until(answer.exists, process, "the stock table has recovered")
    finally:
        process.stop()
    records, seconds = map(float, answer.read_text().split())
    return records / seconds


def recovery_figures(found: Recovered) -> list[Figure]:
    """Compare both on the same changelog."""
    rate = found.records / found.seconds
    return [Figure("table recovery from the changelog", "records/s", rate, "stock Faust", found.stock_rate)]
