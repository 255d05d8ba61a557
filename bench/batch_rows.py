"""Rows for the benchmarks of batches: people with one profile each, three to a family, and their events."""

from bench.stage import Stage

_GOLDEN = """
INSERT INTO public.golden_records (gr_id, family_id, jan_aadhaar, full_name, date_of_birth, gender, city_village, updated_at)
SELECT md5('batch/' || i)::uuid, md5('batch/family/' || i / 3)::uuid, 'B' || lpad(i::text, 11, '0'), 'Person ' || i,
       date '1950-01-01' + i %% 20000, CASE i %% 3 WHEN 0 THEN 'F' WHEN 1 THEN 'M' END, 'Town ' || i %% 500,
       now() - i %% 86400 * interval '1 second'
FROM generate_series(%(first)s::int, %(last)s::int) AS i ON CONFLICT DO NOTHING
"""
_PROFILES = """
INSERT INTO public.profile_360 (profile_id, gr_id, vulnerability_level, under_coverage_indicator, inferred_income_band,
                                cluster_id, updated_at)
SELECT 1000000000 + i, md5('batch/' || i)::uuid, 'HIGH', i %% 2 = 0, 'LOW', 'cluster ' || i %% 50,
       now() - i %% 86400 * interval '1 second'
FROM generate_series(%(first)s::int, %(last)s::int) AS i ON CONFLICT DO NOTHING
"""
_EVENTS = """
INSERT INTO public.user_events (event_id, citizen_id, event_type, occurred_at, duration_ms, properties)
SELECT md5('batch/event/' || i)::uuid, md5('batch/' || i * 7919 %% %(citizens)s)::uuid, 'KIND_' || i %% 6,
       now() - i %% 86400 * interval '1 second', i %% 1000, '{}'
FROM generate_series(1, %(events)s::bigint) AS i
"""
ROWS_PER_TRANSACTION = 50_000


def load_people(stage: Stage, people: int) -> None:
    """Insert golden records, as far as they are not there."""
    _load(stage, "public.golden_records", _GOLDEN, people)


def load_profiles(stage: Stage, people: int) -> None:
    """Insert a profile for each of them."""
    _load(stage, "public.profile_360", _PROFILES, people)


def _load(stage: Stage, table: str, statement: str, people: int) -> None:
    for first in range(1, people + 1, ROWS_PER_TRANSACTION):
        stage.warehouse.rows(statement, {"first": first, "last": min(first + ROWS_PER_TRANSACTION - 1, people)})
    stage.warehouse.rows(f"ANALYZE {table}")


def load_events(stage: Stage, events: int, citizens: int) -> None:
    """Insert events of a day."""
    stage.citizen.rows(_EVENTS, {"events": events, "citizens": citizens})
    stage.citizen.rows("ANALYZE public.user_events")
