"""What a run prints: one table for people, or one document for programs."""

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from bench.figures import COLUMNS, Figure, missed
from cli.output import show, table

NOTES = (
    "Everything shares this machine: databases (fsync on), Kafka, Connect, worker, peers and the benchmark itself.",
    (
        "All read the same records. Peers write the source rows into a table of their own; ours checks and ranks, keeps its"
        " table with changelog and its ledger, and writes the five best. Every result was verified."
    ),
    (
        "jdbc sink: it needs records with schemas. Connect's converter gets the schema in its configuration, so that the sink"
        " reads the same bytes as everybody; `schemas in records` reads a second topic, of the same rows with their schemas."
    ),
    (
        "batches: runs of the worker that carries the events, by the job ledger; the peer's table begins as ours does, and both"
        " end with the same rows. reladiff compares a view of what the target must hold with the target."
    ),
    "quix streams: its sink mistakes nulls in the first row of a batch for missing columns, so that nulls travel as texts.",
)


def report(figures: Sequence[Figure], details: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the run."""
    document = {"machine": _machine(), "notes": NOTES, "figures": [figure.document() for figure in figures], **details}
    show(document, *_lines(figures), as_json=as_json)


def _lines(figures: Sequence[Figure]) -> list[RenderableType]:
    late = missed(figures)
    verdict = f"{len(late)} goals missed" if late else "all goals met"
    return [*NOTES, table(f"{_summary()}: {verdict}", COLUMNS, [figure.row() for figure in figures])]


def _summary() -> str:
    machine = _machine()
    return f"{machine['cpus']} CPUs, Python {machine['python']}, load {machine['load']:.1f}"


def _machine() -> dict[str, Any]:
    return {"cpus": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]}
