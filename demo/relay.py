"""Trickles into both databases at once, each in a thread of its own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from demo.databases import DatabaseName, connect
from demo.runner import Runner, burst_for
from demo.trickle import Trickle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from enum import StrEnum
    from threading import Event

    from demo.population import Population
    from demo.sources import Source
    from settings import Settings


@dataclass(frozen=True)
class Plan:
    """What to change: ``rate`` changes per second over all ``sources`` (0: as fast as possible), at most ``limit``.

    ``burst``: changes per transaction; None: what suits the rate.
    """

    population: Population
    seed: int
    sources: Collection[Source]
    rate: float
    burst: int | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Share:
    """One database's part of a plan."""

    database: DatabaseName
    sources: tuple[Source, ...]
    rate: float
    limit: int | None


def shares(plan: Plan) -> tuple[Share, ...]:
    """Divide a plan by the changes per day of its tables; the limits add up."""
    groups = [_sources_of(plan, database) for database in sorted({source.database for source in plan.sources})]
    per_day = [sum(source.per_day for source in group) for group in groups]
    limits = _divided(plan.limit, per_day)
    return tuple(
        Share(group[0].database, group, plan.rate * part / sum(per_day), limit)
        for group, part, limit in zip(groups, per_day, limits, strict=True)
    )


def _sources_of(plan: Plan, database: DatabaseName) -> tuple[Source, ...]:
    return tuple(source for source in plan.sources if source.database is database)


def _divided(limit: int | None, weights: list[int]) -> list[int | None]:
    if limit is None:
        return [None] * len(weights)
    bounds = [round(limit * reached / sum(weights)) for reached in accumulate(weights, initial=0)]
    return [upper - lower for lower, upper in pairwise(bounds)]


def run(plan: Plan, settings: Settings, say: Callable[[str], None], stop: Event) -> Counter[StrEnum]:
    """Make changes until the limit or until stopped; returns what was committed. One database's error ends both."""
    with ThreadPoolExecutor(thread_name_prefix="trickle") as threads:
        running = [threads.submit(_run_share, plan, share, settings, say, stop) for share in shares(plan)]
        done: Counter[StrEnum] = Counter()
        for each in running:
            done += each.result()
    return done


def _run_share(plan: Plan, share: Share, settings: Settings, say: Callable[[str], None], stop: Event) -> Counter[StrEnum]:
    trickle = Trickle(plan.population, plan.seed, sources=share.sources)
    open_connection = partial(connect, settings, share.database)
    runner = Runner(trickle, open_connection, lambda line: say(f"{share.database}: {line}"), stop)
    try:
        return runner.run(share.rate, plan.burst or burst_for(share.rate), share.limit)
    except BaseException:
        stop.set()
        raise
