"""Summary flows: members are kept beside the target, and every group that a chunk touches is summed up anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from flows.summary_model import SummaryFlow
from sinks import summary_rows
from sinks.json_text import json_text
from sinks.pool import Session
from streams.summary_decoding import Member


@dataclass(frozen=True)
class Summed:
    """Row keys whose version won, and those that were gone as of it before; target rows removed and written."""

    won: frozenset[str] = frozenset()
    gone_before: frozenset[str] = frozenset()
    removed: int = 0
    written: int = 0


class SummaryWriter:
    """Writes members inside a transaction that somebody else has begun under the ledger lock."""

    def __init__(self, flow: SummaryFlow) -> None:
        self._flow = flow.name
        self._families = summary_rows.families_statement(flow)
        self._summaries = summary_rows.summaries_statement(flow)

    async def families(self, session: Session, references: Iterable[str]) -> dict[str, str | None]:
        """Those of the references that are there, with their groups; they cannot change before the transaction ends."""
        wanted = sorted(set(references))
        return dict(await session.rows(self._families, {"keys": json_text(wanted)})) if wanted else {}

    async def write(self, session: Session, members: Sequence[Member], families: Mapping[str, str | None]) -> Summed:
        """Write members whose version wins, each row at most once; those whose reference is not there count nowhere for now."""
        if not members:
            return Summed()
        absent = {member.reference for member in members if not member.gone} - families.keys()
        if absent:
            await session.run(summary_rows.NOTE, {"keys": json_text(sorted(absent))})
        rows = [_row(member, families.get(member.reference)) for member in members]
        won = await self._keys(session, summary_rows.GUARD, rows)
        refused = [row for row in rows if row["d"] and row["k"] not in won]
        gone_before = await self._keys(session, summary_rows.GONE_BEFORE, refused) if refused else frozenset[str]()
        if not won:
            return Summed(won, gone_before)
        stood = await session.rows(summary_rows.STOOD, {"keys": json_text(sorted(won))})
        now = [families.get(member.reference) for member in members if member.row_key in won]
        newer = [row for row, member in zip(rows, members, strict=True) if member.row_key in won]
        await session.run(summary_rows.MEMBERS, {"rows": json_text(newer)})
        return Summed(won, gone_before, *await self.sum_up(session, [*(group for (group,) in stood), *now]))

    async def _keys(self, session: Session, statement: str, rows: list[dict[str, Any]]) -> frozenset[str]:
        found = await session.rows(statement, {"flow": self._flow, "rows": json_text(rows)})
        return frozenset(key for (key,) in found)

    async def sum_up(self, session: Session, groups: Iterable[str | None]) -> tuple[int, int]:
        """Compute the summaries of groups under their locks; returns target rows removed and written."""
        touched = json_text(sorted({group for group in groups if group is not None}))
        if touched == "[]":
            return 0, 0
        await session.run(summary_rows.LOCK_GROUPS, {"groups": touched})
        found = await session.row(self._summaries, {"groups": touched})
        assert found is not None, "the statement answers one row"
        return found[0], found[1]


def _row(member: Member, family: str | None) -> dict[str, Any]:
    row = {"k": member.row_key, "e": member.epoch, "l": member.lsn, "d": member.gone, "profile_id": int(member.row_key)}
    if member.gone:
        return row
    content = msgspec.Raw(b"{%b}" % member.content)
    return row | {"gr_id": member.reference, "family_id": family, "updated_at": member.time, "content": content}
