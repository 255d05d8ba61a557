"""The groups that a ranked flow's target holds, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from flows.model import RankedFlow
from sinks.pool import Session

PAGE_ROWS: Final = 10_000


async def target_groups(session: Session, flow: RankedFlow) -> AsyncIterator[str]:
    """Every group with a row in the target, as text, in order."""
    group, table = flow.ranking.group, flow.target.table.qualified
    kind = flow.target.column(group).type
    statement = f"""
        SELECT {group}::text FROM (
            SELECT DISTINCT {group} FROM {table} WHERE %(after)s::{kind} IS NULL OR {group} > %(after)s::{kind}
            ORDER BY {group} LIMIT {PAGE_ROWS}
        ) AS page ORDER BY {group}
        """
    after = None
    while rows := await session.rows(statement, {"after": after}):
        for (found,) in rows:
            yield found
        after = rows[-1][0]
