"""What a look at one database tells: its flows, its jobs, its replication slot, comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from flows.model import Flow
from flows.registry import FLOWS
from flows.replication import replication_name
from flows.tables import Database
from metrics import catalogue
from metrics.jobs import job_samples
from metrics.samples import Samples
from sinks.flow_state import PAUSED, RUNNING, STOPPED
from sinks.ledger import Outcome
from sinks.operations import figures
from sinks.operations.connection import Connection
from sinks.operations.figures import Comparison, Settled, SlotFigures
from sinks.operations.job_figures import JobFigures, job_figures
from sinks.upstream_loss import Loss

FLOW_STATES: Final = (RUNNING, PAUSED, STOPPED)
MISSING: Final = "missing"
SLOT_STATES: Final = ("reserved", "extended", "unreserved", "lost", MISSING)
COMPARISON_STATES: Final = ("running", "done", "undecided")
DIFFERENCES: Final = ("missing", "extra", "different")


@dataclass(frozen=True)
class DatabaseFacts:
    """See :mod:`sinks.operations.figures`. ``comparisons``: the newest of each flow; ``decided``: the newest decided."""

    settled: Sequence[Settled]
    states: Mapping[str, str]
    letters: Mapping[tuple[str, str], int]
    parked: Mapping[str, int]
    losses: AbstractSet[tuple[str, str]]
    slot: SlotFigures
    comparisons: Sequence[Comparison]
    decided: Sequence[Comparison]
    jobs: JobFigures


def look(connection: Connection, database: Database) -> DatabaseFacts:
    """Ask a database for all of it; raises ``psycopg.Error``."""
    return DatabaseFacts(
        figures.settled(connection),
        figures.flow_states(connection),
        figures.open_letters(connection),
        figures.waiting_keys(connection),
        figures.open_losses(connection),
        figures.slot(connection, replication_name(database)),
        figures.comparisons(connection, done=False),
        figures.comparisons(connection, done=True),
        job_figures(connection),
    )


def database_samples(database: Database, facts: DatabaseFacts, now: float) -> Samples:
    """The facts as samples; ``now`` in seconds since 1970."""
    samples = Samples()
    _flows(samples, [flow for flow in FLOWS if flow.target.table.database is database], facts)
    _slot(samples, database, facts.slot)
    _comparisons(samples, facts)
    job_samples(samples, database, facts.jobs, now)
    return samples


def _flows(samples: Samples, flows: Iterable[Flow], facts: DatabaseFacts) -> None:
    for flow in flows:
        samples.one_hot(catalogue.FLOW_STATE, FLOW_STATES, facts.states.get(flow.name, RUNNING), flow.name)
        samples.set(catalogue.OBJECTIVE, flow.latency.total_seconds(), flow.name)
        samples.set(catalogue.PARKED, facts.parked.get(flow.name, 0), flow.name)
        for kind in Loss:
            samples.set(catalogue.UPSTREAM_LOSS, (flow.name, kind) in facts.losses, flow.name, kind)
    for row in facts.settled:
        for outcome in Outcome:
            samples.set(catalogue.LEDGER_RECORDS, getattr(row, outcome), row.flow, outcome)
        samples.set(catalogue.UPSTREAM_LOST, row.skipped, row.flow)
    for (flow_name, reason), count in facts.letters.items():
        samples.set(catalogue.DEAD_LETTERS, count, flow_name, reason)


def _slot(samples: Samples, database: Database, slot: SlotFigures) -> None:
    name = database.value
    samples.one_hot(catalogue.SLOT_STATE, SLOT_STATES, slot.wal_status or MISSING, name)
    samples.set(catalogue.SLOT_ACTIVE, slot.active, name)
    if slot.retained is not None:
        samples.set(catalogue.SLOT_RETAINED, slot.retained, name)
    if slot.limit is not None:
        samples.set(catalogue.SLOT_LIMIT, slot.limit, name)
    if slot.retained is not None and slot.limit:
        samples.set(catalogue.SLOT_SHARE, slot.retained / slot.limit, name)


def _comparisons(samples: Samples, facts: DatabaseFacts) -> None:
    for each in facts.comparisons:
        samples.one_hot(catalogue.RECONCILIATION_STATE, COMPARISON_STATES, each.state, each.flow)
    for each in facts.decided:
        differing = {name: getattr(each, name) for name in DIFFERENCES}
        for name, rows in differing.items():
            samples.set(catalogue.DIFFERENCES, rows, each.flow, name)
        samples.set(catalogue.RECONCILED, each.ended_at.timestamp(), each.flow)
        samples.set(catalogue.COMPARED, each.compared, each.flow)
        samples.set(catalogue.REPAIRED, each.repaired, each.flow)
        samples.set(catalogue.UNREPAIRED, sum(differing.values()) - each.repaired, each.flow)
