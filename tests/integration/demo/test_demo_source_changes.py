"""What the changes to the source tables do to a real database."""

from collections import Counter
from datetime import timedelta
from random import Random

import psycopg
import pytest

from demo.citizen.application_changes import ApplicationChange
from demo.citizen.citizen_changes import CitizenChange
from demo.citizen.document_changes import DocumentChange
from demo.databases import DatabaseName
from demo.recipes import Situation
from demo.sources import EVALUATIONS, SOURCES, source_of, sources_in
from demo.statements import table_identifier
from demo.trickle import Trickle
from demo.warehouse.decision_changes import DecisionChange
from demo.warehouse.golden_record_changes import GoldenRecordChange
from demo.warehouse.profile_changes import ProfileChange
from tests.integration.demo.conftest import NOW, PAST

LATER = NOW + timedelta(minutes=5)
KEYS = {"public.golden_records": "gr_id", "public.profile_360": "profile_id", "decision.applications": "application_id"}
EVENT_TABLES = [source for source in SOURCES if source is not EVALUATIONS]

CHANGED_COLUMNS = {
    GoldenRecordChange.CORRECTED: {"full_name", "date_of_birth", "gender", "updated_by", "updated_at"},
    GoldenRecordChange.RELOCATED: {"district_id", "city_village", "pincode", "updated_by", "updated_at"},
    GoldenRecordChange.MOVED: {"family_id", "updated_by", "updated_at"},
    GoldenRecordChange.BLANKED: {"gender", "email", "district_id", "updated_by", "updated_at"},
    GoldenRecordChange.TOUCHED: {"updated_at"},
    GoldenRecordChange.LENGTHENED: {"full_name", "city_village", "updated_by", "updated_at"},
    ProfileChange.REASSIGNED: {"gr_id", "updated_at"},
    ProfileChange.TOUCHED: {"updated_at"},
    ProfileChange.ENLARGED: {"profile_data", "updated_at"},
    DecisionChange.DECIDED: {"decision", "status", "decision_timestamp", "updated_at"},
    DecisionChange.ADVANCED: {"status", "updated_at"},
    DecisionChange.RESCORED: {"risk_score", "confidence", "updated_at"},
    DecisionChange.ENLARGED: {"reasons", "updated_at"},
    DecisionChange.MOVED: {"family_id", "updated_at"},
    CitizenChange.EDITED: {"full_name", "date_of_birth", "gender", "updated_at"},
    CitizenChange.MOVED: {"city", "district", "pincode", "updated_at"},
    CitizenChange.REACHED_ELSEWHERE: {"mobile_number", "email", "updated_at"},
    CitizenChange.VERIFIED: {"verification_status", "updated_at"},
    CitizenChange.BLANKED: {"full_name", "mobile_number", "email", "district", "updated_at"},
    CitizenChange.RENUMBERED: {"aadhaar_number", "updated_at"},
    ApplicationChange.ADVANCED: {"status", "approved_at", "updated_at"},
    ApplicationChange.WITHDRAWN: {"status", "updated_at"},
    ApplicationChange.TOUCHED: {"updated_at"},
    DocumentChange.VERIFIED: {"verification_status", "updated_at"},
    DocumentChange.REPLACED: {"content", "file_size", "updated_at"},
}
SAME_TIME = [kind.SAME_TIME for kind in (GoldenRecordChange, ProfileChange, DecisionChange, CitizenChange, ApplicationChange)]
BACKDATED = [kind.BACKDATED for kind in (GoldenRecordChange, ProfileChange, DecisionChange, CitizenChange, ApplicationChange)]
REINSERTED = [kind.REINSERTED for kind in (GoldenRecordChange, ProfileChange, DecisionChange, CitizenChange, DocumentChange)]
REKEYED = [kind.REKEYED for kind in (GoldenRecordChange, ProfileChange, DecisionChange, CitizenChange, DocumentChange)]


class Trial:
    """One change of a kind to the table that it belongs to, and the table before and after it."""

    def __init__(self, platform, kind):
        self.source = next(source for source in SOURCES if kind in source.recipes)
        self.recipe = self.source.recipes[kind]
        self.conn = platform[self.source.database]
        self.table = self.source.table

    def make(self, seed):
        self.before = self.rows()
        with self.conn.transaction():
            for statement, parameters in self.recipe.draw(Situation(Random(seed), PAST.population, LATER)):
                self.conn.execute(statement, parameters)
        self.after = self.rows()
        return self

    def rows(self, table=None):
        key = KEYS.get(table or self.table, "event_id" if self.table == "public.user_events" else "id")
        statement = psycopg.sql.SQL("SELECT * FROM {}").format(table_identifier(table or self.table))
        with self.conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return {row[key]: row for row in cursor.execute(statement)}

    @property
    def changed(self):
        """(before, after) of the rows that are there before and after, and differ."""
        both = self.before.keys() & self.after.keys()
        return [(self.before[key], self.after[key]) for key in both if self.before[key] != self.after[key]]


