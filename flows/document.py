"""The page `docs/flows.md`, rendered from the definitions. Renew it by ``python -m flows.document > docs/flows.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from flows.append_document import fact_column, fact_lines
from flows.append_model import AppendFlow
from flows.batch_document import INTRODUCTION, handling_lines
from flows.batch_model import BatchFlow
from flows.batch_registry import BATCH_FLOWS
from flows.callback_document import allowed_values, callback_facts, callback_lines, notice_lines
from flows.callback_model import CallbackFlow
from flows.loops import Hop, hops
from flows.match_document import link_line, match_lines
from flows.match_model import MatchFlow
from flows.model import CapturedFlow, Flow, RankedFlow, Ranking
from flows.registry import FLOWS
from flows.row_model import RowFlow
from flows.schedule import Schedule
from flows.summary_document import summary_column, summary_lines
from flows.summary_model import SummaryFlow
from flows.tables import Column, Filter, SourceColumn

COMMAND: Final = "python -m flows.document > docs/flows.md"

_HEAD: Final = f"""\
# Flows

Rendered from the definitions in `flows/`; change a definition, then run `{COMMAND}`.

A flow whose source is a table is fed by change data capture: each change moves when it is committed. Where batch jobs carry the
same rows as well, the flow names their schedules. Of a source table only the columns listed here reach Kafka. The other flows are
fed by signed HTTP callbacks.
"""


def page(flows: Sequence[Flow], batches: Sequence[BatchFlow]) -> str:
    """The whole page in Markdown, ending in a line end."""
    return "\n".join([_HEAD, *map(flow_section, flows), hops_section(flows), INTRODUCTION, *map(batch_section, batches)])


def hops_section(flows: Sequence[Flow]) -> str:
    """Which flows read what others write."""
    parts = (
        "## From flow to flow",
        "What one flow writes and another reads. A change goes along these hops once: definitions with a way back are refused.",
        _table(("written by", "read by", "how", "columns"), map(_hop_row, hops(flows))),
    )
    return "\n\n".join(parts) + "\n"


def _hop_row(hop: Hop) -> tuple[str, ...]:
    how = "looked up" if hop.looked_up else "as changes of its source"
    return (*(f"`{name}`" for name in hop.names), how, _names(hop.columns))


def batch_section(flow: BatchFlow) -> str:
    """One flow that a batch job carries: what it joins, its columns, and what a run does."""
    source, target = flow.source, flow.target
    facts = [
        ("source", f"`{source.table.qualified}` in {source.table.database.value}, one row per `{source.primary_key}`"),
        ("target", f"`{target.table.qualified}` in {target.table.database.value}, one row per {_names(target.key)}"),
        ("batch job", _schedule(flow.schedule)),
        ("volume", f"about {flow.rows_per_day:,} rows a run"),
    ]
    mapped = [(f"`{c.name}`", c.type, f"`{c.source}`", ", then ".join(t.name for t in c.transforms)) for c in target.columns]
    parts = (
        f"## {flow.name}",
        f"{flow.title}.",
        _table(("", ""), facts),
        "### Target columns",
        _table(("column", "type", "from", "transforms"), mapped),
        "### Runs",
        "\n".join(f"- {line}" for line in handling_lines(flow)),
    )
    return "\n\n".join(parts) + "\n"


def flow_section(flow: Flow) -> str:
    """One flow: what it joins, its columns, which rows count and what is done with them."""
    parts = (
        f"## {flow.name}",
        f"{flow.title}.",
        _table(("", ""), facts(flow)),
        "### Target columns",
        _table(("column", "type", "from", "transforms, left to right"), (target_row(flow, c) for c in flow.target.columns)),
        *_masks(flow),
        "### Source columns",
        _table(("column", "type", "null", "range"), (_source_row(flow, column) for column in flow.source.columns)),
        "A row that breaks type, null or range becomes a dead letter; the last good version of it stands.",
        *_counting(flow.filter),
        *_handling(flow),
    )
    return "\n\n".join(parts) + "\n"


def _masks(flow: Flow) -> Iterator[str]:
    if flow.masked_columns:
        yield f"Masked before a value becomes part of a statement: {_names(flow.masked_columns)}."


def _counting(counts: Filter | None) -> Iterator[str]:
    if counts is not None:
        yield "### Which rows count"
        yield counted_rows(counts)


def counted_rows(counts: Filter) -> str:
    """Which rows a filter lets pass, in Markdown."""
    case = ", in capitals or not" if counts.any_case else ""
    return f"Those whose `{counts.column}` is {_either(counts.values)}{case}."


def _handling(flow: Flow) -> Iterator[str]:
    if isinstance(flow, RankedFlow):
        yield "### Ranking"
        yield f"`{flow.ranking.rank}` is computed:"
        yield _ranking(flow.ranking, flow.source.primary_key)
    if isinstance(flow, AppendFlow):
        yield "### Facts"
        yield "\n".join(f"- {line}" for line in fact_lines(flow))
    if isinstance(flow, MatchFlow):
        yield "### Matching"
        yield "\n".join(f"- {line}" for line in match_lines(flow))
    if isinstance(flow, SummaryFlow):
        yield "### Summaries"
        yield "\n".join(f"- {line}" for line in summary_lines(flow))
    if isinstance(flow, CallbackFlow):
        yield "### Callbacks"
        yield "\n".join(f"- {line}" for line in callback_lines(flow))
    if isinstance(flow, RowFlow) and flow.notice is not None:
        yield "### Notices"
        yield "\n".join(f"- {line}" for line in notice_lines(flow.notice))
    if flow.link is not None:
        yield "### Golden records"
        yield link_line(flow.link)


def facts(flow: Flow) -> list[tuple[str, str]]:
    """Name and value, in Markdown: where rows come from, where they go, how often and how fast."""
    target = flow.target
    return [
        *_origin(flow),
        ("target", f"`{target.table.qualified}` in {target.table.database.value}, one row per {_names(target.key)}"),
        ("topics", f"{_names(flow.topics)}, {flow.partitions} partitions each"),
        ("Kafka key", f"`{flow.source.message_key}`"),
        *([] if isinstance(flow, AppendFlow) else [("version of a row", str(flow.version))]),
        *[("batch job", _schedule(schedule)) for schedule in flow.schedules],
        ("volume", f"about {flow.events_per_day:,} events a day"),
        ("latency", f"under {_span(flow.latency)} from {_beginning(flow)} to visible in the target"),
    ]


def _origin(flow: Flow) -> Iterator[tuple[str, str]]:
    if isinstance(flow, CallbackFlow):
        yield from callback_facts(flow)
    if isinstance(flow, CapturedFlow):
        table, identity = flow.source.table, ", replica identity full" if flow.source.replica_identity_full else ""
        yield "source", f"`{table.qualified}` in {table.database.value}, one row per `{flow.source.primary_key}`{identity}"


def _beginning(flow: Flow) -> str:
    return "the answer 202" if isinstance(flow, CallbackFlow) else "commit in the source"


def _schedule(schedule: Schedule) -> str:
    peak = ", not started in peak hours" if schedule.avoids_peak else ""
    return f"`{schedule.job}`: `{schedule.cron}` (UTC), about {schedule.expected.total_seconds() / 60:g} min{peak}"


def target_row(flow: Flow, column: Column) -> tuple[str, ...]:
    """Name, type, source column and transforms, in Markdown."""
    transforms = ", then ".join([*_beside(flow, column), *(transform.name for transform in column.transforms)])
    return (f"`{column.name}`", column.type, f"`{column.source}`", transforms or "as it is")


def _beside(flow: Flow, column: Column) -> Iterator[str]:
    """What the flow's kind does to a column."""
    if isinstance(flow, AppendFlow):
        yield from fact_column(flow, column)
    if isinstance(flow, SummaryFlow):
        yield from summary_column(flow, column)


