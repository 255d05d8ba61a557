"""The steps of `subject purge`, in an order that may be broken off anywhere and begun again.

1. what is known of the person is kept, until the end: the rows that tell what is theirs go on the way;
2. while the platform still has rows of theirs nothing is erased, because their events would bring everything back;
3. the flows get the time to apply what the sources have committed, so that target rows are gone by their own deletes;
4. the owners of candidates forget what they remember of removed rows;
5. our own stores are erased, and facts, marks and callbacks, which no delete follows;
6. everything is counted once more, and only where nothing is left the ids are forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiokafka.errors import KafkaError

from flows.model import CapturedFlow, RankedFlow
from flows.personal import is_about_people
from flows.registry import CAPTURED, FLOWS
from flows.tables import Database
from reconcile.broker import Broker, Command
from reconcile.canonical import Hashing
from reconcile.kinds import comparison_of
from reconcile.level import Level, NotLevel
from schemas.headers import FORGET_HEADER
from schemas.message_key import message_key, partition_of
from schemas.topics import changelog_topic
from settings import PROGRAM
from sinks.erasure import notes
from sinks.erasure.knowing import everything_of
from sinks.erasure.notes import DEED, Erasure
from sinks.erasure.person import Person
from sinks.erasure.search import Survey, erase, survey
from sinks.erasure.stores import Remedy
from sinks.operations.audit import record
from sinks.operations.connection import Sessions
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool

#: Flows that a purge waits for.
PERSONAL: Final[tuple[CapturedFlow, ...]] = tuple(flow for flow in CAPTURED if is_about_people(flow))


@dataclass(frozen=True)
class Tools:
    """What a purge works with. ``pools``: of the databases, for the wait; ``patience``: seconds for each wait."""

    sessions: Sessions
    pools: Mapping[Database, Pool]
    broker: Broker
    cipher: PayloadCipher
    patience: float


@dataclass(frozen=True)
class Order:
    """Who wants it and why. ``force``: although the platform still has rows of the person."""

    actor: str
    reason: str
    force: bool = False


@dataclass
class Outcome:
    """``erasure``: its number while something is left. ``problems``: why it is not done."""

    survey: Survey
    erasure: int | None = None
    problems: list[str] = field(default_factory=list)


def look(sessions: Sessions, person: Person, cipher: PayloadCipher) -> tuple[Person, Survey]:
    """What is known of the person, and where it is; changes nothing."""
    known = everything_of(sessions, notes.noted(sessions[Database.CITIZEN], person))
    return known, survey(sessions, known, cipher)


async def purge(tools: Tools, person: Person, order: Order) -> Outcome:
    """Erase a person; raises as databases and the broker do, after which it may be repeated."""
    known, found = look(tools.sessions, person, tools.cipher)
    erasure = notes.begin(tools.sessions[Database.CITIZEN], known, order.actor, order.reason)
    if found.of(Remedy.SOURCE) and not order.force:
        return Outcome(found, erasure.number, [_STANDS])
    try:
        await _until_level(tools)
        await _forget_candidates(tools, known)
    except (NotLevel, KafkaError) as error:
        return Outcome(found, erasure.number, [f"nothing is erased yet: {error}; then {_AGAIN}"])
    return _finish(tools, Erasure(erasure.number, erase(tools.sessions, known, tools.cipher, order.actor)), order)


_AGAIN: Final = f"`{PROGRAM} subject purge` again"
_STANDS: Final = (
    "the platform still has rows of the person, whose events would bring everything back: have them deleted there, then"
    f" {_AGAIN}; what is known of the person is kept until then"
)


async def _until_level(tools: Tools) -> None:
    """Everything that is committed in the sources is in the targets."""
    for flow in PERSONAL:
        await _level(tools, flow).reach()


def _level(tools: Tools, flow: CapturedFlow) -> Level:
    source, target = tools.pools[flow.source.table.database], tools.pools[flow.target.table.database]
    return Level(comparison_of(flow, Hashing(fast=False)), source, target, tools.broker, tools.patience)


async def _forget_candidates(tools: Tools, person: Person) -> None:
    """Have the owners forget, and wait until they have."""
    for flow in PERSONAL:
        if isinstance(flow, RankedFlow) and (commands := list(_forgetting(flow, person))):
            await tools.broker.send(commands)
            await _level(tools, flow).reach()


def _forgetting(flow: RankedFlow, person: Person) -> Iterator[Command]:
    """A row's trace is kept under its group; of a single member of a family nothing is in it."""
    kind = flow.source.column(flow.ranking.group).identity
    for group in sorted(person.of(kind)) if kind else ():
        key = message_key(flow, group)
        yield Command(flow.command_topic, partition_of(key, flow.partitions), key, None, ((FORGET_HEADER, b"1"),))


def _finish(tools: Tools, erasure: Erasure, order: Order) -> Outcome:
    """Count what is left."""
    left = survey(tools.sessions, erasure.person, tools.cipher)
    if problems := list(_problems(left)):
        return Outcome(left, erasure.number, problems)
    for database in Database:
        with tools.sessions[database].transaction():
            record(tools.sessions[database], order.actor, DEED, f"{erasure.subject}, done", order.reason)
            if database is Database.CITIZEN:
                notes.end(tools.sessions[database], erasure)
    return Outcome(left)


def _problems(left: Survey) -> Iterator[str]:
    for each in left.of(*Remedy):
        yield f"{each.rows:,} rows of {each.database}'s {each.table} are left: {_WHY[each.remedy]}"
    if left.unreadable:
        yield (
            f"{left.unreadable:,} dead letters or parked records cannot be opened: add the key of their time to"
            f" SYNC_PAYLOAD_KEYS, then {_AGAIN}"
        )


_OURS: Final = f"written meanwhile; {_AGAIN}"
_WHY: Final[Mapping[Remedy, str]] = {
    Remedy.SOURCE: "the platform's own",
    Remedy.FLOW: f"they go with their source rows; if these are gone, `{PROGRAM} reconcile run` the flow, then {_AGAIN}",
    Remedy.DELETE: _OURS,
    Remedy.REDACT: _OURS,
    Remedy.EMPTY: _OURS,
    Remedy.RELEASE: _OURS,
    Remedy.TELL: "a reason that somebody gave names the person, and only the database's administrator may change it",
}


def topics_of_people(application: str) -> list[str]:
    """Topics whose records are about people, and the changelogs of the workers of ``application``."""
    about = [flow for flow in FLOWS if is_about_people(flow)]
    changelogs = {changelog_topic(application, flow) for flow in about if isinstance(flow, RankedFlow)}
    return sorted({topic for flow in about for topic in flow.topics} | changelogs)
