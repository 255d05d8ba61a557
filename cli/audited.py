"""What commands that change something leave in the audit: one list, and one way for all of them.

An operation on a database writes the line of what was done in its own transaction. The rest is written here: what was refused or
failed, as the web view does, and what was done elsewhere than in our databases.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import psycopg
import typer
from typer.core import TyperGroup

from cli.databases import SHELL, Identity, databases
from cli.errors import EXPLAINED, message
from cli.options import actor
from flows.tables import Database
from settings import ConfigurationError, Settings, load_settings
from sinks.operations.audit import RefusedError, record, record_undone
from sinks.operations.connection import Connection

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Deed:
    """What the audit calls it. ``about``: the command's parameters that name what it is about; never one that may hold an id.

    ``elsewhere``: it is done in Kafka or Kafka Connect, and no transaction of ours can keep it. ``looks``: a flag, and what it is
    when the command changes nothing.
    """

    name: str
    about: tuple[str, ...] = ()
    elsewhere: bool = False
    looks: tuple[str, bool] | None = None


#: Commands that change something, by their path.
DEEDS: Final[Mapping[str, Deed]] = {
    "pause": Deed("pause", ("flow",)),
    "resume": Deed("resume", ("flow",)),
    "resync": Deed("resync", ("flow",)),
    "replay": Deed("replay", ("flow", "topic", "partition")),
    "backfill": Deed("run job", ("flow",)),
    "source-epoch": Deed("source epoch", ("source",), looks=("set_new", False)),
    "connect apply": Deed("apply connectors", elsewhere=True),
    "connect restart": Deed("restart connectors", elsewhere=True),
    "connect reset": Deed("reset connector", ("source",)),
    "dead-letters replay": Deed("replay dead letter", ("flow", "letter_ids")),
    "dead-letters discard": Deed("discard dead letter", ("flow", "letter_ids")),
    "review close": Deed("close review", ("flow", "review_ids")),
    "reconcile run": Deed("reconcile", ("flows", "resume"), elsewhere=True, looks=("dry_run", True)),
    "jobs run": Deed("run job", ("job",)),
    "jobs pause": Deed("pause job", ("job",)),
    "jobs resume": Deed("resume job", ("job",)),
    "jobs cancel": Deed("cancel run", ("job",)),
    "maintenance start": Deed("start maintenance"),
    "maintenance stop": Deed("stop maintenance"),
    "subject purge": Deed("purge subject", looks=("dry_run", True)),
}


def wrapped(commands: Mapping[str, Any], path: tuple[str, ...] = ()) -> None:
    """Have every command of the list, below ``path``, leave its lines; ``commands`` as Typer has made them."""
    for name, command in commands.items():
        if isinstance(command, TyperGroup):
            wrapped(command.commands, (*path, name))
        elif (deed := DEEDS.get(" ".join((*path, name)))) and command.callback is not None:
            command.callback = _audited(command.callback, deed)


def _audited(callback: Callable[..., Any], deed: Deed) -> Callable[..., Any]:
    def run(**given: Any) -> Any:
        if deed.looks is not None and given[deed.looks[0]] is deed.looks[1]:
            return callback(**given)
        with _kept(deed, _subject(deed, given), given.get("reason")):
            return callback(**given)

    return run


@contextmanager
def _kept(deed: Deed, subject: str, reason: str | None) -> Iterator[None]:
    """An exit code is how the command ends that has done its work."""
    try:
        yield
    except typer.Exit:
        _note_done(deed, subject, reason)
        raise
    except ConfigurationError:
        raise
    except EXPLAINED as error:
        why = undone(error)
        write_line(load_settings(), SHELL, lambda to: record_undone(to, actor(), deed.name, subject, reason=reason, why=why))
        raise
    _note_done(deed, subject, reason)


def _note_done(deed: Deed, subject: str, reason: str | None) -> None:
    if deed.elsewhere:
        write_line(load_settings(), SHELL, lambda to: record(to, actor(), deed.name, subject, reason))


def undone(error: Exception) -> Exception:
    """The error as the audit keeps it: without values of rows, and what was refused told from what failed."""
    return RefusedError(message(error)) if isinstance(error, RefusedError) else RuntimeError(message(error))


def write_line(settings: Settings, identity: Identity, write: Callable[[Connection], None]) -> None:
    """Into the citizen database; what was not done there changed none, and an outage must not hide why."""
    try:
        with databases(settings, identity) as sessions:
            write(sessions[Database.CITIZEN])
    except psycopg.Error as error:
        log.warning("the audit could not be written: %s", message(error))


def _subject(deed: Deed, given: Mapping[str, Any]) -> str:
    named = [_shown(given[name]) for name in deed.about if given.get(name) not in (None, (), [])]
    return " ".join(named) or "all"


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_shown, value))
    return str(value.value if isinstance(value, Enum) else getattr(value, "name", value))
