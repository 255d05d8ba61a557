"""What the pages show beside the overview: from both databases, from Kafka Connect, from the calendar and from the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from cryptography.fernet import InvalidToken

from app.configuration_view import shown_settings
from app.questions import Questions
from batch_timers.closures import Calendar, Closure
from batch_timers.jobs import JOBS
from batch_timers.plan import plan
from cli.connect_rest import ConnectorStatus
from cli.connector_problems import connector_problems
from cli.connectors import connector_statuses
from cli.job_status import job_problems, job_reports, job_standing
from flows.registry import flow_named
from flows.replication import replication_name
from flows.tables import Database
from reconcile import archive
from reconcile.history import Record
from reconcile.report import report
from schemas.redaction import redact_record
from settings import Settings
from sinks.operations import audit, jobs, letters, maintenance, parked, samples, slots
from sinks.operations.audit import Deed, RefusedError
from sinks.operations.connection import Connection
from sinks.operations.jobs import Control, JobRun
from sinks.operations.letters import Letter, Payload, Selection
from sinks.operations.parked import ParkedKey
from sinks.operations.samples import Sample
from sinks.operations.slots import Retention
from sinks.payload_cipher import PayloadCipher
from streams.outage import is_outage
from views.answers import Question
from views.frame import ANNOUNCED, Window
from views.protocols import Unanswered
from views.records import Connector, ConnectorTask, KnownJob, Masked, PlannedRun, ShownSetting
from views.site import utc_now

#: Most jobs have a slot within a day, the others within a week; the second more is for slots that begin right now.
A_DAY: Final = timedelta(days=1, seconds=1)
A_WEEK: Final = timedelta(weeks=1, seconds=1)


class KeptRecords:
    """Fulfils ``views.records.Records``. ``pools``: the worker's own, for what the reconciliation keeps."""

    def __init__(self, settings: Settings, questions: Questions, pools: archive.Pools) -> None:
        self._settings = settings
        self._questions = questions
        self._pools = pools
        self._cipher = PayloadCipher(settings.payload_keys)
        self._connectors = Question(self._ask_connect, utc_now)

    async def windows(self) -> Sequence[Window]:
        """By the calendar and on demand."""
        calendar, now = await self._calendar(), utc_now()
        found = (calendar.maintenance_at(now), calendar.next_maintenance(now, now + ANNOUNCED))
        return [Window(each.start, each.end, each.reason) for each in found if each is not None]

    async def samples(self, flow: str, since: datetime, step: timedelta) -> Sequence[Sample]:
        """Kept where workers report."""
        return await self._questions.ask(Database.CITIZEN, lambda session: samples.samples(session, flow, since, step))

    async def parked_keys(self, flow: str, limit: int) -> Sequence[ParkedKey]:
        """Of the flow's target database."""
        return await self._questions.of(flow_named(flow), lambda session, each: parked.find(session, each.name, limit))

    async def open_letters(self, database: Database) -> Mapping[str, Mapping[str, int]]:
        """Counted by the server."""
        return await self._questions.ask(database, letters.open_by_reason)

    async def letters(self, database: Database, selection: Selection) -> Sequence[Letter]:
        """Without their payload."""
        return await self._questions.ask(database, lambda session: letters.find(session, selection))

    async def letter(self, database: Database, number: int) -> Masked | None:
        """Decrypted and masked here; what comes out holds no value."""
        found = await self._questions.ask(database, lambda session: _with_payload(session, number))
        return None if found is None else self._masked(*found)

    def _masked(self, letter: Letter, payload: Payload) -> Masked:
        try:
            record = letters.opened(payload, self._cipher)
            content = redact_record(record.key, record.value, record.headers, flow_named(letter.flow))
        except InvalidToken:
            return Masked(letter, None, None, (), "none of the payload keys fits")
        except KeyError:
            return Masked(letter, None, None, (), "its flow has been removed: nobody knows which names may be shown")
        return Masked(letter, content.key, content.value, tuple(content.headers))

    async def job_problems(self) -> Sequence[str]:
        """The problems of `status`."""
        return job_problems(job_reports({database: await self._questions.ask(database, job_standing) for database in Database}))

    def jobs(self) -> Sequence[KnownJob]:
        """As the flows declare them."""
        return [KnownJob(job.schedule, job.flow, job.database) for job in JOBS]

    async def runs(self, database: Database, each: int) -> Sequence[JobRun]:
        """By job."""
        names = [job.name for job in JOBS if job.database in (database, None)]
        return await self._questions.ask(database, lambda session: jobs.newest(session, names, each))

    async def controls(self, database: Database) -> Mapping[str, Control]:
        """Of the database's ledger."""
        return await self._questions.ask(database, jobs.controls)

    async def planned(self) -> Sequence[PlannedRun]:
        """By the calendar, with the maintenance that operators have asked for."""
        now, calendar = utc_now(), await self._calendar()
        found = plan(JOBS, now, now + A_DAY, calendar)
        rare = [job for job in JOBS if job.name not in {each.job for each in found}]
        found += plan(rare, now, now + A_WEEK, calendar)
        return [PlannedRun(each.job, each.scheduled_for, str(each.fate), each.starts_at, each.why) for each in found]

    async def reconciliations(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """As `reconcile list` shows them."""
        return [report(records) for records in await self._archived(limit)]

    async def reconciliation(self, run: str) -> Mapping[str, Any] | None:
        """As `reconcile show` shows it."""
        try:
            records = await archive.flows_of(self._pools, run)
        except Exception as error:
            raise _unanswered(error) from error
        return report(records) if records else None

    async def _archived(self, limit: int) -> list[list[Record]]:
        try:
            return await archive.newest_runs(self._pools, limit)
        except Exception as error:
            raise _unanswered(error) from error

    async def connectors(self) -> Sequence[Connector]:
        """As `status` shows them. However many ask, Kafka Connect is asked once at a time: it may take half a minute."""
        answer = await self._connectors.answer()
        if answer.value is None or answer.problem:
            raise Unanswered(f"Kafka Connect: {answer.problem}")
        return answer.value

    async def _ask_connect(self) -> Sequence[Connector]:
        try:
            found = await asyncio.to_thread(connector_statuses, self._settings)
        except (httpx.TransportError, RefusedError) as error:
            raise Unanswered("it does not answer") from error
        return [_connector(each) for each in found]

    async def slots(self, database: Database) -> Sequence[Retention]:
        """The slot of the database's connector."""
        return await self._questions.ask(database, lambda session: slots.retentions(session, replication_name(database)))

    async def audit(self, database: Database, before: datetime | None, limit: int) -> Sequence[Deed]:
        """Of one database."""
        return await self._questions.ask(
            database, lambda session: audit.deeds(session, audit.Selection(before=before, limit=limit))
        )

    def configuration(self) -> Sequence[ShownSetting]:
        """Secrets left out."""
        return shown_settings(self._settings)

    async def _calendar(self) -> Calendar:
        standing = [row for database in Database for row in await self._questions.ask(database, maintenance.maintenance)]
        on_demand = {(each.starts_at, each.ends_at, each.reason) for each in standing}
        return Calendar(tuple(Closure(*each) for each in sorted(on_demand)))


def _with_payload(session: Connection, number: int) -> tuple[Letter, Payload] | None:
    found = letters.find(session, Selection(ids=[number], limit=1))
    return (found[0], letters.payload(session, number)) if found else None


def _connector(status: ConnectorStatus) -> Connector:
    tasks = tuple(ConnectorTask(each.id, each.state.lower(), each.worker, each.trace) for each in status.tasks)
    problems = tuple(connector_problems([status]))
    return Connector(status.name, status.state.lower(), status.worker, status.trace, tasks, problems)


def _unanswered(error: Exception) -> Exception:
    """An outage as the pages know it; what is none stays what it is."""
    return Unanswered("a database does not answer") if is_outage(error) else error
