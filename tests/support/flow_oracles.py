"""What the targets of the event flows must hold, by the independent oracles, and what they hold.

`gr_id` of application events and documents is not compared here: see :func:`expected_gr_ids`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from tests.oracle.application_events import Event, application_events
from tests.oracle.decision_notifications import decision_notifications
from tests.oracle.golden_records import CITIZENS, GOLDEN_RECORDS, GoldenRecords
from tests.support.merged_history import MergedHistory
from tests.support.source_history import changes, last_versions, timed_changes

Connection = psycopg.Connection[Any]
Found = tuple[Any, ...]

_ORACLES = Path(__file__).parent.parent / "oracle"
_STANDING = {
    "golden_records": """
        SELECT record_id::text, family_id::text, jan_aadhaar, full_name, date_of_birth::text, gender, district_id, city,
               updated_at
        FROM public.profile_data""",
    "profile_summary": """
        SELECT family_id::text, vulnerability, under_coverage, income_category, region, updated_at FROM public.profile_summary""",
    "application_decisions": """
        SELECT application_id::text, family_id::text, decision_status, status, risk_score::text, confidence::text,
               decision_reasons::text, decision_date
        FROM public.application_decisions""",
    "document_metadata": """
        SELECT document_id::text, citizen_id::text, document_type, file_name, file_size, verification_status, uploaded_at,
               deleted_at IS NOT NULL
        FROM public.document_metadata""",
}
_EXPECTED = {
    "golden_records": "profile_data.sql",
    "profile_summary": "profile_summary.sql",
    "application_decisions": "application_decisions.sql",
    "document_metadata": "document_metadata.sql",
}
_EVENTS = """
SELECT application_id, event_type, status, event_timestamp, citizen_id, scheme_code, approval_timestamp
FROM decision.application_events
"""
_NOTIFICATIONS = """
SELECT application_id, count(*) FROM public.notifications WHERE type = 'DECISION_UPDATE' GROUP BY application_id
"""


@dataclass(frozen=True)
class Difference:
    """Oracle against target. Rows that stand twice count as many times."""

    expected: int
    missing: tuple[Found, ...]
    extra: tuple[Found, ...]

    @property
    def equal(self) -> bool:
        """Whether the target holds what it must, to the last digit."""
        return not (self.missing or self.extra)

    def __str__(self) -> str:
        return (
            f"of {self.expected} rows {len(self.missing)} are missing {self.missing[:2]}"
            f" and {len(self.extra)} are too many {self.extra[:2]}"
        )


def difference(expected: Iterable[Found], standing: Iterable[Found]) -> Difference:
    """Compare two collections of rows."""
    wanted, there = Counter(expected), Counter(standing)
    return Difference(wanted.total(), tuple((wanted - there).elements()), tuple((there - wanted).elements()))


def compare_rows(flow: str, source: Connection, target: Connection) -> Difference:
    """Compare the target of golden_records, profile_summary, application_decisions or document_metadata.

    For documents the source must be watched (`source_history.watch`) from the first change on.
    """
    parameters = None
    if flow == "document_metadata":
        gone = last_versions(source, "public.documents", "id")
        parameters = {"gone": json.dumps(gone, default=str)}
    statement = (_ORACLES / _EXPECTED[flow]).read_bytes()
    return difference(source.execute(statement, parameters).fetchall(), target.execute(_STANDING[flow]).fetchall())


def compare_application_events(citizen: Connection, warehouse: Connection, since: int = 0) -> Difference:
    """Compare with the log of service_applications after the position `since`: rows before it must have been logged, too."""
    codes: dict[UUID, str] = dict(citizen.execute("SELECT id, code FROM public.schemes").fetchall())
    expected = application_events(changes(citizen, "public.service_applications", since), codes)
    return difference(expected, (Event(*row) for row in warehouse.execute(_EVENTS)))


def compare_notifications(warehouse: Connection, citizen: Connection, since: int) -> Difference:
    """Compare how many notifications of decisions each application has.

    `since`: the position in the log of decision.applications when the connector had read its snapshot.
    """
    notices = decision_notifications(changes(warehouse, "decision.applications", since))
    expected = Counter(notice.application_id for notice in notices)
    return difference(expected.items(), citizen.execute(_NOTIFICATIONS).fetchall())


def compare_golden_records(oracle: GoldenRecords, warehouse: Connection) -> Difference:
    """Compare all golden records but their gr_id."""
    with warehouse.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        standing = cursor.execute("SELECT * FROM public.golden_records").fetchall()
    columns = sorted(standing[0].keys() - {"gr_id"}) if standing else []
    return difference(
        (tuple(row[column] for column in columns) for row in oracle.rows().values()),
        (tuple(row[column] for column in columns) for row in standing),
    )


def compare_merged_golden_records(citizen: Connection, warehouse: Connection) -> Difference:
    """The same after changes in both databases; both tables must have been watched from the first row on."""
    districts: dict[str, int] = dict(
        warehouse.execute("SELECT district_name, district_id FROM public.district_master").fetchall()
    )
    merged = MergedHistory(GoldenRecords(districts))
    merged.apply(timed_changes(citizen, CITIZENS), timed_changes(warehouse, GOLDEN_RECORDS))
    return compare_golden_records(merged.oracle, warehouse)


def expected_gr_ids(oracle: GoldenRecords, warehouse: Connection) -> Mapping[UUID, frozenset[UUID]]:
    """Return for every citizen who was matched the gr_ids that rows of the citizen may have; null is not among them.

    More than one where a citizen had several numbers: the specification does not say whether an earlier match stays.
    """
    records: dict[str, UUID] = dict(warehouse.execute("SELECT jan_aadhaar, gr_id FROM public.golden_records").fetchall())
    return {
        citizen: frozenset(records[number] for number in numbers if number in records)
        for citizen, numbers in oracle.matches.items()
    }
