"""The page of the flows that services feed by signed HTTP callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flows.callback_model import CallbackFlow
from views.flow_lines import flow_line
from views.gathering import Gathering
from views.members import members
from views.model import FlowLine, Silence
from views.page import Wish
from views.partition_map import places
from views.sources import Sources


@dataclass(frozen=True)
class CallbackLine:
    """A flow of callbacks: what is posted where, and how what was accepted does. ``reasons``: open dead letters."""

    flow: FlowLine
    path: str
    topic: str
    fields: tuple[str, ...]
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class CallbacksView:
    """What was accepted with 202 is in the topic; from there it is applied like every event."""

    at: datetime
    silences: tuple[Silence, ...]
    callbacks: tuple[CallbackLine, ...]


class CallbacksPage:
    """Looks at the flows of callbacks."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def look(self, _: Wish) -> CallbacksView:
        """All of them."""
        found = Gathering()
        known, letters = await asyncio.gather(
            self._sources.inquiry.facts(), found.of_each("dead letters", self._sources.records.open_letters)
        )
        group = members(known)
        reasons = {flow: counts for those in letters.values() for flow, counts in those.items()}
        lines = [
            CallbackLine(
                flow_line(flow, known, group, places([flow], known, group)),
                flow.source.path,
                flow.topic,
                tuple(field.name for field in flow.source.fields),
                reasons.get(flow.name, {}),
            )
            for flow in self._sources.flows
            if isinstance(flow, CallbackFlow)
        ]
        return CallbacksView(known.at, found.silences, tuple(lines))
