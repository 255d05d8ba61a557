"""Dead letters: written in the transaction that advances the ledger past the record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import psycopg2

from sinks.payload_cipher import Headers, PayloadCipher
from sinks.pool import Session


@dataclass(frozen=True)
class DeadLetter:
    """A record that could not be applied. ``detail`` holds no value; ``record_time`` is Kafka's, in ms.

    ``replay_of``: the letter whose replay this record was; that letter is opened again instead of making a second one.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    row_key: str | None
    record_time: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    replay_of: int | None = None


async def write(session: Session, flow: str, letters: Sequence[DeadLetter], cipher: PayloadCipher) -> None:
    """Add letters, once per record however often it is replayed."""
    fresh = [letter for letter in letters if letter.replay_of is None]
    again = {letter.replay_of: letter for letter in letters if letter.replay_of is not None}
    for letter in fresh:
        await session.run(
            """
            INSERT INTO sync.dead_letter AS d (flow, topic, partition, "offset", reason, detail, row_key, record_time,
                                               record_key, record_value, headers)
            VALUES (%s, %s, %s, %s, %s, %s, %s, timestamptz 'epoch' + %s * interval '1 millisecond', %s, %s, %s)
            ON CONFLICT (flow, topic, partition, "offset") DO UPDATE SET status = 'open', attempts = d.attempts + 1,
                reason = excluded.reason, detail = excluded.detail WHERE d.status = 'replayed'
            """,
            (flow, letter.topic, letter.partition, letter.offset, letter.reason, letter.detail, letter.row_key,
             letter.record_time, *_tokens(letter, cipher)),
        )  # fmt: skip
    for identity, letter in again.items():
        # 'open' too: the command that sent the record may not have committed 'replayed' yet; the row lock makes us wait for it.
        await session.run(
            "UPDATE sync.dead_letter SET status = 'open', attempts = attempts + 1, reason = %s, detail = %s"
            " WHERE id = %s AND flow = %s AND status IN ('open', 'replayed')",
            (letter.reason, letter.detail, identity, flow),
        )


def _tokens(letter: DeadLetter, cipher: PayloadCipher) -> list[psycopg2.Binary | None]:
    tokens = (cipher.encrypt(letter.key), cipher.encrypt(letter.value), cipher.encrypt_headers(letter.headers))
    return [None if token is None else psycopg2.Binary(token) for token in tokens]


async def close(session: Session, flow: str, partition: int, row_keys: Iterable[str]) -> None:
    """Close the letters of rows of which a good version was applied."""
    await session.run(
        """
        UPDATE sync.dead_letter SET status = 'closed', closed_at = now(), closed_by = 'worker',
            close_reason = 'a good version of the row was applied'
        WHERE flow = %s AND partition = %s AND status IN ('open', 'replayed')
          AND row_key IN (SELECT json_array_elements_text(%s::json))
        """,
        (flow, partition, msgspec.json.encode(sorted(row_keys)).decode()),
    )
