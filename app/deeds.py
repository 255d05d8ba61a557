"""What is done for each action of the web view: the operations of the commands, one function for each action.

Arguments are named as the fields of the action; each answers with a sentence that says what was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from batch_timers.jobs import Job, job_named
from cli.broker import log_ranges
from cli.connectors import restart_connectors
from cli.databases import Databases
from cli.job_requests import ask_for_runs, set_paused
from cli.job_requests import cancel_run as end_run
from cli.letter_lookup import letters_named, session_of
from cli.resend import send_again
from flows.model import Flow
from flows.registry import flow_named
from flows.tables import Database
from settings import Settings
from sinks.operations import flow_control, letters, maintenance
from sinks.operations.audit import RefusedError, record
from sinks.operations.connection import Connection
from sinks.operations.positions import rewind
from views.actions import EVERY
from views.formatting import both_zones

#: Somebody waits for the page meanwhile.
CONNECT_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Hand:
    """Who does it and why, and what it is done with."""

    settings: Settings
    sessions: Databases
    actor: str
    reason: str

    def target_of(self, flow: Flow) -> Connection:
        """The session with the database that keeps the flow's state."""
        return self.sessions[flow.target.table.database]


def pause_flow(hand: Hand, *, flow: str) -> str:
    """Pause it."""
    found = flow_named(flow)
    flow_control.pause(hand.target_of(found), found, hand.actor, hand.reason)
    return f"{flow} is paused."


def resume_flow(hand: Hand, *, flow: str) -> str:
    """Let it run."""
    return _resume(hand, flow, accept_truncate=False)


def accept_truncate(hand: Hand, *, flow: str) -> str:
    """Let it run, and remove what a truncated source no longer has."""
    return _resume(hand, flow, accept_truncate=True)


def _resume(hand: Hand, flow: str, *, accept_truncate: bool) -> str:
    found = flow_named(flow)
    flow_control.resume(hand.target_of(found), found, hand.actor, hand.reason, accept_truncate=accept_truncate)
    return f"{flow} runs."


def replay_partition(hand: Hand, *, flow: str, partition: int, offset: int) -> str:
    """Read the partition of the source topic again."""
    found = flow_named(flow)
    where = (found.topic, partition)
    logs = asyncio.run(log_ranges(hand.settings.kafka, [where])) if partition < found.partitions else {}
    if where not in logs:
        raise RefusedError(f"there is no {found.topic}[{partition}]; {flow} has partitions 0 to {found.partitions - 1}")
    again = rewind(hand.target_of(found), found, *where, offset=offset, log=logs[where], actor=hand.actor, reason=hand.reason)
    return f"{flow} reads {again:,} records of {found.topic}[{partition}] again."


def run_job(hand: Hand, *, job: str, force: bool) -> str:
    """Ask for a run."""
    (run,) = ask_for_runs(hand.sessions, [job_named(job)], actor=hand.actor, reason=hand.reason, force=force)
    return f"A run of {job} is asked for: {both_zones(run.scheduled_for)}."


def pause_job(hand: Hand, *, job: str) -> str:
    """Pause it, or all."""
    set_paused(hand.sessions, _job_or_all(job), paused=True, actor=hand.actor, reason=hand.reason)
    return f"{'Every job' if job == EVERY else job} is paused."


def resume_job(hand: Hand, *, job: str) -> str:
    """Let it run again, or lift the pause of all."""
    set_paused(hand.sessions, _job_or_all(job), paused=False, actor=hand.actor, reason=hand.reason)
    return f"{'Every job' if job == EVERY else job} may run."


def cancel_run(hand: Hand, *, job: str, slot: datetime | None) -> str:
    """End a run."""
    run = end_run(hand.sessions, job_named(job), slot=slot, actor=hand.actor, reason=hand.reason)
    return f"The run of {job} for {both_zones(run.scheduled_for)} ends at its next chunk."


def replay_letters(hand: Hand, *, flow: str, ids: Sequence[int]) -> str:
    """Send them again."""
    for letter in letters_named(hand.sessions, flow_named(flow), ids):
        send_again(session_of(hand.sessions, letter), letter, hand.settings, hand.actor, hand.reason)
    return f"{len(ids):,} dead letters of {flow} were sent again."


def discard_letters(hand: Hand, *, flow: str, ids: Sequence[int]) -> str:
    """Give them up, all or none."""
    found = flow_named(flow)
    with hand.target_of(found).transaction():
        for letter in letters_named(hand.sessions, found, ids):
            letters.discard(session_of(hand.sessions, letter), letter, hand.actor, hand.reason)
    return f"{len(ids):,} dead letters of {flow} were given up."


def start_maintenance(hand: Hand, *, hours: str) -> str:
    """Begin now, in both databases."""
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=int(hours))
    for database in Database:
        maintenance.start(hand.sessions[database], ends, hand.reason, hand.actor)
    return f"Maintenance goes on until {both_zones(ends)}."


def stop_maintenance(hand: Hand) -> str:
    """End it, in both databases."""
    ended = [maintenance.stop(hand.sessions[database], hand.actor, hand.reason) for database in Database]
    if not any(ended):
        raise RefusedError("no maintenance on demand goes on")
    return "Maintenance has ended."


def restart(hand: Hand) -> str:
    """Restart what has failed, and tell how the connectors do."""
    session = hand.sessions[Database.CITIZEN]
    statuses = restart_connectors(hand.settings, CONNECT_SECONDS)
    record(session, hand.actor, "restart connectors", " ".join(status.name for status in statuses), hand.reason)
    how = [f"{status.name} {'runs' if status.running else 'does not run yet'}" for status in statuses]
    return f"Restarted what had failed: {', '.join(how)}."


def _job_or_all(name: str) -> Job | None:
    return None if name == EVERY else job_named(name)


#: By the names of the actions.
DEEDS: Final[Mapping[str, Callable[..., str]]] = {
    "pause-flow": pause_flow,
    "resume-flow": resume_flow,
    "accept-truncate": accept_truncate,
    "replay-partition": replay_partition,
    "run-job": run_job,
    "pause-job": pause_job,
    "resume-job": resume_job,
    "cancel-run": cancel_run,
    "replay-letters": replay_letters,
    "discard-letters": discard_letters,
    "start-maintenance": start_maintenance,
    "stop-maintenance": stop_maintenance,
    "restart-connectors": restart,
}
