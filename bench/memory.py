"""Memory: what a worker holds with a large table, while it drains and afterwards."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.backlog import wait_for_backlog
from bench.contender import Contender
from bench.drain import MEGABYTE, watch_drain
from bench.figures import Figure, Goal, Of
from bench.ours import Ours
from bench.plain_loop import PlainLoop
from bench.process import MeasuredProcess
from bench.stage import Stage
from flows.model import RankedFlow

EVALUATIONS_PER_FAMILY = 2
FAMILIES_PER_TRANSACTION = 10_000
REST_SECONDS = 10.0
REST_SAMPLES = 20
LIMIT_MB = Goal(Of.VALUE, highest=250.0)

# Plain rows and no skew: what counts is the number of families.
_INSERT = """
INSERT INTO eligibility.eligibility_snapshots (family_id, scheme_code, evaluation_status, eligibility_score,
                                               confidence_score, explanation, evaluation_timestamp)
SELECT md5('memory/' || family)::uuid, 'SCHEME-' || (family + number * 7) %% 200, 'RULE_ELIGIBLE',
       (family * 31 + number) %% 10000 / 10000.0, 0.9, repeat('The household meets a condition. ', 4),
       now() - family %% 20 * interval '1 day'
FROM generate_series(%(first)s::int, %(last)s::int) AS family, generate_series(1, %(evaluations)s::int) AS number
"""


@dataclass(frozen=True)
class Held:
    """One contender's resident memory in megabytes: the most while it drained, the median at rest."""

    contender: str
    families: int
    peak_mb: float
    rest_mb: float


def load_families(stage: Stage, count: int) -> None:
    """Insert families of :data:`EVALUATIONS_PER_FAMILY` evaluations each."""
    for first in range(0, count, FAMILIES_PER_TRANSACTION):
        last = min(first + FAMILIES_PER_TRANSACTION, count) - 1
        stage.warehouse.rows(_INSERT, {"first": first, "last": last, "evaluations": EVALUATIONS_PER_FAMILY})


def measure_memory(stage: Stage, flow: RankedFlow, families: int) -> list[Held]:
    """Add families until the source has at least so many, and let both work off the whole topic."""
    there = int(stage.warehouse.value(f"SELECT count(DISTINCT {flow.ranking.group}) FROM {flow.source.table.qualified}"))  # noqa: S608
    load_families(stage, max(families - there, 0))
    return [_measure(stage, flow, contender) for contender in (Ours(flow), PlainLoop(flow))]


def _measure(stage: Stage, flow: RankedFlow, contender: Contender) -> Held:
    backlog = wait_for_backlog(stage, flow)
    contender.prepare(stage)
    process = MeasuredProcess(contender.name, stage.stack.folder)
    try:
        began = time.monotonic()
        process.start(contender.launch(stage))
        drained = watch_drain(stage, contender, backlog, process, began)
        rest = median(_samples(process)) / MEGABYTE
        contender.verify(stage)
    finally:
        process.stop()
        contender.clear(stage)
    stage.say(f"{contender.name}: {drained.peak_rss_mb:.0f} MB at most, {rest:.0f} MB at rest, {backlog.groups:,} families")
    return Held(contender.name, backlog.groups, drained.peak_rss_mb, rest)


def _samples(process: MeasuredProcess) -> list[int]:
    """Look at it for :data:`REST_SECONDS`: caches settle, the status goes on being reported."""
    found = []
    for _ in range(REST_SAMPLES):
        time.sleep(REST_SECONDS / REST_SAMPLES)
        found.append(process.rss_bytes())
    return found


def memory_figures(found: Sequence[Held]) -> list[Figure]:
    """Compare both."""
    ours, loop = found
    title = f"memory, {ours.families:,} families"
    return [
        Figure(f"{title}, at rest", "MB", ours.rest_mb, loop.contender, loop.rest_mb, LIMIT_MB),
        Figure(f"{title}, at most", "MB", ours.peak_mb, loop.contender, loop.peak_mb, LIMIT_MB),
    ]
