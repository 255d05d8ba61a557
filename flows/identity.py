"""By what a person is known: ids that columns of the platform hold. Erasure finds by them what is held of a person."""

from __future__ import annotations

from enum import StrEnum


class Identity(StrEnum):
    """What an id is the id of. ``FAMILY`` stands for all of its members together."""

    CITIZEN = "citizen"
    GOLDEN_RECORD = "golden_record"
    MEMBER = "member"
    FAMILY = "family"
    APPLICATION = "application"
