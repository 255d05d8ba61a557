"""The SQL of parked records. Identifiers come from definitions only, values are bound."""

from __future__ import annotations

from typing import Final

from flows.reference import Reference


def known_statement(reference: Reference, key_type: str) -> str:
    """Those of a JSON array of references that are there, with what is looked up."""
    return f"""
        SELECT k.key, r.{reference.value} FROM json_array_elements_text(%(references)s::json) AS k(key)
        JOIN {reference.table.qualified} AS r ON r.{reference.key} = k.key::{key_type}
        """


def due_statement(reference: Reference, key_type: str) -> str:
    """Those of ``partitions`` in which a reference has come, a deadline has passed or a letter was settled."""
    return _DUE.format(there=_there(reference, key_type, "w"))


def arrived_statement(reference: Reference, key_type: str) -> str:
    """Records whose reference is there and before which none of their key waits for another, in order."""
    join = f"{reference.table.qualified} AS r ON r.{reference.key} = p.reference::{key_type}"
    return _ARRIVED.format(value=reference.value, join=join, there=_there(reference, key_type, "b"))


def overdue_statement(reference: Reference, key_type: str) -> str:
    """Records whose deadline has passed and whose reference is not there."""
    return _OVERDUE.format(there=_there(reference, key_type, "p"))


def count_overdue_statement(reference: Reference, key_type: str) -> str:
    """How many records of a flow are overdue."""
    return _COUNT_OVERDUE.format(there=_there(reference, key_type, "p"))


def _there(reference: Reference, key_type: str, alias: str) -> str:
    table, key = reference.table.qualified, reference.key
    return f"EXISTS (SELECT FROM {table} AS r WHERE r.{key} = {alias}.reference::{key_type})"


WAITING: Final = """
    SELECT DISTINCT row_key FROM sync.parked
    WHERE flow = %(flow)s AND partition = %(partition)s AND state = 'waiting'
      AND row_key IN (SELECT json_array_elements_text(%(row_keys)s::json))
"""

# Tokens of the cipher are ASCII: they travel as text in JSON, and stand in the table as the bytes that they are.
PARK: Final = """
    INSERT INTO sync.parked (flow, topic, partition, "offset", row_key, reference, record_time, record_key, record_value, headers,
                             deadline)
    SELECT %(flow)s, %(topic)s, %(partition)s, p."offset", p.row_key, p.reference,
           timestamptz 'epoch' + p.record_time * interval '1 millisecond',
           convert_to(p.record_key, 'UTF8'), convert_to(p.record_value, 'UTF8'), convert_to(p.headers, 'UTF8'),
           clock_timestamp() + %(seconds)s * interval '1 second'
    FROM json_to_recordset(%(records)s::json)
        AS p("offset" bigint, row_key text, reference text, record_time bigint, record_key text, record_value text, headers text)
    ORDER BY p."offset"
    ON CONFLICT (flow, topic, partition, "offset") DO NOTHING
    RETURNING "offset"
"""

_DUE: Final = """
    SELECT o.partition FROM unnest(%(partitions)s) AS o(partition)
    WHERE EXISTS (SELECT FROM (SELECT DISTINCT reference FROM sync.parked
                               WHERE flow = %(flow)s AND partition = o.partition) AS w WHERE {there})
       OR EXISTS (SELECT FROM sync.parked
                  WHERE flow = %(flow)s AND partition = o.partition AND state = 'waiting' AND deadline <= clock_timestamp())
       OR EXISTS (SELECT FROM sync.parked AS p JOIN sync.dead_letter AS d ON d.id = p.letter
                  WHERE p.flow = %(flow)s AND p.partition = o.partition AND d.status IN ('closed', 'discarded'))
"""

_ARRIVED: Final = """
    SELECT p.id, p.topic, p."offset", (extract(epoch FROM p.record_time) * 1000)::bigint,
           p.record_key, p.record_value, p.headers, p.state, p.letter, r.{value}
    FROM sync.parked AS p JOIN {join}
    WHERE p.flow = %(flow)s AND p.partition = %(partition)s
      AND (p.state = 'expired'
           OR NOT EXISTS (SELECT FROM sync.parked AS b
                          WHERE b.flow = p.flow AND b.partition = p.partition AND b.row_key = p.row_key
                            AND b.state = 'waiting' AND b.id < p.id AND NOT {there}))
    ORDER BY p.id LIMIT %(limit)s
"""

_OVERDUE: Final = """
    SELECT p.id, p.topic FROM sync.parked AS p
    WHERE p.flow = %(flow)s AND p.partition = %(partition)s AND p.state = 'waiting' AND p.deadline <= clock_timestamp()
      AND NOT {there}
    ORDER BY p.id LIMIT %(limit)s
"""

_COUNT_OVERDUE: Final = """
    SELECT count(*) FROM sync.parked AS p
    WHERE p.flow = %(flow)s AND p.state = 'waiting' AND p.deadline <= clock_timestamp() AND NOT {there}
"""

# The payload goes over as it is: encrypted, and with the same key.
LETTERS: Final = """
    INSERT INTO sync.dead_letter AS d (flow, topic, partition, "offset", reason, detail, row_key, record_time,
                                       record_key, record_value, headers)
    SELECT flow, topic, partition, "offset", %(reason)s, %(detail)s, row_key, record_time, record_key, record_value, headers
    FROM sync.parked WHERE id = ANY(%(ids)s) ORDER BY id
    ON CONFLICT (flow, topic, partition, "offset") DO UPDATE SET status = 'open', attempts = d.attempts + 1,
        reason = excluded.reason, detail = excluded.detail WHERE d.status IN ('open', 'replayed')
"""

EXPIRE: Final = """
    UPDATE sync.parked AS p SET state = 'expired', letter = d.id FROM sync.dead_letter AS d
    WHERE p.id = ANY(%(ids)s)
      AND (d.flow, d.topic, d.partition, d."offset") = (p.flow, p.topic, p.partition, p."offset")
"""

CANCEL: Final = """
    DELETE FROM sync.parked
    WHERE flow = %(flow)s AND partition = %(partition)s AND state = 'waiting'
      AND row_key IN (SELECT json_array_elements_text(%(row_keys)s::json))
    RETURNING topic
"""

FORGET: Final = """
    DELETE FROM sync.parked AS p USING sync.dead_letter AS d
    WHERE p.flow = %(flow)s AND p.partition = %(partition)s AND d.id = p.letter AND d.status IN ('closed', 'discarded')
"""
