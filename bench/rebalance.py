"""Rebalance: how long the flow of events pauses when a second worker joins, and when it leaves again.

The second worker begins with an empty data folder, so that its pause holds the recovery of the partitions it takes over.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.backlog import Backlog
from bench.drain import wait_until
from bench.figures import Figure
from bench.group import stable_members
from bench.ours import Ours
from bench.plain_loop import PlainLoop
from bench.probes import Families, ProbeFlow, Watch
from bench.process import Launch, MeasuredProcess
from bench.stage import Stage
from bench.watches import hints_watch, peer_watch
from flows.model import RankedFlow

RATE = 100.0
STEADY_SECONDS = 5.0
SETTLE_SECONDS = 5.0
GROUP_SECONDS = 60.0
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Pauses:
    """Of one contender the longest commit → visible of any event in each phase, in seconds."""

    contender: str
    steady: float
    join: float
    leave: float


@dataclass(frozen=True)
class _Case:
    """A contender with two processes: ``group`` is its Kafka group, ``launches`` how to start each."""

    name: str
    group: str
    watch: Watch
    launches: tuple[Launch, Launch]
    finished: Callable[[], bool]
    clear: Callable[[], None]


def measure_rebalance(stage: Stage, flow: RankedFlow, backlog: Backlog, families: Families) -> list[Pauses]:
    """Measure the product, then two plain loops of one group."""
    return [_measure(stage, make(stage, flow, backlog), families) for make in (_ours, _plain_loops)]


def _ours(stage: Stage, flow: RankedFlow, backlog: Backlog) -> _Case:
    ours = Ours(flow)
    ours.prepare(stage)
    launches = (ours.launch(stage, "worker-1"), ours.launch(stage, "worker-2"))
    finished, clear = lambda: ours.finished(stage, backlog), lambda: ours.clear(stage)
    return _Case(ours.name, ours.application_id, hints_watch(flow), launches, finished, clear)


def _plain_loops(stage: Stage, flow: RankedFlow, backlog: Backlog) -> _Case:
    loop = PlainLoop(flow)
    loop.prepare(stage)
    launches = (loop.launch(stage), loop.launch(stage))
    finished, clear = lambda: loop.finished(stage, backlog), lambda: loop.clear(stage)
    return _Case(loop.name, loop.group, peer_watch(loop), launches, finished, clear)


def _measure(stage: Stage, case: _Case, families: Families) -> Pauses:
    first, second = (MeasuredProcess(f"{case.name} {n}", stage.stack.folder) for n in (1, 2))
    try:
        first.start(case.launches[0])
        wait_until(case.finished, first, "the backlog is worked off")
        with ProbeFlow(stage, families, RATE, case.watch) as flow:
            steady = _longest(flow, lambda: flow.run(STEADY_SECONDS))
            join = _longest(flow, lambda: _change(stage, case, flow, 2, lambda: second.start(case.launches[1])))
            leave = _longest(flow, lambda: _change(stage, case, flow, 1, second.ask_to_stop))
        stage.say(f"{case.name}: the flow pauses {join:.2f} s for a join, {leave:.2f} s for a leave, {steady:.2f} s for none")
    finally:
        second.stop()
        first.stop()
        case.clear()
    return Pauses(case.name, steady, join, leave)


def _longest(flow: ProbeFlow, phase: Callable[[], None]) -> float:
    """Return the longest wait of an event that was committed in the phase."""
    began = time.perf_counter()
    phase()
    flow.settle()
    return flow.longest(began)


def _change(stage: Stage, case: _Case, flow: ProbeFlow, members: int, change: Callable[[], None]) -> None:
    """Change the group, and watch until it is settled and everything flows again."""
    change()
    next_look = 0.0

    def shared() -> bool:
        nonlocal next_look
        if time.monotonic() < next_look:
            return False
        next_look = time.monotonic() + LOOK_SECONDS
        return stable_members(stage, case.group) == members

    flow.until(shared, f"the group of {case.name} has {members} members", GROUP_SECONDS)
    flow.run(SETTLE_SECONDS)


def rebalance_figures(found: Sequence[Pauses]) -> list[Figure]:
    """Compare the pauses."""
    ours, loop = found
    return [
        Figure("pause when a worker joins", "s", ours.join, loop.contender, loop.join),
        Figure("pause when a worker leaves", "s", ours.leave, loop.contender, loop.leave),
    ]