def _source_row(flow: Flow, column: SourceColumn) -> tuple[str, ...]:
    bounds = [] if column.minimum is None else [f"at least {column.minimum}"]
    bounds += [] if column.maximum is None else [f"at most {column.maximum}"]
    bounds += allowed_values(flow.source, column.name) if isinstance(flow, CallbackFlow) else []
    return (f"`{column.name}`", column.type, "refused" if column.required else "allowed", ", ".join(bounds))


def _ranking(ranking: Ranking, primary_key: str) -> str:
    return "\n".join(f"{number}. {step}" for number, step in enumerate(_ranking_steps(ranking, primary_key), 1))


def _ranking_steps(ranking: Ranking, primary_key: str) -> Iterator[str]:
    item = (ranking.group, ranking.item)
    score, time = f"`{ranking.score}`", f"`{ranking.time}`"
    yield (
        f"Per ({_names((*item, ranking.subject))}) the newest row stands, whether it counts or not: the greatest {time},"
        f" then the greatest `{primary_key}`."
    )
    yield f"A row counts until {time} + {_span(ranking.horizon)}, that instant included. No event is needed to take it out."
    yield (
        f"Of the rows that count, the best per ({_names(item)}) stands: {score} (unrounded, null counts as"
        f" {ranking.score_default}), then {time}, then `{primary_key}`, all descending."
    )
    yield (
        f"Of those, the {ranking.size} best per `{ranking.group}` are written: {score} descending, then {time} descending,"
        f" then `{ranking.item}` ascending. `{ranking.rank}` is the place, 1 is the best."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _either(values: Sequence[str]) -> str:
    return " or ".join(f"`{value}`" for value in values)


def _span(span: timedelta) -> str:
    whole_days, rest = divmod(span, timedelta(days=1))
    return f"{span.total_seconds():g} s" if rest or not whole_days else f"{whole_days} days"


if __name__ == "__main__":
    sys.stdout.buffer.write(page(FLOWS, BATCH_FLOWS).encode())  # bytes: the page is UTF-8 whatever the terminal's encoding
