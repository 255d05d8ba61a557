"""What the intake tells Prometheus: how many callbacks, what became of them, how long it took. Senders are not told apart."""

from __future__ import annotations

import platform
import time
from collections import Counter
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from callbacks.health import Health
from callbacks.problems import Problem
from flows.callback_registry import CALLBACKS
from metrics import catalogue
from metrics.exposition import CONTENT_TYPE, Exposition
from metrics.samples import Distribution, Samples
from settings import VERSION

ACCEPTED: Final = "accepted"
#: The sender went away before it had its answer.
GONE: Final = "gone"
OUTCOMES: Final = (ACCEPTED, GONE, *(problem.name.lower() for problem in Problem))


class Figures:
    """Counts since the service started."""

    def __init__(self) -> None:
        self._started_at = time.time()
        self._routes = {callback.path: callback.route for callback in CALLBACKS}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._durations = {route: Distribution(catalogue.CALLBACK_SECONDS.buckets) for route in self._routes.values()}

    def answered(self, path: str, outcome: str, seconds: float) -> None:
        """A request is over; of other routes than callbacks nothing is counted."""
        route = self._routes.get(path)
        if route is not None:
            self._counts[route, outcome] += 1
            self._durations[route].add([seconds])

    def samples(self) -> Samples:
        """All outcomes, also those that did not occur: a rate needs a beginning."""
        samples = Samples()
        for route, durations in self._durations.items():
            for outcome in OUTCOMES:
                samples.set(catalogue.CALLBACKS_TOTAL, self._counts[route, outcome], route, outcome)
            samples.distribution(catalogue.CALLBACK_SECONDS, durations, route)
        samples.set(catalogue.CALLBACKS_STARTED, self._started_at)
        samples.set(catalogue.CALLBACKS_BUILD, 1, VERSION, platform.python_version())
        return samples


class Scrape:
    """The handler of `/metrics`."""

    def __init__(self, figures: Figures, health: Health) -> None:
        self._health = health
        self._exposition = Exposition([figures.samples, self._readiness])

    async def answer(self, _: Request) -> Response:
        """Never waits long for the brokers: what was known of them last stands."""
        await self._health.ask_briefly()
        return Response(self._exposition.text(), headers={"Content-Type": CONTENT_TYPE})

    def _readiness(self) -> Samples:
        samples = Samples()
        if self._health.known_ready is not None:
            samples.set(catalogue.CALLBACKS_READY, self._health.known_ready)
        return samples
