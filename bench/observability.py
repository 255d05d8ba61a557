"""What metrics cost: the drain of the product with and without them, in one run, with a scrape every second."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import ClassVar

import httpx

from bench.backlog import Backlog
from bench.drain import Drained, drain
from bench.figures import Figure, Goal, Of
from bench.ours import Ours
from bench.process import Launch
from bench.stage import Stage
from flows.model import CapturedFlow

SCRAPE_SECONDS = 1.0  # Prometheus asks every 15
_GOAL = Goal(Of.RATIO, lowest=0.97)
#: A run with metrics and the one without that stood beside it.
Pair = tuple[Drained, Drained]


@dataclass
class Unobserved(Ours):
    """The product without metrics."""

    name: ClassVar = "ours without metrics"

    def launch(self, stage: Stage, worker: str = "worker-1") -> Launch:
        """As it is, but for the setting."""
        launch = super().launch(stage, worker)
        return replace(launch, env={**launch.env, "SYNC_WORKER__METRICS": "false"})


def measure_observability(stage: Stage, flow: CapturedFlow, backlog: Backlog, rounds: int) -> list[Drained]:
    """Drain by turns with and without metrics, so that what the machine does meanwhile meets both."""
    runs = []
    for number in range(rounds):
        pair = (_observed, _unobserved) if number % 2 == 0 else (_unobserved, _observed)
        runs += [measure(stage, flow, backlog) for measure in pair]
    return runs


def observability_figures(runs: list[Drained]) -> list[Figure]:
    """Compare runs that followed one another; the pair with the median ratio counts, of rates and of CPU."""
    pairs = list(zip(*([run for run in runs if run.contender == name] for name in (Ours.name, Unobserved.name)), strict=True))
    with_, without = _median_pair(pairs, lambda run: run.rate)
    drained = Figure("drain with metrics", "events/s", with_.rate, Unobserved.name, without.rate, _GOAL)
    with_, without = _median_pair(pairs, lambda run: run.cpu_us)
    return [drained, Figure("drain with metrics CPU", "µs/event", with_.cpu_us, Unobserved.name, without.cpu_us)]


def _median_pair(pairs: Sequence[Pair], of: Callable[[Drained], float]) -> Pair:
    return sorted(pairs, key=lambda pair: of(pair[0]) / of(pair[1]))[len(pairs) // 2]


def _observed(stage: Stage, flow: CapturedFlow, backlog: Backlog) -> Drained:
    ours = Ours(flow)
    with _scraped(ours):
        return drain(stage, ours, backlog)


def _unobserved(stage: Stage, flow: CapturedFlow, backlog: Backlog) -> Drained:
    return drain(stage, Unobserved(flow), backlog)


@contextmanager
def _scraped(ours: Ours) -> Iterator[None]:
    """Ask for the metrics again and again inside the block; a worker that has not started yet does not answer."""
    stop = threading.Event()

    def ask() -> None:
        # One client for all: to make one costs ten times as much as a scrape, on the same machine.
        with httpx.Client(timeout=SCRAPE_SECONDS) as client:
            while not stop.wait(SCRAPE_SECONDS):
                with suppress(httpx.HTTPError):
                    client.get(ours.metrics_url)

    thread = threading.Thread(target=ask, name="scraper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
