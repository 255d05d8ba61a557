"""Replication slots of a source: where PostgreSQL keeps what a connector has not read yet."""

from dataclasses import dataclass
from typing import Final

from psycopg.rows import class_row

from sinks.operations.connection import Connection

LOST: Final = "lost"


@dataclass(frozen=True)
class Slot:
    """``wal_status`` is PostgreSQL's word. ``complete``: its beginning is settled, nothing that is committed now is missed."""

    wal_status: str | None
    complete: bool

    @property
    def lost(self) -> bool:
        """Whether the server has thrown away what the connector would read next; that cannot be undone."""
        return self.wal_status == LOST

    @property
    def usable(self) -> bool:
        """Whether a connector can read from it."""
        return self.complete and not self.lost


def replication_slot(source: Connection, name: str) -> Slot | None:
    """Look for a slot; any role may."""
    with source.cursor(row_factory=class_row(Slot)) as cursor:
        cursor.execute(
            "SELECT wal_status, confirmed_flush_lsn IS NOT NULL AS complete FROM pg_replication_slots WHERE slot_name = %s",
            (name,),
        )
        return cursor.fetchone()


@dataclass(frozen=True)
class Retention:
    """A slot of ours and what it keeps. ``retained_bytes`` of log; ``safe_bytes`` until it is lost, ``None``: without limit."""

    name: str
    active: bool
    wal_status: str | None
    retained_bytes: int | None
    safe_bytes: int | None


def retentions(source: Connection, name: str) -> list[Retention]:
    """Read what the slot of that name keeps; nothing before there is one."""
    with source.cursor(row_factory=class_row(Retention)) as cursor:
        cursor.execute(
            "SELECT slot_name AS name, active, wal_status, safe_wal_size AS safe_bytes,"
            " pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,"
            " restart_lsn)::bigint AS retained_bytes FROM pg_replication_slots WHERE slot_name = %s",
            (name,),
        )
        return cursor.fetchall()
