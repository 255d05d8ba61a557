"""Every kind of record that cannot be applied: how a good one is spoiled, and the reason that its dead letter gives."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.records import envelope, key_of, row

OTHER_FAMILY = "00000000-0000-4000-8000-000000000001"

Spoil = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class BadRecord:
    """`reason` is that of the dead letter. `recognised`: the row can be told, so that a good version closes the letter."""

    key: bytes | None
    value: bytes
    reason: str
    recognised: bool


def bad_record(case: str, snapshot_id: int, family: str, lsn: int) -> BadRecord:
    """Spoil an update of a row in the way that `case`, a key of :data:`CASES`, names."""
    spoil, reason, recognised = CASES[case]
    key, change = key_of(family), envelope(row(snapshot_id, family), lsn=lsn)
    found = spoil(change)
    if case in KEYS:
        key = found
    return BadRecord(key, found if isinstance(found, bytes) and case not in KEYS else _document(change), reason, recognised)


def _document(change: dict[str, Any]) -> bytes:
    # As Python does, this writes NaN and Infinity as bare words and lone surrogates as escapes, which no JSON may hold.
    return json.dumps(change).encode()


def _set(**columns: Any) -> Spoil:
    return lambda change: change["after"].update(columns)


def _drop(column: str) -> Spoil:
    return lambda change: change["after"].pop(column)


def _part(**parts: Any) -> Spoil:
    return lambda change: change.update(parts)


CASES: dict[str, tuple[Spoil, str, bool]] = {
    "a document that ends early": (lambda change: _document(change)[:-20], "malformed_json", False),
    "bytes that are no UTF-8": (lambda change: _document(change).replace(b"forged", b"\xff\xfe"), "malformed_json", False),
    "no JSON at all": (lambda _: b"hello", "malformed_json", False),
    "an empty value": (lambda _: b"", "malformed_json", False),
    "a bare NaN": (_set(eligibility_score=float("nan")), "malformed_json", False),
    "a lone surrogate": (_set(explanation="half of \ud83d"), "malformed_json", False),
    "a list instead of a change": (lambda _: b"[1, 2]", "wrong_type", False),
    "a text for a number": (_set(snapshot_id="twelve"), "wrong_type", False),
    "a number for a text": (_set(scheme_code=17), "wrong_type", True),
    "an object for a text": (_set(explanation={"en": "because"}), "wrong_type", True),
    "a score that is no number": (_set(eligibility_score="high"), "wrong_type", True),
    "a member that is no UUID": (_set(member_id="member-1"), "wrong_type", True),
    "a score of NaN": (_set(eligibility_score="NaN"), "out_of_range", True),
    "an infinite score": (_set(eligibility_score="Infinity"), "out_of_range", True),
    "a score above 1": (_set(eligibility_score="1.5000"), "out_of_range", True),
    "a score below 0": (_set(eligibility_score="-0.0001"), "out_of_range", True),
    "a confidence above 1": (_set(confidence_score="7.0000"), "out_of_range", True),
    "a year beyond 9999": (_set(evaluation_timestamp="10000-01-01T00:00:00Z"), "out_of_range", True),
    "a year before 1": (_set(evaluation_timestamp="-0043-03-15T00:00:00Z"), "out_of_range", True),
    "an infinite time": (_set(updated_at="+294247-01-10T04:00:54.775807Z"), "out_of_range", True),
    "a key beyond 64 bits": (_set(snapshot_id=2**63), "out_of_range", False),
    "a code longer than its column": (_set(scheme_code="x" * 51), "out_of_range", True),
    "no scheme": (_drop("scheme_code"), "missing_field", True),
    "a null scheme": (_set(scheme_code=None), "missing_field", True),
    "no state after": (_part(after=None), "missing_field", False),
    "no operation": (lambda change: change.pop("op"), "missing_field", True),
    "an unknown operation": (_part(op="x"), "unknown_operation", True),
    "the character U+0000": (_set(explanation="before\0after"), "forbidden_character", True),
    "no key": (lambda _: None, "missing_key", True),
    "another family's key": (lambda _: key_of(OTHER_FAMILY), "key_mismatch", True),
}
KEYS = ("no key", "another family's key")
