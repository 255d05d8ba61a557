"""Match flows: what every source row that counts says of the record that it is linked to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flows.match_model import Lookup, MatchFlow
from reconcile.canonical import Hashing
from reconcile.comparison import Comparison
from reconcile.kinds.selecting import ONE, counted, mapped, own_members, standing
from sinks.json_text import json_text
from sinks.match_rows import lookup_statement
from sinks.pool import Session


def compare_match(flow: MatchFlow, hashing: Hashing) -> Comparison:
    """Keys are primary keys of the source: match keys are private and may not stand in cursors and reports.

    Names that are looked up are compared as names, which both databases have. Records are those that rows are linked to, as long
    as a version says that the row counts.
    """
    source, target = flow.source, flow.target
    names = target.column_names
    match = f"s.{flow.match.source}"
    lookups = flow.lookups
    return Comparison(
        flow=flow,
        key_type=source.column(source.primary_key).sql_type,
        columns=(*names, *(lookup.column for lookup in lookups)),
        expected=f"""SELECT s.{source.primary_key} AS key, {ONE}, {", ".join(mapped(flow, hashing, names))}
                            {"".join(f", {_plain(f's.{each.source}')} AS {each.column}" for each in lookups)}
                     FROM {source.table.qualified} AS s WHERE {counted(flow)} AND {match} <> ''""",
        standing=f"""SELECT p.citizen_id AS key, {ONE}, {", ".join(standing(flow, hashing, names))}
                            {"".join(f", {_standing_name(each)} AS {each.column}" for each in lookups)}
                     FROM {_linked(flow)} WHERE EXISTS (
                         SELECT FROM sync.row_version AS v
                         WHERE v.flow = '{flow.name}' AND v.key = p.citizen_id::text AND NOT v.deleted)""",
        silent_nulls=frozenset({*flow.merged_columns}),
        members=own_members(flow),
        ghosts="SELECT p.citizen_id AS key, p.citizen_id::text AS pk, p.citizen_id::text AS home FROM sync.person_link AS p",
        excuses=MatchExcuses(flow),
    )


def _linked(flow: MatchFlow) -> str:
    return f"sync.person_link AS p JOIN {flow.target.table.qualified} AS t ON t.{flow.identity} = p.gr_id"


def _plain(name: str) -> str:
    """As names are compared when they are looked up, whatever the locale of the database."""
    return f"""lower(regexp_replace({name}, '[[:space:]]', '', 'g') COLLATE "C")"""


def _standing_name(lookup: Lookup) -> str:
    table = lookup.table.qualified
    return f"(SELECT {_plain(f'l.{lookup.name}')} FROM {table} AS l WHERE l.{lookup.value} = t.{lookup.column})"


class MatchExcuses:
    """Records that somebody else has written since, and names that are not known.

    See :class:`~reconcile.comparison.Excuses`.
    """

    def __init__(self, flow: MatchFlow) -> None:
        self._lookups = flow.lookups
        self._all = frozenset({*flow.target.column_names, *(lookup.column for lookup in flow.lookups)})
        self._said, self._held = _said(flow), _held(flow)
        self._known = [lookup_statement(lookup) for lookup in flow.lookups]

    async def of(self, source: Session, target: Session, keys: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Key to the columns that may differ."""
        said = await source.rows(self._said, {"keys": list(keys)})
        held = dict(await target.rows(self._held, {"keys": list(keys)}))
        excused = {key: self._all if _is_others(held.get(key), at) else frozenset() for key, at, *_ in said}
        for place, lookup in enumerate(self._lookups):
            names = {key: given for key, _, *rest in said if (given := rest[place]) is not None}
            unknown = set(names.values()) - await self._names(target, place, set(names.values()))
            for key in (key for key, name in names.items() if name in unknown):
                excused[key] |= {lookup.column}
        return excused

    async def _names(self, target: Session, place: int, names: Collection[str]) -> set[str]:
        found = await target.rows(self._known[place], {"names": json_text(sorted(names))})
        return {name for name, _ in found}


def _is_others(held: Any, at: Any) -> bool:
    """Whether the record is another writer's, as of ``held``, and what the source says is not later."""
    return held is not None and at <= held


def _said(flow: MatchFlow) -> str:
    """Key, time in microseconds and names of source rows."""
    source, time = flow.source, flow.target.column(flow.time).source
    names = "".join(f", s.{lookup.source}" for lookup in flow.lookups)
    return f"""SELECT s.{source.primary_key}::text, {_microseconds(f"s.{time}")} {names} FROM {source.table.qualified} AS s
               WHERE s.{source.primary_key} = ANY(%(keys)s::{source.column(source.primary_key).sql_type}[])"""


def _held(flow: MatchFlow) -> str:
    """Key and time of records that we were not the last to write."""
    signature = flow.signature
    return f"""SELECT p.citizen_id::text, {_microseconds(f"t.{flow.time}")}
               FROM {_linked(flow)} LEFT JOIN sync.golden_write AS w ON w.gr_id = t.{flow.identity}
               WHERE p.citizen_id = ANY(%(keys)s::uuid[])
                 AND (t.{signature.column} = '{signature.writer}' AND t.{flow.time} = w.updated_at) IS NOT TRUE"""


def _microseconds(time: str) -> str:
    return f"extract(epoch FROM {time}) * 1000000"
