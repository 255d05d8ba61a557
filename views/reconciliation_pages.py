"""The pages of the reconciliation: its runs, and what one of them found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from views.gathering import Gathering
from views.model import Silence
from views.page import NothingThereError, Wish
from views.reconciliation import PARTS, WIDTH, Segment, segments
from views.sources import Sources

#: Runs that the list shows.
LIMIT: Final = 30
COUNTS: Final = ("compared", "missing", "extra", "different", "repaired", "left")


@dataclass(frozen=True)
class RunSummary:
    """A run; ``counts`` over all of its flows, ``flows`` how many."""

    run: str
    verdict: str
    repairs: bool
    started_at: datetime | None
    seconds: float
    flows: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class RunsView:
    """The newest runs, newest first."""

    at: datetime
    silences: tuple[Silence, ...]
    runs: tuple[RunSummary, ...]


@dataclass(frozen=True)
class RunView:
    """One run: its document as `reconcile show --json` has it, and the bar of each flow."""

    at: datetime
    silences: tuple[Silence, ...]
    run: Mapping[str, Any]
    bars: Mapping[str, list[Segment]]
    width: float = WIDTH
    parts: tuple[tuple[str, str], ...] = PARTS


class ReconciliationPages:
    """Looks at what runs have kept."""

    def __init__(self, sources: Sources) -> None:
        self._records = sources.records
        self._clock = sources.clock

    async def look(self, _: Wish) -> RunsView:
        """The newest runs."""
        found = Gathering()
        documents = await found.ask("runs", self._records.reconciliations(LIMIT), ())
        return RunsView(self._clock(), found.silences, tuple(map(_summary, documents)))

    async def look_at_one(self, wish: Wish) -> RunView:
        """The run named ``run``; raises :class:`views.protocols.Unanswered`."""
        document = await self._records.reconciliation(wish["run"])
        if document is None:
            raise NothingThereError("There is no such run of the reconciliation.")
        return RunView(self._clock(), (), document, {flow["flow"]: segments(flow) for flow in document["flows"]})


def _summary(document: Mapping[str, Any]) -> RunSummary:
    flows = document["flows"]
    counts = {name: sum(flow[name] for flow in flows) for name in COUNTS}
    run, verdict, repairs = document["run"], str(document["verdict"]), document["repairs"]
    return RunSummary(run, verdict, repairs, document["started_at"], document["seconds"], len(flows), counts)
