"""Dead letters: written in the transaction that advances the ledger past the record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sinks.json_text import json_text
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
    """Add letters, once per record however often it is replayed; one statement for all of them."""
    fresh = {(each.topic, each.partition, each.offset): each for each in reversed(letters) if each.replay_of is None}
    again = {each.replay_of: each for each in letters if each.replay_of is not None}
    if fresh:
        rows = [_row(each, cipher) for each in fresh.values()]
        await session.run(_WRITE, {"flow": flow, "letters": json_text(rows)})
    if again:
        verdicts = [{"id": each.replay_of, "reason": each.reason, "detail": _storable(each.detail)} for each in again.values()]
        await session.run(_OPEN_AGAIN, {"flow": flow, "letters": json_text(verdicts)})


# Tokens of the cipher are ASCII: they travel as text in JSON, and stand in the table as the bytes that they are.
_WRITE: Final = """
    INSERT INTO sync.dead_letter AS d (flow, topic, partition, "offset", reason, detail, row_key, record_time,
                                       record_key, record_value, headers)
    SELECT %(flow)s, l.topic, l.partition, l."offset", l.reason, l.detail, l.row_key,
           timestamptz 'epoch' + l.record_time * interval '1 millisecond',
           convert_to(l.record_key, 'UTF8'), convert_to(l.record_value, 'UTF8'), convert_to(l.headers, 'UTF8')
    FROM json_to_recordset(%(letters)s::json)
        AS l(topic text, partition integer, "offset" bigint, reason text, detail text, row_key text, record_time bigint,
             record_key text, record_value text, headers text)
    ORDER BY l.topic, l.partition, l."offset"
    ON CONFLICT (flow, topic, partition, "offset") DO UPDATE SET status = 'open', attempts = d.attempts + 1,
        reason = excluded.reason, detail = excluded.detail WHERE d.status = 'replayed'
"""

# 'open' too: the command that sent the record may not have committed 'replayed' yet; the row lock makes us wait for it.
_OPEN_AGAIN: Final = """
    UPDATE sync.dead_letter AS d SET status = 'open', attempts = d.attempts + 1, reason = l.reason, detail = l.detail
    FROM json_to_recordset(%(letters)s::json) AS l(id bigint, reason text, detail text)
    WHERE d.id = l.id AND d.flow = %(flow)s AND d.status IN ('open', 'replayed')
"""


def _row(letter: DeadLetter, cipher: PayloadCipher) -> dict[str, str | int | None]:
    """The letter as a JSON object, its payload encrypted."""
    return {
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
        "detail": _storable(letter.detail),
        "row_key": _storable(letter.row_key),
        "record_time": letter.record_time,
        **cipher.encrypted(letter.key, letter.value, letter.headers),
    }


def _storable(text: str | None) -> str | None:
    """A bad row's key may hold U+0000, which PostgreSQL cannot."""
    return text and text.replace("\0", "\N{REPLACEMENT CHARACTER}")


async def close(session: Session, flow: str, partition: int, row_keys: Iterable[str]) -> None:
    """Close the letters of rows of which a good version was applied."""
    await session.run(
        """
        UPDATE sync.dead_letter SET status = 'closed', closed_at = now(), closed_by = 'worker',
            close_reason = 'a good version of the row was applied'
        WHERE flow = %s AND partition = %s AND status IN ('open', 'replayed')
          AND row_key IN (SELECT json_array_elements_text(%s::json))
        """,
        (flow, partition, json_text(sorted(row_keys))),
    )
