"""Dead letters and parked records of a person. Payloads are encrypted: each has to be opened to tell whose it is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.fernet import InvalidToken

from sinks.erasure.person import Person, RowKey, quoting
from sinks.operations.connection import Connection
from sinks.operations.letters import Opened, Payload, opened
from sinks.payload_cipher import PayloadCipher

PAGE_ROWS: Final = 1000

DEAD_LETTERS: Final = "sync.dead_letter"
PARKED: Final = "sync.parked"

_PAGE: Final = """
    SELECT id, flow, row_key, record_key, record_value, headers FROM {table}
    WHERE id > %s AND (row_key IS NOT NULL OR record_key IS NOT NULL OR record_value IS NOT NULL OR headers IS NOT NULL)
    ORDER BY id LIMIT %s
    """

# A lane settles letters and parked records under the lock of its ledger row: who takes that first too never waits crosswise.
_LOCK: Final = """
    SELECT FROM sync.ledger AS l
    WHERE (l.flow, l.partition) IN (SELECT d.flow, d.partition FROM {table} AS d WHERE d.id = ANY(%(ids)s))
    ORDER BY l.flow, l.topic, l.partition FOR UPDATE
    """

# The line stays, so that the count of the ledger has its letters, and a replay of the topic does not write the record again.
_EMPTY: Final = """
    UPDATE sync.dead_letter SET row_key = NULL, record_key = NULL, record_value = NULL, headers = NULL,
        closed_at = coalesce(closed_at, now()), closed_by = coalesce(closed_by, %(actor)s),
        close_reason = CASE WHEN status IN ('open', 'replayed') THEN 'erased' ELSE close_reason END,
        status = CASE WHEN status IN ('open', 'replayed') THEN 'discarded' ELSE status END
    WHERE id = ANY(%(ids)s)
    """

# Those that have expired are counted as dead letters already.
_RELEASE: Final = """
    WITH gone AS (DELETE FROM sync.parked WHERE id = ANY(%(ids)s) RETURNING flow, topic, partition, state),
    counted AS (SELECT flow, topic, partition, count(*) AS n FROM gone WHERE state = 'waiting' GROUP BY 1, 2, 3)
    UPDATE sync.ledger AS l SET parked = l.parked - c.n, superseded = l.superseded + c.n
    FROM counted AS c WHERE (l.flow, l.topic, l.partition) = (c.flow, c.topic, c.partition)
    """


@dataclass
class Found:
    """Numbers of the person's records by table, the keys of their rows, and how many records no key of ours opens."""

    ids: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    rows: set[RowKey] = field(default_factory=set)
    unreadable: int = 0


def find(connection: Connection, person: Person, cipher: PayloadCipher) -> Found:
    """Open every record of one database."""
    found, words = Found(), quoting(person.words)
    for table in (DEAD_LETTERS, PARKED):
        for number, flow, row_key, *parts in _records(connection, table):
            try:
                theirs = (flow, row_key) in person.rows or _quotes(opened(Payload(*parts), cipher), words)
            except InvalidToken:
                found.unreadable += 1
                continue
            if theirs:
                found.ids[table].append(number)
                if row_key is not None:
                    found.rows.add((flow, row_key))
    return found


def erase(connection: Connection, found: Found, actor: str) -> None:
    """Empty the letters, release what was parked."""
    for table, statement in ((PARKED, _RELEASE), (DEAD_LETTERS, _EMPTY)):
        if ids := found.ids.get(table):
            with connection.transaction():
                connection.execute(_LOCK.format(table=table).encode(), {"ids": ids})
                connection.execute(statement.encode(), {"ids": ids, "actor": actor})


def _records(connection: Connection, table: str) -> Iterator[tuple[Any, ...]]:
    after, statement = 0, _PAGE.format(table=table).encode()
    while rows := connection.execute(statement, (after, PAGE_ROWS)).fetchall():
        yield from rows
        after = rows[-1][0]


def _quotes(record: Opened, words: re.Pattern[bytes]) -> bool:
    parts = (record.key, record.value, *(value for _, value in record.headers))
    return any(part is not None and words.search(part) for part in parts)
