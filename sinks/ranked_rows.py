"""The SQL of a ranked flow: make the target hold exactly the given rows for the touched groups.

Derived from the definition; identifiers come from nowhere else, values are bound. What already stands is compared in a
join and left alone, so that a replay writes no tuple and takes no row lock.
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.model import RankedFlow


@dataclass(frozen=True)
class RankedStatement:
    """``text`` takes ``groups`` (a JSON array of group values) and ``rows`` (a JSON array of objects, one per target row).

    It answers one row: (deleted, written).
    """

    text: str


def ranked_statement(flow: RankedFlow) -> RankedStatement:
    """Delete, insert and update in one statement, sorted by key."""
    table, group, key = flow.target.table.qualified, flow.ranking.group, flow.target.key
    columns = [name for name, _ in flow.written_columns]
    types = {name: str(sql_type) for name, sql_type in flow.written_columns}
    record = ", ".join(f"{name} {types[name]}" for name in columns)
    data = [name for name in columns if name not in key]
    same_key = " AND ".join(f"s.{name} = g.{name}" for name in key)
    target_key = " AND ".join(f"s.{name} = t.{name}" for name in key)
    return RankedStatement(
        f"""
        WITH touched AS MATERIALIZED (SELECT value::{types[group]} AS {group}
                                      FROM json_array_elements_text(%(groups)s::json) AS value),
        given AS MATERIALIZED (SELECT * FROM json_to_recordset(%(rows)s::json) AS x({record})),
        standing AS MATERIALIZED (SELECT t.* FROM {table} AS t JOIN touched USING ({group})),
        gone AS (DELETE FROM {table} AS t USING standing AS s
                 WHERE {target_key} AND NOT EXISTS (SELECT FROM given AS g WHERE {same_key}) RETURNING 1),
        written AS (INSERT INTO {table} ({", ".join(columns)})
                    SELECT {", ".join(f"g.{name}" for name in columns)}
                    FROM given AS g LEFT JOIN standing AS s ON {same_key}
                    WHERE s.{group} IS NULL
                       OR ({", ".join(f"s.{name}" for name in data)}) IS DISTINCT FROM ({", ".join(f"g.{name}" for name in data)})
                    ORDER BY {", ".join(f"g.{name}" for name in key)}
                    ON CONFLICT ({", ".join(key)}) DO UPDATE
                    SET {", ".join(f"{name} = excluded.{name}" for name in data)} RETURNING 1)
        SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM written)
        """
    )
