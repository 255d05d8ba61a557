"""The page of a flow: how it does, how it did, what could not be applied, and its definition."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from flows.document import counted_rows, facts, target_row
from flows.model import Flow
from flows.tables import Column
from views.flow_lines import flow_line
from views.gathering import Gathering
from views.history import STEPS, History, history, span_of
from views.members import Member, members
from views.model import FlowLine, Silence
from views.page import NothingThereError, Wish
from views.partition_map import places
from views.sources import Sources

if TYPE_CHECKING:
    from sinks.operations.parked import ParkedKey

#: Keys that wait, as many as are shown.
LISTED: Final = 20


@dataclass(frozen=True)
class MappedColumn:
    """A column of the target. ``masked``: it never holds more than its mask."""

    name: str
    type: str
    source: str
    transforms: str
    masked: bool


@dataclass(frozen=True)
class FlowDefinition:
    """What the code declares, in words."""

    facts: tuple[tuple[str, str], ...]
    columns: tuple[MappedColumn, ...]
    filter: str | None


@dataclass(frozen=True)
class LaneError:
    """The last error of a partition, on the worker that reads it."""

    worker: str
    topic: str
    partition: int
    state: str
    text: str


@dataclass(frozen=True)
class FlowView:
    """``reasons``: open dead letters by reason."""

    at: datetime
    silences: tuple[Silence, ...]
    flow: FlowLine
    database: str
    history: History
    reasons: Mapping[str, int]
    parked: tuple[ParkedKey, ...]
    errors: tuple[LaneError, ...]
    definition: FlowDefinition
    choices: tuple[int, ...] = tuple(STEPS)


class FlowPage:
    """Looks at one flow."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def look(self, wish: Wish) -> FlowView:
        """``flow`` by name, ``hours`` of history."""
        flow = self._named(wish["flow"])
        found, records, target = Gathering(), self._sources.records, flow.target.table.database
        hours, span = span_of(wish.get("hours"), self._sources.clock())
        known, samples, reasons, waiting = await asyncio.gather(
            self._sources.inquiry.facts(),
            found.ask("history", records.samples(flow.name, span.start, span.step), ()),
            found.ask("dead letters", records.open_letters(target), {}),
            found.ask("parked keys", records.parked_keys(flow.name, LISTED), ()),
        )
        group = members(known)
        return FlowView(
            at=known.at,
            silences=found.silences,
            flow=flow_line(flow, known, group, places([flow], known, group)),
            database=target.value,
            history=history(flow, hours, span, samples),
            reasons=reasons.get(flow.name, {}),
            parked=tuple(waiting),
            errors=tuple(_errors(flow, group)),
            definition=definition(flow),
        )

    def _named(self, name: str) -> Flow:
        for flow in self._sources.flows:
            if flow.name == name:
                return flow
        raise NothingThereError(
            f"There is no flow of that name; there are: {', '.join(each.name for each in self._sources.flows)}."
        )


def definition(flow: Flow) -> FlowDefinition:
    """What the code declares."""
    columns = [_mapped(flow, column) for column in flow.target.columns]
    declared = tuple((_plain(name), _plain(value)) for name, value in facts(flow))
    return FlowDefinition(declared, tuple(columns), _plain(counted_rows(flow.filter)) if flow.filter else None)


def _mapped(flow: Flow, column: Column) -> MappedColumn:
    name, kind, source, transforms = map(_plain, target_row(flow, column))
    return MappedColumn(name, kind, source, transforms, masked=column.name in flow.masked_columns)


def _errors(flow: Flow, group: tuple[Member, ...]) -> list[LaneError]:
    return [
        LaneError(member.name, row.topic, row.partition, row.state, row.last_error)
        for member in group
        for row in (member.report.partitions if member.alive else ())
        if row.flow == flow.name and row.last_error
    ]


def _plain(markdown: str) -> str:
    return markdown.replace("`", "")
