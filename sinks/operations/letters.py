"""Dead letters as operators see them: find, open, send again, discard. Writing them is the worker's."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg.rows import class_row

from flows.model import Flow
from settings import PROGRAM
from sinks.operations.audit import RefusedError, record
from sinks.operations.connection import Connection
from sinks.payload_cipher import PayloadCipher

UNSETTLED: Final = ("open", "replayed")


@dataclass(frozen=True)
class Letter:
    """A dead letter without its payload. ``detail`` never holds a value."""

    id: int
    flow: str
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    row_key: str | None
    record_time: datetime | None
    status: str
    attempts: int
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    close_reason: str | None


@dataclass(frozen=True)
class Payload:
    """The record's parts as Fernet tokens; ``None`` where the record had none."""

    record_key: bytes | None
    record_value: bytes | None
    headers: bytes | None


@dataclass(frozen=True)
class Selection:
    """Which letters: ``None`` and an empty ``ids`` match all. Oldest first, at most ``limit``, behind the letter ``after``."""

    flow: str | None = None
    status: str | None = None
    reason: str | None = None
    ids: Sequence[int] = ()
    limit: int | None = None
    after: int = 0


_COLUMNS: Final[LiteralString] = (
    'id, flow, topic, partition, "offset", reason, detail, row_key, record_time, status, attempts, created_at,'
    " closed_at, closed_by, close_reason"
)


def find(connection: Connection, selection: Selection) -> list[Letter]:
    """Read the selected letters."""
    with connection.cursor(row_factory=class_row(Letter)) as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM sync.dead_letter"
            " WHERE (%(flow)s::text IS NULL OR flow = %(flow)s)"
            " AND (%(status)s::text IS NULL OR status = %(status)s)"
            " AND (%(reason)s::text IS NULL OR reason = %(reason)s)"
            " AND (%(ids)s::bigint[] = '{}' OR id = ANY(%(ids)s)) AND id > %(after)s ORDER BY id LIMIT %(limit)s",
            vars(selection) | {"ids": list(selection.ids)},
        )
        return cursor.fetchall()


def counts(connection: Connection, flow: Flow) -> dict[str, int]:
    """Count the letters of a flow by status."""
    rows = connection.execute(
        "SELECT status, count(*) FROM sync.dead_letter WHERE flow = %s GROUP BY status ORDER BY status", (flow.name,)
    )
    return dict(rows.fetchall())


def open_by_reason(connection: Connection) -> dict[str, dict[str, int]]:
    """Count what people are shown as open: flow → reason → letters. Reads no settled letter, however many there are."""
    rows = connection.execute(
        "SELECT flow, reason, count(*) FROM sync.dead_letter WHERE status IN ('open', 'replayed')"
        " GROUP BY flow, reason ORDER BY flow, count(*) DESC, reason"
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for flow, reason, number in rows:
        found.setdefault(flow, {})[reason] = number
    return found


def unsettled(by_status: Mapping[str, int]) -> int:
    """How many of the counted letters people are shown as open: a replayed one is, until its outcome is known."""
    return sum(by_status.get(status, 0) for status in UNSETTLED)


@dataclass(frozen=True)
class Opened:
    """A letter's record as it was read."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def opened(payload: Payload, cipher: PayloadCipher) -> Opened:
    """Decrypt a payload; raises ``cryptography.fernet.InvalidToken`` when no key fits."""
    key, value = cipher.decrypt(payload.record_key), cipher.decrypt(payload.record_value)
    return Opened(key, value, cipher.decrypt_headers(payload.headers))


def payload(connection: Connection, letter: int) -> Payload:
    """Read the encrypted record; raises :class:`RefusedError` when there is no such letter."""
    with connection.cursor(row_factory=class_row(Payload)) as cursor:
        cursor.execute("SELECT record_key, record_value, headers FROM sync.dead_letter WHERE id = %s", (letter,))
        found = cursor.fetchone()
    if found is None:
        raise RefusedError(f"there is no dead letter {letter}; `{PROGRAM} dead-letters list` shows what there is")
    return found


@contextmanager
def sending_again(connection: Connection, letter: Letter, actor: str, reason: str | None = None) -> Iterator[Payload]:
    """Give the payload to send, under the letter's lock, and mark the letter as replayed when the block ends well.

    The lock makes the worker wait that already holds the new record, so that its verdict comes after this mark.
    """
    with connection.transaction():
        _lock_unsettled(connection, letter)
        yield payload(connection, letter.id)
        connection.execute("UPDATE sync.dead_letter SET status = 'replayed' WHERE id = %s", (letter.id,))
        record(connection, actor, "replay dead letter", f"{letter.flow} {letter.id}", reason)


def discard(connection: Connection, letter: Letter, actor: str, reason: str) -> None:
    """Give a record up; the letter is kept with the reason."""
    with connection.transaction():
        _lock_unsettled(connection, letter)
        connection.execute(
            "UPDATE sync.dead_letter SET status = 'discarded', closed_at = now(), closed_by = %s, close_reason = %s"
            " WHERE id = %s",
            (actor, reason, letter.id),
        )
        record(connection, actor, "discard dead letter", f"{letter.flow} {letter.id}", reason)


def _lock_unsettled(connection: Connection, letter: Letter) -> None:
    row: tuple[Any, ...] | None = connection.execute(
        "SELECT status FROM sync.dead_letter WHERE id = %s FOR UPDATE", (letter.id,)
    ).fetchone()
    status = row[0] if row else "gone"
    if status not in UNSETTLED:
        raise RefusedError(f"dead letter {letter.id} is {status}: nothing is left to do about it")
