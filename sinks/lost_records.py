"""Records that the log dropped before they were read, and that no source can make good: noted in the audit."""

from __future__ import annotations

from typing import Final

from sinks.ledger import Claim
from sinks.pool import Session

_NOTE: Final = """
    INSERT INTO sync.audit (actor, action, subject, reason)
    SELECT 'worker', 'records lost', l.flow || ' ' || l.topic || '[' || l.partition || ']',
           format('offsets %%s to %%s were gone from the log before they were read; the last one applied was received %%s',
                  l.next_offset, %(begin)s::bigint - 1, coalesce(l.source_time::text, 'at a time that is not known'))
    FROM sync.ledger AS l
    WHERE l.flow = %(flow)s AND l.topic = %(topic)s AND l.partition = %(partition)s AND l.next_offset < %(begin)s
    RETURNING reason
    """


async def note(session: Session, claim: Claim, begin: int) -> str | None:
    """Inside the transaction that moves the position to ``begin``, where the log begins: what was lost, if anything was."""
    where = {"flow": claim.flow, "topic": claim.topic, "partition": claim.partition}
    row = await session.row(_NOTE, {**where, "begin": begin})
    return None if row is None else str(row[0])