@pytest.fixture
def trial(platform):
    """Make a change of a kind; undone at the end."""
    with (
        platform[DatabaseName.WAREHOUSE].transaction(force_rollback=True),
        platform[DatabaseName.CITIZEN].transaction(force_rollback=True),
    ):
        yield lambda kind: Trial(platform, kind)


def differing_columns(before, after):
    return {column for column in before if before[column] != after[column]}


@pytest.mark.parametrize("kind", [kind for source in EVENT_TABLES for kind in source.recipes], ids=str)
def test_every_kind_of_change_does_something_to_its_table(trial, kind):
    tried = trial(kind)
    assert any(made.before != made.after for made in (tried.make(seed) for seed in range(8)))


@pytest.mark.parametrize("kind", CHANGED_COLUMNS, ids=str)
def test_an_update_changes_its_columns_of_one_row_and_no_others(trial, kind):
    tried, seen = trial(kind), set()
    for seed in range(25):
        tried.make(seed)
        assert tried.before.keys() == tried.after.keys()
        assert len(tried.changed) <= 1
        seen |= set().union(*(differing_columns(*pair) for pair in tried.changed))
    assert seen == CHANGED_COLUMNS[kind]


@pytest.mark.parametrize("kind", SAME_TIME, ids=str)
def test_a_correction_may_keep_the_time_of_what_it_corrects(trial, kind):
    tried = trial(kind)
    pairs = [pair for seed in range(5) for pair in tried.make(seed).changed]
    assert pairs
    assert all(before["updated_at"] == after["updated_at"] for before, after in pairs)


@pytest.mark.parametrize("kind", BACKDATED, ids=str)
def test_a_change_may_have_an_older_time_than_what_was_there(trial, kind):
    tried = trial(kind)
    pairs = [pair for seed in range(5) for pair in tried.make(seed).changed]
    assert pairs
    assert all(before["updated_at"] > after["updated_at"] for before, after in pairs)


@pytest.mark.parametrize("kind", REINSERTED, ids=str)
def test_a_row_may_be_deleted_and_inserted_again_under_its_key(trial, kind):
    made = trial(kind).make(1)
    ((before, after),) = made.changed
    assert made.before.keys() == made.after.keys()
    assert after["updated_at"] == LATER
    assert len(differing_columns(before, after)) < len(before) - 1
    (statement,) = [step.statement.as_string() for step in made.recipe.draw(Situation(Random(1), PAST.population, LATER))]
    assert statement.startswith("WITH gone AS (DELETE")


@pytest.mark.parametrize("kind", REKEYED, ids=str)
def test_a_row_may_get_another_primary_key(trial, kind):
    made = trial(kind).make(1)
    (old,), (new,) = made.before.keys() - made.after.keys(), made.after.keys() - made.before.keys()
    key = KEYS.get(made.table, "id")
    assert differing_columns(made.before[old], made.after[new]) == {key, "updated_at"}


def test_the_children_of_a_citizen_who_gets_another_key_follow(trial):
    tried = trial(CitizenChange.REKEYED)
    for seed in range(20):
        tried.make(seed)
    citizens = tried.rows().keys()
    for table in ("public.documents", "public.service_applications"):
        assert {row["citizen_id"] for row in tried.rows(table).values()} <= citizens


def test_the_profiles_of_a_golden_record_that_gets_another_key_follow_and_are_written_first(trial):
    tried = trial(GoldenRecordChange.REKEYED)
    for seed in range(20):
        tried.make(seed)
    assert {row["gr_id"] for row in tried.rows("public.profile_360").values()} <= tried.rows().keys()
    first, second = tried.recipe.draw(Situation(Random(1), PAST.population, LATER))
    assert "profile_360" in first.statement.as_string()
    assert second.statement.as_string().startswith('UPDATE "public"."golden_records"')


@pytest.mark.parametrize(
    ("kind", "unique"), [(CitizenChange.SWAPPED, "aadhaar_number"), (GoldenRecordChange.SWAPPED, "jan_aadhaar")], ids=str
)
def test_two_rows_exchange_their_numbers_and_nothing_else(trial, kind, unique):
    made = trial(kind).make(2)
    (one, other) = made.changed
    assert one[0][unique] == other[1][unique]
    assert other[0][unique] == one[1][unique]
    assert one[0][unique] != one[1][unique]
    assert all(differing_columns(*pair) == {unique, "updated_at"} for pair in (one, other))


def test_a_number_of_somebody_who_leaves_is_a_newcomers_at_once(trial):
    made = trial(CitizenChange.HANDED_OVER).make(3)
    (left,), (joined,) = made.before.keys() - made.after.keys(), made.after.keys() - made.before.keys()
    assert made.after[joined]["aadhaar_number"] == made.before[left]["aadhaar_number"] is not None


