"""The flows over all workers: state and counts from the database, rate and lag from what the living workers report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.model import Flow
from sinks.flow_state import RUNNING
from sinks.ledger import Outcome
from views.facts import Facts
from views.levels import latency_level
from views.members import Member
from views.model import FlowLine
from views.partition_map import Place
from views.report import FlowReport, PartitionReport

if TYPE_CHECKING:
    from sinks.operations.flow_control import FlowStatus
    from sinks.operations.positions import Position

UNKNOWN: Final = "unknown"


@dataclass(frozen=True)
class _Live:
    """What the living workers report of one flow."""

    flows: Sequence[FlowReport]
    partitions: Sequence[PartitionReport]


def flow_line(flow: Flow, facts: Facts, group: Iterable[Member], found: Iterable[Place]) -> FlowLine:
    """Sum up a flow; latencies are those of the slowest worker."""
    live = _live(flow, group)
    control = _control(flow, facts)
    positions = [row for row in facts.ledger.value or () if row.flow == flow.name]
    p99_ms = _greatest(report.p99_ms for report in live.flows)
    mine = [place for place in found if place.key.flow == flow.name]
    return FlowLine(
        name=flow.name,
        title=flow.title,
        state=_state(control, facts),
        reason=control.reason if control else None,
        changed_by=control.changed_by if control else None,
        lost=control.lost if control else None,
        changed_at=control.changed_at if control else None,
        rate=round(sum(report.rate for report in live.flows), 1),
        lag_seconds=_greatest(row.lag_seconds for row in live.partitions),
        lag_records=sum(row.lag_records for row in live.partitions) if live.partitions else None,
        newest_change=max((row.source_time for row in positions if row.source_time), default=None),
        p50_ms=_greatest(report.p50_ms for report in live.flows),
        p99_ms=p99_ms,
        p99_level=latency_level(p99_ms, flow.latency),
        outcomes=_outcomes(positions),
        records_read=sum(row.records_read for row in positions),
        parked=_count(flow, facts.parked.value),
        dead_letters=_count(flow, facts.dead_letters.value),
        owned=sum(place.owner is not None for place in mine),
        partitions=len(mine),
    )


def _live(flow: Flow, group: Iterable[Member]) -> _Live:
    reports = [member.report for member in group if member.alive]
    return _Live(
        [row for report in reports for row in report.flows if row.flow == flow.name],
        [row for report in reports for row in report.partitions if row.flow == flow.name],
    )


def _control(flow: Flow, facts: Facts) -> FlowStatus | None:
    return next((row for row in facts.flows.value or () if row.flow == flow.name), None)


def _state(control: FlowStatus | None, facts: Facts) -> str:
    if control is not None:
        return control.state
    return UNKNOWN if facts.flows.value is None else RUNNING


def _outcomes(positions: Sequence[Position]) -> dict[str, int]:
    return {str(outcome): sum(getattr(row, outcome) for row in positions) for outcome in Outcome}


def _count(flow: Flow, counts: Mapping[str, int] | None) -> int:
    return (counts or {}).get(flow.name, 0)


def _greatest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
