"""The event path as batch jobs see it: the checks and the guarded writes of the flows' kinds, outside of any partition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from app.kinds import followers_of
from app.likeness import HashedRanges, member_likeness, mirror_likeness
from batch_timers.event_path import EventPath
from flows.model import CapturedFlow
from flows.row_model import MirrorFlow
from flows.summary_model import SummaryFlow
from schemas.debezium import row_decoder
from schemas.problems import BadRecord
from sinks import staged_members
from sinks.copied_rows import Copied
from sinks.copying import CopySession
from sinks.pool import Parameters, Pool, Session
from sinks.source_rows import Fence, KeyRange
from sinks.staged_rows import staged_following_statement, staged_mirror_statement
from sinks.staging import Found, stage
from sinks.summary_rows import following_statement, strays_statement
from streams.summary import SummaryWriter


def event_path(flow: CapturedFlow) -> EventPath:
    """That of a flow; TypeError for a kind that no batch job backs up."""
    if isinstance(flow, MirrorFlow):
        return MirrorPath(flow)
    if isinstance(flow, SummaryFlow):
        return SummaryPath(flow)
    raise TypeError(f"flow {flow.name}: no batch job backs up a {type(flow).__name__}")


class MirrorPath:
    """See :class:`~batch_timers.event_path.EventPath`."""

    def __init__(self, flow: MirrorFlow) -> None:
        if flow.filter is not None:
            raise TypeError(f"flow {flow.name}: a batch job would have to compare rows that its filter leaves out")
        self.flow = flow
        self.problem = problem_of(flow)
        self._statements = {extras: staged_mirror_statement(flow, extras=extras) for extras in (False, True)}
        followers = followers_of(flow)
        self._following = [staged_following_statement(flow, follower) for follower in followers]
        self._losing = [following_statement(follower) for follower in followers]

    async def write(self, session: CopySession, page: Copied, fence: Fence, *, extras: bool, named: bool) -> Found:
        """Target rows."""
        await stage(session, self.flow, page)
        row = await session.row(self._statements[extras], _parameters(self.flow, page, fence, named=named))
        assert row is not None, "the statement answers one row"
        differing, extra, won, removed, written, *_ = row
        await self._tell_followers(session, won, removed)
        return Found(differing, extra, 0, won, _keys(written), _keys(removed) if named else ())

    async def _tell_followers(self, session: Session, won: int, removed: str | None) -> None:
        """What followers refer to has changed, or is gone."""
        for following in self._following if won else ():
            await session.run(following)
        for losing in self._losing if removed else ():
            await session.run(losing, {"keys": removed})

    async def likeness(self, source: Pool, target: Pool) -> HashedRanges:
        """Of target rows."""
        return await mirror_likeness(self.flow, source, target)

    async def settle(self, session: Session) -> list[str]:  # noqa: ARG002 as the protocol has it
        """Nothing is derived from mirrored rows."""
        return []

    async def settle_range(self, session: Session, bounds: KeyRange) -> list[str]:  # noqa: ARG002 as the protocol has it
        """Nothing is derived from mirrored rows."""
        return []

    async def settle_strays(self, session: Session) -> list[str]:  # noqa: ARG002 as the protocol has it
        """Nothing is derived from mirrored rows."""
        return []


class SummaryPath:
    """See :class:`~batch_timers.event_path.EventPath`. Rows are members; what is derived from them are the summaries."""

    def __init__(self, flow: SummaryFlow) -> None:
        self.flow = flow
        self.problem = problem_of(flow)
        self._writer = SummaryWriter(flow)
        self._comparisons = {extras: staged_members.compare_statement(flow, extras=extras) for extras in (False, True)}
        self._writing = staged_members.writing_statements(flow)
        self._groups = staged_members.groups_statement(flow)
        self._groups_in_range = staged_members.groups_in_range_statement(flow)
        self._strays = strays_statement(flow)

    async def write(self, session: CopySession, page: Copied, fence: Fence, *, extras: bool, named: bool) -> Found:
        """Members, and the summaries of the groups that they touch."""
        await session.run(staged_members.TABLES)
        await stage(session, self.flow, page)
        parameters = _parameters(self.flow, page, fence, named=named)
        row = await session.row(self._comparisons[extras], parameters)
        assert row is not None, "the statement answers one row"
        differing, extra, waiting = row
        if not (differing or extra):
            return Found(0, 0, waiting, 0)
        won, written, removed = await self._guarded(session, parameters)
        return Found(differing, extra, waiting, won, _keys(written), _keys(removed))

    async def _guarded(self, session: CopySession, parameters: Parameters) -> tuple[int, str | None, str | None]:
        """Write what was found to differ, as far as its version wins."""
        before, guard, behind = self._writing
        await session.run(before)
        row = await session.row(guard, parameters)
        assert row is not None, "the statement answers one row"
        await session.run(behind)
        won, written, removed = row
        return won, written, removed

    async def likeness(self, source: Pool, target: Pool) -> HashedRanges:
        """Of members."""
        return await member_likeness(self.flow, source, target)

    async def settle(self, session: Session) -> list[str]:
        """Sum up groups of the page whose summary is another."""
        return await self._summed_up(session, self._groups, None)

    async def settle_range(self, session: Session, bounds: KeyRange) -> list[str]:
        """Sum up groups of the range whose summary is another."""
        return await self._summed_up(session, self._groups_in_range, bounds._asdict())

    async def settle_strays(self, session: Session) -> list[str]:
        """Sum up groups that have no member."""
        return await self._summed_up(session, self._strays, None)

    async def _summed_up(self, session: Session, statement: str, parameters: Parameters) -> list[str]:
        groups = [group for (group,) in await session.rows(statement, parameters)]
        await self._writer.sum_up(session, groups)
        return [f"{self.flow.reference.column} {group}" for group in groups]


def problem_of(flow: CapturedFlow) -> Callable[[bytes], str | None]:
    """What the decoder of events says of a row of the source."""
    decode = row_decoder(flow)

    def problem(content: bytes) -> str | None:
        try:
            decode(content)
        except BadRecord as error:
            return str(error)
        return None

    return problem


def _parameters(flow: CapturedFlow, page: Copied, fence: Fence, *, named: bool) -> dict[str, Any]:
    return {"flow": flow.name, **fence._asdict(), **page.bounds._asdict(), "named": named}


def _keys(listed: str | None) -> tuple[str, ...]:
    return () if listed is None else msgspec.json.decode(listed, type=tuple[str, ...])
