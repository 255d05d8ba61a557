"""A run as one document: what programs read, and what the page for people is made of."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from flows.batch_registry import ALL_FLOWS
from reconcile.history import Record, State


class Verdict(StrEnum):
    """Of a flow in a run, or of the whole run: the last one that is true of any flow."""

    EQUAL = "equal"
    REPAIRED = "repaired"
    RUNNING = "running"
    UNDECIDED = "undecided"
    DIFFERS = "differs"

    @property
    def good(self) -> bool:
        """Whether nothing is wrong now."""
        return self in (Verdict.EQUAL, Verdict.REPAIRED)


def verdict_of(record: Record) -> Verdict:
    """What the run says of the flow. Differences that were found stand, also where it ended early."""
    progress = record.progress
    if progress.differing > progress.repaired or progress.violations:
        return Verdict.DIFFERS
    if record.state is not State.DONE:
        return Verdict(record.state)
    return Verdict.REPAIRED if progress.repaired else Verdict.EQUAL


def run_verdict(records: Sequence[Record]) -> Verdict:
    """The worst of its flows."""
    return max((verdict_of(record) for record in records), key=list(Verdict).index)


def report(records: Sequence[Record]) -> dict[str, Any]:
    """The document of one run, of which these are all flows."""
    times = [time for record in records for time in (record.started_at, record.updated_at) if time is not None]
    return {
        "run": records[0].run,
        "verdict": run_verdict(records),
        "repairs": records[0].repairs,
        "light": records[0].light,
        "key_from": records[0].bounds.low,
        "key_to": records[0].bounds.high,
        "started_at": min(times, default=None),
        "updated_at": max(times, default=None),
        "seconds": sum(record.progress.seconds for record in records),
        "flows": [_flow(record) for record in records],
    }


def _flow(record: Record) -> dict[str, Any]:
    progress: dict[str, Any] = msgspec.to_builtins(record.progress)
    title, target = _known(record.flow)
    return {
        "flow": record.flow,
        "title": title,
        "target": target,
        "verdict": verdict_of(record),
        "problem": record.problem,
        "compared": max(record.progress.expected, record.progress.standing),
        **progress,
    }


def _known(name: str) -> tuple[str, str]:
    """Title and target; a flow that was removed since has none."""
    flow = next((flow for flow in ALL_FLOWS if flow.name == name), None)
    return (flow.title, flow.target.table.qualified) if flow else (name, "-")
