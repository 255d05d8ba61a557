"""What is kept of the past of a made-up installation, with the real row types, that tests change as they like."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.batch_registry import BATCH_FLOWS
from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.tables import Database
from sinks.operations.audit import Deed
from sinks.operations.jobs import Control, JobRun
from sinks.operations.letters import Letter, Selection
from sinks.operations.parked import ParkedKey
from sinks.operations.samples import Sample
from sinks.operations.slots import Retention
from views.frame import Window
from views.protocols import Unanswered
from views.records import Connector, KnownJob, Masked, PlannedRun, ShownSetting

FLOW = ELIGIBILITY_HINTS.name
TOPIC = ELIGIBILITY_HINTS.topic
NOON = datetime(2025, 1, 15, 20, 0, 0, tzinfo=UTC)


def sample(minutes: int, **changes: Any) -> Sample:
    """How the flow did some minutes before noon."""
    return replace(Sample(NOON - timedelta(minutes=minutes), 10.0 + minutes, 0.5, 40, 20.0, 45.0), **changes)


def letter(number: int, **changes: Any) -> Letter:
    made = Letter(
        number, FLOW, TOPIC, 3, 1200 + number, "out_of_range", "eligibility_score is above 1", f"row-{number}", NOON, "open",
        1, NOON, None, None, None,
    )  # fmt: skip
    return replace(made, **changes)


def run(number: int, state: str = "succeeded", **changes: Any) -> JobRun:
    """The run of the job of feedback that many days ago."""
    slot = NOON - timedelta(days=number)
    made = JobRun(
        run_id=1000 - number, job="feedback", scheduled_for=slot, lane="citizen", state=state, due_at=slot, reason=None,
        requested_by=None, forced=False, cancelled=False, parameters={}, owner=None, attempts=1, retry_at=None, chunks=3,
        rows_read=1000, rows_written=900, rows_unchanged=100, rows_skipped=0, rows_failed=0, rows_missed=0, rows_expected=1000,
        created_at=slot, started_at=slot, progressed_at=slot + timedelta(seconds=40), ended_at=slot + timedelta(seconds=41),
    )  # fmt: skip
    return replace(made, **changes)


def document(name: str, **changes: Any) -> dict[str, Any]:
    """What `reconcile show --json` says of a run with one flow."""
    counts = {"compared": 1000, "missing": 1, "extra": 0, "different": 2, "repaired": 3, "left": 0}
    listed = {"quarantined": 1, "waiting": 0, "edge": 0, "moving": 0}
    row = {"key": "family-1", "item": "S1", "what": "different", "columns": ["rank"], "outcome": "repaired", "reason": None}
    flow = {
        "flow": FLOW, "title": "Hints", "target": "public.eligibility_hints", "verdict": "repaired", "problem": None,
        **counts, **listed,
        "seconds": 12.0, "statements": 40, "columns": {"rank": 2}, "violations": [], "rows": [row],
    }  # fmt: skip
    made = {
        "run": name, "verdict": "repaired", "repairs": True, "key_from": None, "key_to": None, "started_at": NOON,
        "updated_at": NOON, "seconds": 12.0, "flows": [flow],
    }  # fmt: skip
    return made | changes


@dataclass
class Told:
    """Answers questions. ``silent`` names those that nobody answers; ``hang``: all are, and late."""

    silent: set[str] = field(default_factory=set)
    asked: int = 0

    async def _say(self, name: str, value: Any) -> Any:
        self.asked += 1
        if "hang" in self.silent:
            await asyncio.Event().wait()
        if name in self.silent:
            raise Unanswered("the citizen database is not reachable")
        return value


@dataclass
class RecordsWorld(Told):
    """Fulfils ``views.records.Records``. Rows of the warehouse are those of jobs, all others the portal's."""

    maintenance: list[Window] = field(default_factory=list)
    history: list[Sample] = field(default_factory=lambda: [sample(minutes) for minutes in range(60, 0, -2)])
    waiting_keys: list[ParkedKey] = field(default_factory=list)
    held: list[Letter] = field(default_factory=list)
    reasons: dict[str, dict[str, int]] = field(default_factory=dict)
    job_runs: list[JobRun] = field(default_factory=list)
    paused: dict[str, Control] = field(default_factory=dict)
    coming: list[PlannedRun] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    connected: list[Connector] = field(default_factory=list)
    kept: list[Retention] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    settings: list[ShownSetting] = field(default_factory=list)
    troubled_jobs: list[str] = field(default_factory=list)

    async def job_problems(self) -> Any:
        return await self._say("job problems", self.troubled_jobs)

    async def windows(self) -> Any:
        return await self._say("windows", self.maintenance)

    async def samples(self, flow: str, since: datetime, step: timedelta) -> Any:
        return await self._say("samples", self.history)

    async def parked_keys(self, flow: str, limit: int) -> Any:
        return await self._say("parked_keys", self.waiting_keys[:limit])

    async def open_letters(self, database: Database) -> Any:
        return await self._say(f"open letters of {database.value}", self.reasons if database is Database.CITIZEN else {})

    async def letters(self, database: Database, selection: Selection) -> Any:
        found = [each for each in self.held if each.id > selection.after and selection.flow in {None, each.flow}]
        found = [each for each in found if selection.status in {None, each.status} and selection.reason in {None, each.reason}]
        return await self._say(f"letters of {database.value}", found[: selection.limit] if database is Database.CITIZEN else [])

    async def letter(self, database: Database, number: int) -> Any:
        found = [each for each in self.held if each.id == number and database is Database.CITIZEN]
        masked = (
            Masked(found[0], "<text, 36 characters>", {"op": "<text, 1 characters>"}, (("retry", "<1 bytes>"),))
            if found
            else None
        )
        return await self._say("letter", masked)

    def jobs(self) -> Any:
        return [KnownJob(batch.schedule, batch.name, batch.target.table.database) for batch in BATCH_FLOWS]

    async def runs(self, database: Database, each: int) -> Any:
        return await self._say(f"runs of {database.value}", self.job_runs if database is Database.WAREHOUSE else [])

    async def controls(self, database: Database) -> Any:
        return await self._say(f"controls of {database.value}", self.paused)

    async def planned(self) -> Any:
        return await self._say("planned", self.coming)

    async def reconciliations(self, limit: int) -> Any:
        return await self._say("reconciliations", self.documents[:limit])

    async def reconciliation(self, run: str) -> Any:
        return await self._say("reconciliation", next((each for each in self.documents if each["run"] == run), None))

    async def connectors(self) -> Any:
        return await self._say("connectors", self.connected)

    async def slots(self, database: Database) -> Any:
        return await self._say(f"slots of {database.value}", self.kept if database is Database.WAREHOUSE else [])

    async def audit(self, database: Database, before: datetime | None, limit: int) -> Any:
        found = [each for each in self.deeds if before is None or each.at < before][:limit]
        return await self._say(f"audit of {database.value}", found if database is Database.CITIZEN else [])

    def configuration(self) -> Any:
        return self.settings
