"""Members of summary flows: what the target keeps of every source row, so that the next newest can stand in."""

from __future__ import annotations

from typing import Final

from flows.summary_model import SummaryFlow
from flows.types import SqlType
from reconcile.canonical import Hashing
from reconcile.comparison import Comparison
from reconcile.kinds.selecting import ONE, mapped, own_members, standing

_UUID: Final = SqlType("uuid")
_TIME: Final = SqlType("timestamptz")


def compare_members(flow: SummaryFlow, hashing: Hashing) -> Comparison:
    """By primary key of the source. A member that is in another group than what it refers to is not as it should be."""
    source, reference, content = flow.source, flow.reference, flow.content_columns
    types = dict(flow.written_columns)
    record = ", ".join(f"{name} {types[name]}" for name in content)
    time = flow.target.column(flow.time).source
    own = ("reference", "member_time", "grouped")
    return Comparison(
        flow=flow,
        key_type=source.column(source.primary_key).sql_type,
        columns=(*own, *content),
        expected=f"""SELECT s.{source.primary_key} AS key, {ONE},
                            {hashing.canonical(f"s.{flow.reference_source.name}", _UUID)} AS reference,
                            {hashing.canonical(f"s.{time}", _TIME)} AS member_time, 'true'::text AS grouped,
                            {", ".join(mapped(flow, hashing, content))}
                     FROM {source.table.qualified} AS s""",
        standing=f"""SELECT m.profile_id AS key, {ONE}, {hashing.canonical("m.gr_id", _UUID)} AS reference,
                            {hashing.canonical("m.updated_at", _TIME)} AS member_time,
                            (m.family_id IS NOT DISTINCT FROM r.{reference.value})::text AS grouped,
                            {", ".join(standing(flow, hashing, content, "c"))}
                     FROM sync.profile_member AS m CROSS JOIN jsonb_to_record(m.content) AS c({record})
                     LEFT JOIN {reference.table.qualified} AS r ON r.{reference.key} = m.gr_id""",
        members=own_members(flow),
    )
