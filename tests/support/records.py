"""Records of the source topic as Debezium writes them, put together by hand so that any part of them may be wrong."""

import json
from datetime import UTC, datetime
from typing import Any

from flows.eligibility_hints import ELIGIBILITY_HINTS
from schemas.message_key import message_key, partition_of

TOPIC = ELIGIBILITY_HINTS.topic


def key_of(family: str) -> bytes:
    """Return the record key of a family."""
    return json.dumps({"family_id": family}, separators=(",", ":")).encode()


def partition_of_family(family: str) -> int:
    """Return the partition to which the connector sends a family."""
    return partition_of(message_key(ELIGIBILITY_HINTS, family), ELIGIBILITY_HINTS.partitions)


def row(snapshot_id: int, family: str, **different: Any) -> dict[str, Any]:
    """Return a row of the source as the connector renders it; `different` replaces columns."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {
        "snapshot_id": snapshot_id,
        "family_id": family,
        "member_id": None,
        "scheme_code": "SCHEME",
        "evaluation_status": "RULE_ELIGIBLE",
        "eligibility_score": "0.9000",
        "confidence_score": "0.8000",
        "explanation": "forged",
        "evaluation_timestamp": now,
        "updated_at": now,
    } | different


def event(after: dict[str, Any] | None, *, lsn: int, op: str = "u", before: dict[str, Any] | None = None) -> bytes:
    """Return the value of a change; json.dumps writes NaN and lone surrogates as Python's readers of them expect."""
    return json.dumps(envelope(after, lsn=lsn, op=op, before=before)).encode()


def envelope(after: dict[str, Any] | None, *, lsn: int, op: str = "u", before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the parts of a change, to be altered."""
    milliseconds = int(datetime.now(UTC).timestamp() * 1000)
    source = {
        "version": "3.7.0.Final",
        "connector": "postgresql",
        "name": "warehouse",
        "ts_ms": milliseconds,
        "ts_us": milliseconds * 1000,
        "ts_ns": milliseconds * 1_000_000,
        "snapshot": "false",
        "db": "smart_warehouse",
        "sequence": f'[null,"{lsn}"]',
        "schema": "eligibility",
        "table": "eligibility_snapshots",
        "txId": 1,
        "lsn": lsn,
        "xmin": None,
    }
    return {
        "before": before,
        "after": after,
        "source": source,
        "transaction": None,
        "op": op,
        "ts_ms": milliseconds,
        "ts_us": milliseconds * 1000,
        "ts_ns": milliseconds * 1_000_000,
    }
