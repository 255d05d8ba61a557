"""Everything that pages are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flows.model import Flow
from views.facts import Inquiry
from views.protocols import Clock
from views.records import Records


@dataclass(frozen=True)
class Sources:
    """``inquiry``: how everything does now; ``records``: the past, plans, and what others know."""

    inquiry: Inquiry
    records: Records
    clock: Clock
    flows: Sequence[Flow]
