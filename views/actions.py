"""The list of all that can be done through the web view. Forms, checks and who may do it follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from flows.model import Flow
from views.fields import Field, choice, flag, number, numbers, slot
from views.operators import Role
from views.sessions import SignedIn

#: Stands for all jobs where one may be named.
EVERY: Final = "*"
HOURS: Final = (1, 2, 4, 8)


@dataclass(frozen=True)
class Action:
    """``effect`` tells what it does before it is done. ``deed`` is what the audit calls it."""

    name: str
    group: str
    title: str
    deed: str
    effect: str
    role: Role
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Order:
    """An action that somebody has confirmed.

    ``values``: by the names of the action's fields; ``origin``: the address of the browser.
    """

    action: Action
    who: SignedIn
    origin: str
    reason: str
    values: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """What it is about, for the audit."""
        return " ".join(_shown(value) for value in self.values.values() if value not in (None, False)) or self.action.group


class NotDoneError(Exception):
    """The order was not carried out; the message says why and what to do instead."""


class Desk(Protocol):
    """Carries orders out, by the operations of the commands, and keeps the audit."""

    @property
    def jobs(self) -> Sequence[str]:
        """Names of the batch jobs."""
        ...

    async def perform(self, order: Order) -> str:
        """What was done, in a sentence; raises :class:`NotDoneError`."""
        ...

    async def note(self, actor: str, role: str, origin: str, deed: str, problem: str | None = None) -> None:
        """Add to the audit that somebody signed in or out, or with a ``problem`` could not; an outage is only logged."""
        ...


def all_actions(flows: Sequence[Flow], jobs: Sequence[str]) -> tuple[Action, ...]:
    """In the order in which they are listed."""
    return (*_of_flows(flows), *_of_jobs(jobs), *_of_letters(flows), *_of_the_whole())


def _of_flows(flows: Sequence[Flow]) -> Iterator[Action]:
    group, flow = "Flows", choice("flow", "Flow", [(flow.name, f"{flow.name}: {flow.title}") for flow in flows])
    yield Action(
        "pause-flow",
        group,
        "Pause a flow",
        "pause",
        "The flow applies nothing on any worker, also after restarts, until somebody resumes it. Its events wait in Kafka.",
        Role.OPERATOR,
        (flow,),
    )
    yield Action(
        "resume-flow",
        group,
        "Resume a flow",
        "resume",
        "A paused or stopped flow goes on where it was. What made it stop should be mended before.",
        Role.OPERATOR,
        (flow,),
    )
    yield Action(
        "accept-truncate",
        group,
        "Accept a truncated source",
        "resume",
        "A flow that stopped because its source was truncated goes on and is rebuilt from the source: rows that the source"
        " no longer has are removed from the target.",
        Role.ADMIN,
        (flow,),
    )
    yield Action(
        "replay-partition",
        group,
        "Read a partition again",
        "replay",
        "The partition of the flow's source topic is read again from the offset on. Rows that are newer in the target stay.",
        Role.OPERATOR,
        (flow, number("partition", "Partition"), number("offset", "From offset", "What the broker still holds, not read ahead.")),
    )


def _of_jobs(jobs: Sequence[str]) -> Iterator[Action]:
    group, names = "Batch jobs", [(job, job) for job in jobs]
    job, any_job = choice("job", "Job", names), choice("job", "Job", [*names, (EVERY, "every job")])
    yield Action(
        "run-job",
        group,
        "Run a job now",
        "run job",
        "A worker takes the run within seconds, when the job's lane is free.",
        Role.OPERATOR,
        (job, flag("force", "Force it", "Needed in maintenance and, for jobs that avoid them, in peak hours.")),
    )
    yield Action(
        "pause-job",
        group,
        "Pause a job",
        "pause job",
        "It does not start any more, and a run under way pauses at its next chunk, until somebody resumes it.",
        Role.OPERATOR,
        (any_job,),
    )
    yield Action(
        "resume-job",
        group,
        "Resume a job",
        "resume job",
        "It starts again by its schedule, and a run that paused goes on where it was.",
        Role.OPERATOR,
        (any_job,),
    )
    yield Action(
        "cancel-run",
        group,
        "Cancel a run",
        "cancel run",
        "The run ends at its next chunk. What it has written stays; its next run takes up the rest.",
        Role.OPERATOR,
        (job, slot("slot", "Scheduled for", "A time in UTC such as 2026-03-01T04:00; empty: the newest run.")),
    )


def _of_letters(flows: Sequence[Flow]) -> Iterator[Action]:
    group = "Dead letters"
    flow = choice("flow", "Flow", [(flow.name, flow.name) for flow in flows])
    which = numbers("ids", "Numbers", "With blanks or commas between.")
    yield Action(
        "replay-letters",
        group,
        "Send dead letters again",
        "replay dead letter",
        "Their original bytes go through the flow once more. What is bad still becomes a dead letter again.",
        Role.OPERATOR,
        (flow, which),
    )
    yield Action(
        "discard-letters",
        group,
        "Give dead letters up",
        "discard dead letter",
        "The records are never applied. The letters are kept with who gave them up and why.",
        Role.ADMIN,
        (flow, which),
    )


def _of_the_whole() -> Iterator[Action]:
    hours = choice("hours", "For", [(str(each), f"{each} h") for each in HOURS])
    yield Action(
        "start-maintenance",
        "Maintenance",
        "Start maintenance",
        "start maintenance",
        "No batch job starts, those under way pause at their next chunk. Event flows go on. It ends by itself.",
        Role.OPERATOR,
        (hours,),
    )
    yield Action(
        "stop-maintenance",
        "Maintenance",
        "Stop maintenance",
        "stop maintenance",
        "Maintenance on demand ends now, and jobs go on where they were. The monthly window is not touched.",
        Role.OPERATOR,
        (),
    )
    yield Action(
        "restart-connectors",
        "Connectors",
        "Restart failed connectors",
        "restart connectors",
        "Connectors and tasks that have failed are restarted; what runs is left alone.",
        Role.OPERATOR,
        (),
    )


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
