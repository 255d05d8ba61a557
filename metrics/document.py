"""The page `docs/metrics.md`, rendered from the catalogue. Renew it by ``python -m metrics.document > docs/metrics.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from metrics.catalogue import GROUPS, LABELS, STALE_SECONDS
from metrics.model import Group, Kind, Metric, Scope

COMMAND: Final = "python -m metrics.document > docs/metrics.md"

_HEAD: Final = f"""\
# Metrics

Rendered from the catalogue, `metrics/catalogue.py`; change it there, then run `{COMMAND}`.
Nothing outside this list is told.

Workers answer at `/metrics` of their web server, the callbacks service at `/metrics` of its own. A scrape asks nobody: it gets
what looks in the background have found, so that it is as quick during an outage as before. Facts older than
{STALE_SECONDS:g} s are left out, and `sync_collector_up` is 0 then. A worker answers to loopback names and to those of
`SYNC_WORKER__WEB_ALLOWED_HOSTS`; Prometheus on another host needs one of them.

Every worker tells what concerns the whole cluster, so that the facts are there as long as one lives. Put series together so:
"""
_SCOPES: Final = {
    Scope.WORKER: "each worker tells its own part: `sum by`, or look at single instances",
    Scope.PARTITION: "the owner of the partition tells it, and every worker while it has none: `max by (flow, topic, partition)`",
    Scope.CLUSTER: "every worker tells the same fact, as of its own last look: `max by` all its labels",
    Scope.CALLBACKS: "each callbacks service tells its own part: `sum by`",
}


def page() -> str:
    """The whole page in Markdown, ending in a line end."""
    return "\n".join([_HEAD, *_scopes(), "", *map(_section, GROUPS), *_labels()]) + "\n"


def _scopes() -> Iterator[str]:
    yield "| scope | who tells it, and how series are put together |"
    yield "| --- | --- |"
    for scope, text in _SCOPES.items():
        yield f"| {scope} | {text} |"


def _section(group: Group) -> str:
    rows = [f"| `{metric.name}` | {metric.kind} | {metric.unit} | {metric.scope} | {_names(metric)} | {_meaning(metric)} |"
            for metric in group.metrics]  # fmt: skip
    head = ["| name | type | unit | scope | labels | meaning |", "| --- | --- | --- | --- | --- | --- |"]
    return "\n".join([f"## {group.title}", "", group.text, "", *head, *rows, ""])


def _names(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels) or "-"


def _meaning(metric: Metric) -> str:
    if metric.kind is not Kind.HISTOGRAM:
        return metric.meaning
    return f"{metric.meaning}. Buckets up to {', '.join(f'{bound:g}' for bound in metric.buckets)}"


def _labels() -> Iterator[str]:
    yield "## Labels"
    yield ""
    yield "Their values come from closed lists and definitions: never an id, a key or a value of a row."
    yield ""
    yield "| label | values |"
    yield "| --- | --- |"
    for label, text in LABELS.items():
        yield f"| `{label}` | {text} |"


if __name__ == "__main__":
    sys.stdout.buffer.write(page().encode())
