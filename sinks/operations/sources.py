"""Which cluster a source is. A restored or replaced one has other numbers, with LSNs perhaps lower than known ones."""

from dataclasses import dataclass

from psycopg.rows import class_row

from flows.tables import Database
from sinks.operations.audit import RefusedError, record
from sinks.operations.connection import Connection
from sinks.source_identity import IDENTITY_QUERY, Identity


@dataclass(frozen=True)
class KnownSource:
    """What a target database remembers of a source: the identity of its present epoch."""

    epoch: int
    system_identifier: int
    timeline: int

    @property
    def identity(self) -> Identity:
        """The cluster that the epoch stands for."""
        return Identity(self.system_identifier, self.timeline)


def present_identity(source: Connection) -> Identity:
    """Ask the source itself."""
    with source.cursor(row_factory=class_row(Identity)) as cursor:
        cursor.execute(IDENTITY_QUERY)
        found = cursor.fetchone()
    if found is None:
        raise RefusedError("the source did not tell its identity")
    return found


def known_source(target: Connection, source: Database) -> KnownSource | None:
    """Read what the target remembers; nothing before the first worker ran."""
    with target.cursor(row_factory=class_row(KnownSource)) as cursor:
        cursor.execute("SELECT epoch, system_identifier, timeline FROM sync.source WHERE name = %s", (source.value,))
        return cursor.fetchone()


def begin_epoch(target: Connection, source: Database, identity: Identity, actor: str) -> KnownSource:
    """Accept the cluster that the source is now: its changes count as newer than all that came before."""
    with target.transaction(), target.cursor(row_factory=class_row(KnownSource)) as cursor:
        cursor.execute(
            "INSERT INTO sync.source AS s (name, system_identifier, timeline) VALUES (%s, %s, %s) ON CONFLICT (name)"
            " DO UPDATE SET epoch = s.epoch + 1, system_identifier = excluded.system_identifier,"
            " timeline = excluded.timeline, seen_lsn = NULL, slot_seen = false RETURNING epoch, system_identifier, timeline",
            (source.value, identity.system_identifier, identity.timeline),
        )
        begun = cursor.fetchone()
        if begun is None:
            raise RefusedError(f"the epoch of {source.value} could not be written")
        record(target, actor, "source epoch", source.value, f"epoch {begun.epoch}: {identity}")
    return begun
