"""What citizens say of themselves stands in the golden records, and nowhere else that we write to."""

import pytest

from flows.profile_updates import PROFILE_UPDATES
from flows.tables import Database
from sinks.provision import Roles, provision_statements
from tests.integration.streams.conftest import apply
from tests.integration.streams.people import CitizenLog, citizen_row, claimed, match_unit, prepare

NUMBER, MOBILE, EMAIL = "918273645546", "+919182736455", "canary@example.org"
PRIVATE = (NUMBER, MOBILE, EMAIL)

REFUSALS = """
ALTER TABLE public.golden_records ADD CONSTRAINT no_bad CHECK (full_name <> 'refused'),
    ADD CONSTRAINT no_cast CHECK (CASE full_name WHEN 'no date' THEN mobile_number::date > '2000-01-01' ELSE true END)
"""

#: A server as its owners may have set it up.
TALKATIVE = {
    "log_min_messages": "warning",
    "log_min_error_statement": "error",
    "log_error_verbosity": "default",
    "log_statement": "all",
}


@pytest.fixture
def target(warehouse):
    return prepare(warehouse)


async def refuse_and_accept(settings):
    """Two rows that the database refuses, one with an error that quotes a value, and one that it takes."""
    unit = match_unit(settings)
    log = CitizenLog()
    row = citizen_row(number=NUMBER, mobile_number=MOBILE, email=EMAIL)
    log.change(10, row["id"], row | {"full_name": "refused"})
    log.change(20, row["id"], row)
    other = citizen_row(number=NUMBER[::-1], mobile_number=MOBILE, full_name="no date")
    log.change(30, other["id"], other)
    await apply(unit, await claimed(unit), log.records)
    await unit.pool.close()


@pytest.fixture
def _talkative(migrated, target):
    # As before `migrate`, which has silenced the role in this database.
    target.execute(f"ALTER ROLE sync_worker IN DATABASE {migrated.warehouse.dbname} RESET ALL")
    for name, value in TALKATIVE.items():
        target.execute(f"ALTER ROLE sync_worker SET {name} = '{value}'")
    yield
    target.execute("ALTER ROLE sync_worker RESET ALL")


@pytest.mark.usefixtures("_talkative")
async def test_statements_with_private_values_never_reach_the_servers_log(stack, migrated, target):
    target.execute(REFUSALS)
    said = await logged_by(stack, refuse_and_accept, migrated)
    assert all(value in said for value in PRIVATE), "or the test would not notice"
    target.execute("TRUNCATE public.golden_records, sync.ledger, sync.row_version, sync.golden_write, sync.dead_letter CASCADE")
    for statement in provision_statements(Database.WAREHOUSE, [PROFILE_UPDATES], Roles("sync_worker")):
        target.execute(statement)
    said = await logged_by(stack, refuse_and_accept, migrated)
    assert [value for value in PRIVATE if value in said] == []
    assert target.execute("SELECT jan_aadhaar, mobile_number, email FROM public.golden_records").fetchall() == [PRIVATE]


async def logged_by(stack, work, *arguments):
    """What the warehouse's server logs meanwhile; it writes before it answers."""
    file = stack.folder.log("warehouse")
    before = file.stat().st_size
    await work(*arguments)
    return file.read_bytes()[before:].decode()


async def test_state_and_letters_hold_no_private_value(migrated, target):
    target.execute(REFUSALS)
    await refuse_and_accept(migrated)
    tables = target.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'sync'").fetchall()
    held = {name: str(target.execute(f"SELECT t::text FROM sync.{name} AS t").fetchall()) for (name,) in tables}
    assert {"golden_write", "review_queue", "dead_letter"} <= {name for name, text in held.items() if text != "[]"}
    assert [(name, value) for name, text in held.items() for value in PRIVATE if value in text] == []
