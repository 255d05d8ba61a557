"""Summary flows: per group the row of its newest member, whose group the source database knows itself."""

from __future__ import annotations

from flows.summary_model import SummaryFlow
from flows.tables import names_of
from reconcile.canonical import Hashing
from reconcile.comparison import Comparison
from reconcile.kinds.selecting import ONE, mapped, standing
from sinks.summary_rows import due_statement


def compare_summary(flow: SummaryFlow, hashing: Hashing) -> Comparison:
    """Members are joined with the source of the flow they go through, not with what that has brought to the target.

    So an error there is an error here, too, and is found in both; the flow ``through`` is to be repaired first.
    """
    source, target, through = flow.source, flow.target, flow.through
    group, content = flow.reference.column, flow.content_columns
    referred, family = (through.target.column(name) for name in (flow.reference.key, flow.reference.value))
    joined = f"""{source.table.qualified} AS s JOIN {through.source.table.qualified} AS r
                 ON r.{referred.source} = s.{flow.reference_source.name}"""
    key = family.sql(f"r.{family.source}")
    time = target.column(flow.time).source
    return Comparison(
        flow=flow,
        key_type=target.column(group).sql_type,
        columns=(group, *content),
        expected=f"""SELECT m.key, {ONE}, {hashing.canonical("m.key", target.column(group).sql_type)} AS {group},
                            {", ".join(mapped(flow, hashing, content, "m"))}
                     FROM (SELECT DISTINCT ON ({key}) {key} AS key, {", ".join(f"s.{name}" for name in names_of(source.columns))}
                           FROM {joined} WHERE {key} IS NOT NULL
                           ORDER BY {key}, s.{time} DESC, s.{source.primary_key} DESC) AS m""",
        standing=f"""SELECT t.{group} AS key, {ONE}, {", ".join(standing(flow, hashing, (group, *content)))}
                     FROM {target.table.qualified} AS t""",
        source_keys=f"SELECT {key} AS key FROM {through.source.table.qualified} AS r",
        members=f"""SELECT {key} AS key, s.{source.primary_key}::text AS pk, s.xmin || ' ' || r.xmin AS version,
                           least(age(s.xmin), age(r.xmin)) AS age
                    FROM {joined}""",
        ghosts="""SELECT g.family_id AS key, g.profile_id::text AS pk, g.gr_id::text AS home
                  FROM sync.profile_member AS g""",
        pending=due_statement(flow),
        after=(through,),
    )