@pytest.mark.parametrize(
    ("kind", "parents", "reference"),
    [
        (ProfileChange.BEFORE_ITS_RECORD, "public.golden_records", "gr_id"),
        (ApplicationChange.BEFORE_ITS_CITIZEN, "public.citizens", "citizen_id"),
        (ApplicationChange.BEFORE_ITS_SCHEME, "public.schemes", "scheme_id"),
        (DocumentChange.BEFORE_ITS_CITIZEN, "public.citizens", "citizen_id"),
    ],
    ids=str,
)
def test_a_child_may_be_written_before_its_parent(trial, kind, parents, reference):
    tried = trial(kind)
    known = tried.rows(parents).keys()
    made = tried.make(1)
    (child,) = made.after.keys() - made.before.keys()
    assert made.after[child][reference] not in known
    assert made.after[child][reference] in tried.rows(parents)
    tables = [step.statement.as_string() for step in made.recipe.draw(Situation(Random(1), PAST.population, LATER))[-2:]]
    assert tables[0].startswith(f"INSERT INTO {table_identifier(made.table).as_string()}")
    assert tables[1].startswith(f"INSERT INTO {table_identifier(parents).as_string()}")


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (DecisionChange.ENLARGED, "reasons"),
        (ProfileChange.ENLARGED, "profile_data"),
        (DocumentChange.REPLACED, "content"),
    ],
    ids=str,
)
def test_a_value_may_be_so_large_that_it_is_stored_out_of_line(trial, kind, column):
    tried = trial(kind)
    out_of_line = f"SELECT count(*) FROM {tried.table} WHERE updated_at = %s AND pg_column_toast_chunk_id({column}) IS NOT NULL"
    tried.make(1)
    assert tried.conn.execute(out_of_line, [LATER]).fetchone() == (1,)


def test_an_application_approved_twice_at_one_time_passes_through_another_status(trial):
    made = trial(ApplicationChange.BACK_AND_FORTH)
    statuses = [step.parameters.get("status") for step in made.recipe.draw(Situation(Random(1), PAST.population, LATER))]
    assert statuses == ["approved", "in_review", "approved"]
    ((_, after),) = made.make(1).changed
    assert (after["status"], after["approved_at"]) == ("approved", LATER)


@pytest.mark.parametrize("database", DatabaseName)
def test_a_burst_over_all_tables_of_a_database_keeps_what_must_hold(platform, database):
    conn = platform[database]
    with conn.transaction(force_rollback=True):
        trickle = Trickle(PAST.population, 5, lambda: LATER, sources_in(database))
        done = trickle.burst(conn, 1500)
        assert done.total() == 1500
        conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in BROKEN[database]:
            assert conn.execute(statement).fetchone() == (0,), statement


BROKEN = {
    DatabaseName.WAREHOUSE: (
        # Nothing waits for a reference that never comes, and fills the dead letters of a demonstration.
        "SELECT count(*) FROM profile_360 LEFT JOIN golden_records USING (gr_id) WHERE golden_records.gr_id IS NULL",
        "SELECT count(*) FROM golden_records WHERE jan_aadhaar !~ '^[01][0-9]{11}$'",
    ),
    DatabaseName.CITIZEN: (
        "SELECT count(*) FROM citizens WHERE upper(verification_status) = 'VERIFIED' AND aadhaar_number IS NULL",
        "SELECT count(*) FROM citizens WHERE aadhaar_number !~ '^[01][0-9]{11}$'",
        "SELECT count(*) FROM service_applications a LEFT JOIN schemes s ON s.id = a.scheme_id WHERE s.id IS NULL",
    ),
}


def test_equal_seeds_on_equal_histories_end_in_equal_tables(platform):
    conn = platform[DatabaseName.CITIZEN]

    def changed():
        with conn.transaction(force_rollback=True):
            trickle = Trickle(PAST.population, 9, lambda: LATER, sources_in(DatabaseName.CITIZEN))
            done = trickle.burst(conn, 400)
            tables = ("citizens", "service_applications", "documents", "user_events", "feedback")
            return done, [conn.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables]

    assert changed() == changed()


def test_on_empty_tables_a_trickle_does_what_it_can(warehouse, citizen):
    connections = {DatabaseName.WAREHOUSE: warehouse, DatabaseName.CITIZEN: citizen}
    for source in EVENT_TABLES:
        conn, trickle = connections[source.database], Trickle(PAST.population, 9, sources=(source,))
        with conn.transaction(force_rollback=True):
            assert Counter(trickle.step(conn) for _ in range(60)).total() == 60


def test_a_user_makes_twelve_events_in_one_visit(platform):
    conn, source = platform[DatabaseName.CITIZEN], source_of("public.user_events")
    with conn.transaction(force_rollback=True):
        Trickle(PAST.population, 1, lambda: LATER, (source,)).burst(conn, 3)
        visits = conn.execute("SELECT count(*) FROM user_events WHERE created_at = %s GROUP BY citizen_id", [LATER]).fetchall()
        kinds = {kind for (kind,) in conn.execute("SELECT DISTINCT jsonb_typeof(properties) FROM user_events")}
    assert kinds == {None, "object"}
    assert sum(count for (count,) in visits) == 36
    assert all(count % 12 == 0 for (count,) in visits)
