"""Why a record cannot be applied: the closed list of dead-letter reasons."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One word per rule of the data quality section; written to ``sync.dead_letter.reason``."""

    MALFORMED_JSON = "malformed_json"
    MALFORMED_AVRO = "malformed_avro"
    UNKNOWN_SCHEMA = "unknown_schema"
    WRONG_TYPE = "wrong_type"
    MISSING_FIELD = "missing_field"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_OPERATION = "unknown_operation"
    MISSING_KEY = "missing_key"
    KEY_MISMATCH = "key_mismatch"
    FORBIDDEN_CHARACTER = "forbidden_character"
    UNCHANGED_TOAST = "unchanged_toast"
    REFUSED_BY_DATABASE = "refused_by_database"
    REFERENCE_MISSING = "reference_missing"


class BadRecord(Exception):
    """One record that cannot be applied. ``detail`` says what was wrong and where, and never holds a value."""

    def __init__(self, reason: Reason, detail: str, row_key: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.row_key = row_key
