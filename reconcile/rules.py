"""Rules that every row of a target keeps, derived from the definition: required values, masks, known values, references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flows.append_model import AppendFlow
from flows.callback_model import CallbackFlow
from flows.match_model import MatchFlow
from flows.model import Flow, RankedFlow
from flows.summary_model import SummaryFlow
from flows.tables import Column
from flows.transforms import literal

#: The name of the rule that a row of a citizen who has a golden record is linked to one. To which is not said: a row keeps its
#: link when its citizen gets another record.
LINK: Final = "link"


@dataclass(frozen=True)
class Rule:
    """``breach``: an SQL condition over the target row ``t`` that is true where the rule is broken."""

    name: str
    breach: str


def rules_of(flow: Flow) -> tuple[Rule, ...]:
    """All rules of a flow."""
    return tuple(_rules(flow))


def shown_key(flow: Flow) -> str:
    """What names a row of the target to people: never a private value."""
    names = (flow.identity,) if isinstance(flow, MatchFlow) else flow.target.key
    return " || ' ' || ".join(f"t.{name}::text" for name in names)


def _rules(flow: Flow) -> Iterator[Rule]:
    for column in flow.target.columns:
        # Records of a match flow are other writers', too.
        if not isinstance(flow, MatchFlow) and _is_filled(flow, column):
            yield Rule(f"{column.name} is filled", f"t.{column.name} IS NULL")
        yield from (Rule(f"{column.name} is masked", f"t.{column.name} !~ {literal(mask.shown)}") for mask in column.masks)
        yield from _known(flow, column)
    yield from _of_kind(flow)
    if flow.link is not None:
        linked = f"EXISTS (SELECT FROM sync.person_link AS p WHERE p.citizen_id = t.{flow.link.citizen})"
        yield Rule(LINK, f"t.{flow.link.column} IS NULL AND {linked}")


def _is_filled(flow: Flow, column: Column) -> bool:
    return flow.source.column(column.source).required or column.value(None) is not None


def _known(flow: Flow, column: Column) -> Iterator[Rule]:
    """Values and bounds that nothing else can come to."""
    known = column.transforms[-1].results if column.transforms else ()
    if flow.filter is not None and column.source == flow.filter.column and not (column.transforms or flow.filter.any_case):
        known = flow.filter.values
    if isinstance(flow, CallbackFlow) and not column.transforms:
        known = flow.source.field(column.source).values
    if known:
        yield Rule(f"{column.name} is a known value", f"t.{column.name} NOT IN ({', '.join(map(literal, known))})")
    source = flow.source.column(column.source)
    bounds = [(source.minimum, "<"), (source.maximum, ">")]
    if breaches := [f"t.{column.name} {sign} {bound}" for bound, sign in bounds if bound is not None]:
        yield Rule(f"{column.name} is in its bounds", " OR ".join(breaches))


def _of_kind(flow: Flow) -> Iterator[Rule]:
    table = flow.target.table.qualified
    if isinstance(flow, RankedFlow):
        rank, size = flow.ranking.rank, flow.ranking.size
        (group,) = [column.name for column in flow.target.columns if column.source == flow.ranking.group]
        of_group = f"FROM {table} AS o WHERE o.{group} = t.{group}"
        yield Rule(
            f"{rank} counts from 1 to {size} without a gap",
            f"t.{rank} > {size} OR t.{rank} <> (SELECT count(*) {of_group} AND o.{rank} <= t.{rank})",
        )
    elif isinstance(flow, AppendFlow):
        held = flow.reference
        known = f"EXISTS (SELECT FROM {held.table.qualified} AS r WHERE r.{held.value} = t.{held.column})"
        yield Rule(f"{held.column} is known", f"NOT {known}")
        for column in flow.target.columns:
            if column.source == flow.watched and column.transforms:
                yield Rule(f"{column.name} fits {flow.state}", f"t.{column.name} <> {column.sql(f't.{flow.state}')}")
    elif isinstance(flow, SummaryFlow):
        held = flow.reference
        known = f"EXISTS (SELECT FROM {held.table.qualified} AS r WHERE r.{held.value} = t.{held.column})"
        yield Rule(f"{held.column} is known", f"NOT {known}")
    elif isinstance(flow, MatchFlow):
        for lookup in flow.lookups:
            known = f"EXISTS (SELECT FROM {lookup.table.qualified} AS l WHERE l.{lookup.value} = t.{lookup.column})"
            yield Rule(f"{lookup.column} is known", f"t.{lookup.column} IS NOT NULL AND NOT {known}")
