"""How ranges of a flow are hashed in source and target, so that a batch job need not read what is alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from batch_timers.event_path import Hashed
from flows.row_model import MirrorFlow
from flows.summary_model import SummaryFlow
from reconcile.canonical import Hashing, agreed_hashing
from reconcile.comparison import Comparison
from reconcile.kinds import comparison_of
from reconcile.kinds.members import compare_members
from reconcile.queries import SideStatements, side_statements
from sinks.pool import Pool, Session
from sinks.source_rows import KeyRange

#: Rows are read by key; only hashing reads whole ranges.
_BY_KEY = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = on"


class HashedRanges:
    """See :class:`~batch_timers.event_path.Likeness`."""

    def __init__(self, comparison: Comparison, hashing: Hashing) -> None:
        self._source = side_statements(comparison, hashing, comparison.expected)
        self._target = side_statements(comparison, hashing, comparison.standing)

    async def of_source(self, session: Session, bounds: KeyRange, cuts: Sequence[str]) -> Mapping[int, Hashed]:
        """In the snapshot of the session."""
        found = await _hashes(session, self._source, bounds, cuts)
        await session.run(_BY_KEY)
        return found

    async def of_target(self, session: Session, bounds: KeyRange, cuts: Sequence[str]) -> Mapping[int, Hashed]:
        """As it stands now."""
        return await _hashes(session, self._target, bounds, cuts)


async def _hashes(session: Session, side: SideStatements, bounds: KeyRange, cuts: Sequence[str]) -> Mapping[int, Hashed]:
    found = await session.rows(side.hashes, {**bounds._asdict(), "cuts": list(cuts)})
    return {part: Hashed(rows, total) for part, rows, total in found}


async def mirror_likeness(flow: MirrorFlow, source: Pool, target: Pool) -> HashedRanges:
    """Target rows, as the reconciliation compares them."""
    hashing = await agreed_hashing(source, target)
    return HashedRanges(comparison_of(flow, hashing), hashing)


async def member_likeness(flow: SummaryFlow, source: Pool, target: Pool) -> HashedRanges:
    """Members: a summary may be as it should be while members that do not show in it are missing."""
    hashing = await agreed_hashing(source, target)
    return HashedRanges(compare_members(flow, hashing), hashing)
