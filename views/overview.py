"""Compose the overview from the answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flows.model import Flow
from views.answers import Answer
from views.attention import attention
from views.database_lines import database_lines
from views.facts import Facts
from views.flow_lines import flow_line
from views.members import members, worker_line
from views.model import Overview, Silence
from views.partition_map import owners, places
from views.report import WorkerReport
from views.this_worker import this_worker
from views.troubles import Troubles

_UNNAMED: Final = WorkerReport(name="this worker")


def overview(facts: Facts, flows: Sequence[Flow], troubles: Troubles) -> Overview:
    """What one look shows; parts that nobody answered are empty and listed as silent."""
    group = members(facts)
    found = places(flows, facts, group)
    worker = this_worker(facts.report.value or _UNNAMED)
    flow_lines = tuple(flow_line(flow, facts, group, found) for flow in flows)
    worker_lines = tuple(worker_line(member, facts) for member in group)
    return Overview(
        at=facts.at,
        name=worker.name,
        attention=attention(worker, flow_lines, worker_lines, troubles.points),
        silences=(*_silences(_parts(facts)), *troubles.silences),
        worker=worker,
        databases=database_lines(facts),
        flows=flow_lines,
        workers=worker_lines,
        owners=owners(found, group),
    )


def _parts(facts: Facts) -> Iterable[tuple[str, Answer[object]]]:
    return (
        ("this worker", facts.report),
        ("workers", facts.workers),
        ("states of the flows", facts.flows),
        ("counts and owners of partitions", facts.ledger),
        ("parked keys", facts.parked),
        ("dead letters", facts.dead_letters),
        *((f"the {database.value} database", answer) for database, answer in facts.health.items()),
    )


def _silences(parts: Iterable[tuple[str, Answer[object]]]) -> Iterator[Silence]:
    for part, answer in parts:
        if answer.problem is not None:
            yield Silence(part, answer.problem, answer.at)
