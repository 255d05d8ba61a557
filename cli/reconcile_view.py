"""How runs of the reconciliation look on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli.output import problem_lines, table
from flows.model import Flow
from reconcile.history import Record
from views.formatting import both_zones, duration

_COUNTS = (
    *("compared", "missing", "extra", "different", "repaired", "left"),
    *("quarantined", "waiting", "edge", "moving", "statements"),
)
_STYLES = {"equal": "green", "repaired": "green", "differs": "red", "undecided": "yellow"}

Document = Mapping[str, Any]


class RunProgress:
    """A bar for each flow, where somebody sees it. Fulfils :class:`~cli.reconcile_runs.Listener`."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=console, disable=not console.is_terminal)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def begin(self, flow: Flow, rows: int | None) -> None:
        """A new bar; the estimate may be short of what there is."""
        self._bar = self._bars.add_task(flow.name, total=rows or None)

    def step(self, record: Record) -> None:
        """Move the bar on; at the end it is full."""
        done = record.progress.expected
        bar = self._bars.tasks[self._bar]
        total = done if record.progress.finished else max(done, bar.total or 0)
        self._bars.update(self._bar, completed=done, total=total)


def flows_tables(document: Document) -> list[RenderableType]:
    """Build what a run found: a line per flow, the first differing rows, what is wrong."""
    flows = document["flows"]
    rows = [(each["flow"], _verdict(each), *(each[name] for name in _COUNTS), duration(each["seconds"])) for each in flows]
    shown = [
        (each["flow"], row["key"], row["item"] or None, row["what"], ", ".join(row["columns"]) or None, _outcome(row))
        for each in flows
        for row in each["rows"]
    ]
    run = f"Run {document['run']}{'' if document['repairs'] else ', a dry run: nothing was repaired'}"
    parts = [table(run, ("flow", "verdict", *_COUNTS, "took"), rows)]
    if shown:
        parts.append(table("Rows", ("flow", "key", "item", "what", "columns", "outcome"), shown))
    return [*parts, *problem_lines(_problems(flows))]


def runs_table(documents: Iterable[Document]) -> RenderableType:
    """Build a table with one row for each run."""
    rows = [
        (each["run"], _verdict(each), each["repairs"], both_zones(each["started_at"]), duration(each["seconds"]), _totals(each))
        for each in documents
    ]
    return table("Runs", ("run", "verdict", "repairs", "began", "took", "found"), rows)


def _verdict(each: Document) -> Text:
    return Text(str(each["verdict"]), style=_STYLES.get(str(each["verdict"]), ""))


def _outcome(row: Document) -> str:
    return f"{row['outcome']}: {row['reason']}" if row["reason"] else row["outcome"]


def _totals(document: Document) -> str:
    totals = {name: sum(each[name] for each in document["flows"]) for name in _COUNTS[:6]}
    return ", ".join(f"{name} {number:,}" for name, number in totals.items() if number)


def _problems(flows: Iterable[Document]) -> Iterable[str]:
    for each in flows:
        if each["problem"]:
            yield f"{each['flow']}: {each['problem']}"
        for broken in each["violations"]:
            yield f'{each["flow"]}: {broken["rows"]:,} rows break the rule "{broken["rule"]}", such as {broken["keys"][0]}'
