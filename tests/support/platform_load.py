"""The demo's trickles into both databases, in the background of a test, through outages."""

from collections import Counter
from enum import StrEnum
from threading import Event, Thread
from types import TracebackType
from typing import Self

from demo.population import Population
from demo.relay import Plan, run
from demo.sources import EVALUATIONS, SOURCES
from flows.model import CapturedFlow
from flows.registry import FLOWS
from settings import Settings

READ = {flow.source.table.qualified for flow in FLOWS if isinstance(flow, CapturedFlow)}
CHANGING = [source for source in SOURCES if source.table in READ]
PEAK = 4  # times the daily mean
TIMES = 20
RATE = TIMES * PEAK * sum(source.per_day for source in CHANGING) / 86_400


class PlatformLoad:
    """Carries out a plan inside the block; `done` tells afterwards what was committed."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self.done: Counter[StrEnum] = Counter()
        self._settings = settings
        self._plan = plan
        self._stop = Event()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name="platform-load", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            self.done = run(self._plan, self._settings, lambda _: None, self._stop)
        except BaseException as error:  # noqa: BLE001 told to the test when the block ends
            self._failure = error


def peak_load(settings: Settings, population: Population, seed: int) -> PlatformLoad:
    """Return changes of everything that the flows read, at TIMES times their peak."""
    return PlatformLoad(settings, Plan(population, seed, CHANGING, RATE))


def evaluations_load(settings: Settings, population: Population, seed: int, rate: float) -> PlatformLoad:
    """Return `rate` changes of evaluations per second."""
    return PlatformLoad(settings, Plan(population, seed, [EVALUATIONS], rate))
