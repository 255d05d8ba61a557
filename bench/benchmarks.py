"""The benchmarks by name: each takes the stage as it finds it and answers with figures."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.backlog import Backlog, load_demo, load_people, wait_for_backlog
from bench.batches import batch_figures, measure_batches
from bench.contender import Contender
from bench.drain import drain
from bench.drain_figures import drain_figures
from bench.figures import Figure
from bench.jdbc_sink import JdbcSink
from bench.jdbc_sink_with_schemas import JdbcSinkWithSchemas
from bench.latency import latency_figures, measure_latency
from bench.memory import measure_memory, memory_figures
from bench.observability import measure_observability, observability_figures
from bench.ours import Ours
from bench.plain_loop import PlainLoop
from bench.probes import Families
from bench.quix import Quix
from bench.rebalance import measure_rebalance, rebalance_figures
from bench.reconciliation import measure_reconciliation, reconciliation_figures
from bench.recovery import measure_recovery, recovery_figures
from bench.scale import measure_scale, scale_figures
from bench.stage import Stage
from flows.document_metadata import DOCUMENT_METADATA
from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from flows.golden_records import GOLDEN_RECORDS
from flows.model import CapturedFlow


@dataclass(frozen=True)
class Sizes:
    """How much of everything.

    Events and families of the backlog, rounds of the drain, families of the memory test, documents,
    people and events of the batch jobs, people that are compared.
    """

    events: int = 300_000
    families: int = 20_000
    rounds: int = 1
    memory_families: int = 200_000
    mirror_rows: int = 100_000
    batch_rows: int = 100_000
    batch_events: int = 500_000
    compared_rows: int = 1_000_000


class Benchmarks:
    """One run on one stage; ``details`` collects what the figures were computed from."""

    def __init__(self, stage: Stage, sizes: Sizes, jars: Path) -> None:
        self.details: dict[str, Any] = {}
        self._stage = stage
        self._sizes = sizes
        self._jars = jars
        self._loaded = False

    @cached_property
    def probe_families(self) -> Families:
        """Families for the probes of all benchmarks."""
        return Families(self._sizes.families)

    def drain(self) -> list[Figure]:
        """Work off the backlog: the product and all peers."""
        backlog = self._backlog()
        sinks = [JdbcSink(FLOW, jars=self._jars), JdbcSinkWithSchemas(FLOW, jars=self._jars)]
        contenders: list[Contender] = [PlainLoop(FLOW), Ours(FLOW), Quix(FLOW), *sinks]
        runs = [drain(self._stage, each, backlog) for _ in range(self._sizes.rounds) for each in contenders]
        return drain_figures(self._noted("drain", runs))

    def mirrors(self) -> list[Figure]:
        """Work off the backlogs of one mirror flow per direction, with masks and with links."""
        load_people(self._stage, self._sizes.mirror_rows)
        return self._mirror(GOLDEN_RECORDS) + self._mirror(DOCUMENT_METADATA)

    def _mirror(self, flow: CapturedFlow) -> list[Figure]:
        backlog = wait_for_backlog(self._stage, flow)
        self._stage.say(f"{flow.name}: {backlog}")
        sinks = [JdbcSink(flow, jars=self._jars), JdbcSinkWithSchemas(flow, jars=self._jars)]
        contenders: list[Contender] = [Ours(flow, alone=True), *sinks]
        runs = [drain(self._stage, each, backlog) for _ in range(self._sizes.rounds) for each in contenders]
        return drain_figures(self._noted(flow.name, runs), f"drain of {flow.name}")

    def observability(self) -> list[Figure]:
        """What metrics cost; of few rounds chance alone would decide."""
        rounds = max(self._sizes.rounds, 3)
        found = measure_observability(self._stage, FLOW, self._backlog(), rounds)
        return observability_figures(self._noted("observability", found))

    def scale(self) -> list[Figure]:
        """Two workers against one."""
        return scale_figures(self._noted("scale", measure_scale(self._stage, FLOW, self._backlog())))

    def latency(self) -> list[Figure]:
        """Commit → visible at two rates."""
        found = measure_latency(self._stage, FLOW, self._backlog(), self.probe_families)
        return latency_figures(self._noted("latency", found))

    def rebalance(self) -> list[Figure]:
        """A worker joins and leaves; a table is recovered."""
        pauses = measure_rebalance(self._stage, FLOW, self._backlog(), self.probe_families)
        recovered = measure_recovery(self._stage, FLOW, self._backlog(), self.probe_families)
        return rebalance_figures(self._noted("rebalance", pauses)) + recovery_figures(self._noted("recovery", recovered))

    def memory(self) -> list[Figure]:
        """Many families."""
        return memory_figures(self._noted("memory", measure_memory(self._stage, FLOW, self._sizes.memory_families)))

    def batches(self) -> list[Figure]:
        """Full syncs and an aggregate by batch jobs."""
        sizes = self._sizes
        found = measure_batches(self._stage, FLOW, sizes.batch_rows, sizes.batch_events, self.probe_families)
        return batch_figures(self._noted("batches", found))

    def reconciliation(self) -> list[Figure]:
        """Equal rows, and some that differ."""
        found = measure_reconciliation(self._stage, self._sizes.compared_rows)
        return reconciliation_figures(self._noted("reconciliation", found))

    def _backlog(self) -> Backlog:
        """All records of the topic; loaded on first use, grown by the probes since."""
        if not self._loaded:
            load_demo(self._stage, self._sizes.events, self._sizes.families)
            self._loaded = True
        backlog = wait_for_backlog(self._stage, FLOW)
        self._stage.say(f"backlog: {backlog}")
        self.details.setdefault("backlog", backlog)
        return backlog

    def _noted(self, name: str, found: Any) -> Any:
        self.details[name] = found
        return found


#: In an order in which none disturbs the next; `memory` and what follows change the shape of the sources.
BENCHMARKS: dict[str, Callable[[Benchmarks], list[Figure]]] = {
    "drain": Benchmarks.drain,
    "observability": Benchmarks.observability,
    "scale": Benchmarks.scale,
    "latency": Benchmarks.latency,
    "rebalance": Benchmarks.rebalance,
    "mirrors": Benchmarks.mirrors,
    "memory": Benchmarks.memory,
    "batches": Benchmarks.batches,
    "reconciliation": Benchmarks.reconciliation,
}
