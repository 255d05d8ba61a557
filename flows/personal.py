"""Where the rows of the platform are that are about a person: derived from the ids that definitions declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flows.append_model import AppendFlow
from flows.batch_model import AggregateFlow, RefreshFlow
from flows.definition import Definition
from flows.identity import Identity
from flows.match_model import MatchFlow
from flows.model import RankedFlow
from flows.reference import ReferringFlow
from flows.row_model import MirrorFlow, RowFlow
from flows.summary_model import SummaryFlow
from flows.tables import Source, Table


@dataclass(frozen=True)
class PersonalTable:
    """A table with rows about people: which of its columns hold which ids.

    ``key``: the column with the primary key of the source row, where there is one.
    """

    flow: str
    table: Table
    identities: Mapping[str, Identity]
    key: str | None


def personal_source(flow: Definition) -> PersonalTable | None:
    """The source, if it is a table with rows about people."""
    found = {column.name: column.identity for column in flow.source.columns if column.identity is not None}
    if not found or not isinstance(flow.source, Source):
        return None
    return PersonalTable(flow.name, flow.source.table, found, flow.source.primary_key)


def personal_target(flow: Definition) -> PersonalTable | None:
    """The target, if it has rows about people. That of a match flow is the platform's own, and a source as well."""
    found = dict(_target_identities(flow))
    if not found or isinstance(flow, MatchFlow):
        return None
    return PersonalTable(flow.name, flow.target.table, found, _row_key(flow))


def personal_notices(flow: Definition) -> PersonalTable | None:
    """The table of the flow's notices."""
    if not isinstance(flow, RowFlow) or flow.notice is None:
        return None
    target = dict(_target_identities(flow))
    found = {name: target[name] for name in flow.notice.reference if name in target}
    return PersonalTable(flow.name, flow.notice.table, found, None)


def is_about_people(flow: Definition) -> bool:
    """Whether the flow carries rows about people."""
    return any(column.identity is not None for column in flow.source.columns)


def follows_deletes(flow: Definition) -> bool:
    """Whether a target row goes when the source row is deleted. Elsewhere it stays: as a fact, a mark, or without any source."""
    mirrored = isinstance(flow, MirrorFlow) and flow.deleted_at is None
    return mirrored or isinstance(flow, RankedFlow | SummaryFlow | RefreshFlow)


def _target_identities(flow: Definition) -> Iterator[tuple[str, Identity]]:
    looked_up = flow.reference.column if isinstance(flow, ReferringFlow) else None
    for column in flow.target.columns:
        identity = flow.source.column(column.source).identity
        if identity is not None and column.name != looked_up and not column.masks:
            yield column.name, identity
    if isinstance(flow, SummaryFlow):
        yield flow.reference.column, dict(_target_identities(flow.through))[flow.reference.value]
    if flow.link is not None:
        yield flow.link.column, Identity.GOLDEN_RECORD


def _row_key(flow: Definition) -> str | None:
    if isinstance(flow, AppendFlow):
        return flow.subject
    if isinstance(flow, RankedFlow | SummaryFlow | AggregateFlow):
        return None
    return next((column.name for column in flow.target.columns if column.source == flow.source.primary_key), None)
