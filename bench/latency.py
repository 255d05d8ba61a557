"""Latency: from the commit in the warehouse to the row that the portal reads, through everything."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.backlog import Backlog
from bench.contender import Contender
from bench.drain import wait_until
from bench.figures import Figure, Goal, Of, percentile
from bench.ours import Ours
from bench.plain_loop import PlainLoop
from bench.probes import Families, ProbeFlow, Watch
from bench.process import MeasuredProcess
from bench.stage import Stage
from bench.watches import hints_watch, peer_watch
from flows.model import RankedFlow

WARM_UP_RATE = 20.0
WARM_UP_SECONDS = 3.0
P50_MS, P99_MS = Goal(Of.VALUE, highest=40.0), Goal(Of.VALUE, highest=150.0)


@dataclass(frozen=True)
class Rate:
    """So many commits per second for so many seconds."""

    per_second: float
    seconds: float


RATES = (Rate(2.3, 40.0), Rate(231.0, 30.0))


@dataclass(frozen=True)
class Latencies:
    """One contender at one rate; milliseconds."""

    contender: str
    rate: float
    probes: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def measure_latency(stage: Stage, flow: RankedFlow, backlog: Backlog, families: Families) -> list[Latencies]:
    """Measure the product, then the plain loop, each alone with the stack, at all rates."""
    loop = PlainLoop(flow)
    ours = _measure(stage, Ours(flow), hints_watch(flow), backlog, families)
    return ours + _measure(stage, loop, peer_watch(loop), backlog, families)


def _measure(stage: Stage, contender: Contender, watch: Watch, backlog: Backlog, families: Families) -> list[Latencies]:
    contender.prepare(stage)
    process = MeasuredProcess(contender.name, stage.stack.folder)
    try:
        process.start(contender.launch(stage))
        wait_until(lambda: contender.finished(stage, backlog), process, "the backlog is worked off")
        with ProbeFlow(stage, families, WARM_UP_RATE, watch) as warm_up:
            warm_up.run(WARM_UP_SECONDS)
        return [_at(stage, contender, watch, rate, families) for rate in RATES]
    finally:
        process.stop()
        contender.clear(stage)


def _at(stage: Stage, contender: Contender, watch: Watch, rate: Rate, families: Families) -> Latencies:
    with ProbeFlow(stage, families, rate.per_second, watch) as flow:
        flow.run(rate.seconds)
    waits = [wait * 1000 for _, wait in flow.latencies.values()]
    found = Latencies(contender.name, rate.per_second, len(waits), percentile(waits, 0.5), percentile(waits, 0.99), max(waits))
    stage.say(
        f"{found.contender} at {found.rate:g}/s: p50 {found.p50_ms:.0f}, p99 {found.p99_ms:.0f}, most {found.max_ms:.0f} ms"
        f" of {found.probes:,}"
    )
    return found


def latency_figures(found: Sequence[Latencies]) -> list[Figure]:
    """Compare at each rate."""
    theirs = {each.rate: each for each in found if each.contender != Ours.name}
    figures = []
    for ours in (each for each in found if each.contender == Ours.name):
        peer, title = theirs[ours.rate], f"commit → visible at {ours.rate:g}/s"
        figures.append(Figure(f"{title}, p50", "ms", ours.p50_ms, peer.contender, peer.p50_ms, P50_MS))
        figures.append(Figure(f"{title}, p99", "ms", ours.p99_ms, peer.contender, peer.p99_ms, P99_MS))
    return figures
