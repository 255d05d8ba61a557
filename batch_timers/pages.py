"""Chunks that several jobs have: a page of rows that one statement writes, and the watermark that ends a good run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sinks import watermarks
from sinks.batch_columns import array
from sinks.job_ledger import Counts
from sinks.pool import Session


@dataclass(frozen=True)
class Page:
    """Rows of ``flow``, each a JSON document. ``statement`` takes them and answers how many were new or changed."""

    flow: str
    statement: str
    rows: list[str]
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """Rows that are there as they should be stay untouched."""
        found = await session.row(self.statement, {"flow": self.flow, "rows": array(self.rows)})
        assert found is not None, "the statement answers one row"
        return Counts(written=found[0], unchanged=len(self.rows) - found[0])


@dataclass(frozen=True)
class Mark:
    """Behind the last page: where the next run of ``job`` begins; without ``mark`` that stays where it was."""

    job: str
    mark: datetime | None
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """Only a run that gets here was a good one."""
        if self.mark is not None:
            await watermarks.raise_to(session, self.job, self.mark)
        return Counts()
