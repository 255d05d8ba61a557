import pytest

from demo.databases import DatabaseName, apply_schema
from demo.history import histories_of, load_tables
from demo.relay import Plan
from demo.sources import SOURCES, by_table
from settings import load_settings
from tests.integration.demo.conftest import PAST
from tests.support.platform_load import PlatformLoad
from tests.support.waiting import eventually


@pytest.fixture
def settings(environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_a_load_changes_tables_of_both_databases_until_the_block_ends(databases, settings):
    for name in DatabaseName:
        with databases.connect(f"smart_{name}") as conn:
            apply_schema(conn, name)
            load_tables(conn, histories_of(name), PAST)
    load = PlatformLoad(settings, Plan(PAST.population, 1, SOURCES, rate=0, burst=20))
    changed = "SELECT max(updated_at) > now() - interval '1 day' FROM golden_records"
    with databases.connect("smart_warehouse") as conn, load:
        eventually(lambda: conn.execute(changed).fetchone() == (True,), "a golden record is changed", within=30)
    assert by_table(load.done).keys() >= {"public.citizens", "public.documents", "public.profile_360"}


def test_an_error_of_a_database_is_the_tests(databases, settings):
    load = PlatformLoad(settings, Plan(PAST.population, 1, SOURCES, rate=0))
    with pytest.raises(Exception, match="does not exist"), load:
        load._thread.join(30)
