"""The one stack that all tests share, and the order of the tests: what fails cheaply runs first."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest

from demo.databases import DatabaseName, apply_schema
from settings import Settings
from stack.folder import DEFAULT_STATE
from stack.jars import DEFAULT_JARS
from stack.local import LocalStack
from tests.support.databases import administrators, recreate
from tests.support.environment import forget_own_variables, settings_of, variables

TIERS = ("unit", "integration", "system")
# Begun first of their tier: where processes share the tests, none shall work on while the others have nothing left.
LONGEST = ("test_self_healing.py", "test_workers.py")
SAID = "said"
HERE = Path(__file__).parent
KEPT_LOGS = DEFAULT_STATE / "test-logs"

# How long an example takes says more of the machine than of what is tested.
hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Unit tests first, the slow ones with all processes last; inside a file nothing moves. Campaigns are for `make soak`."""
    if "SYNC_SOAK_MINUTES" not in os.environ:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("campaign")])
        items[:] = [item for item in items if not item.get_closest_marker("campaign")]
    items.sort(key=lambda item: (TIERS.index(item.path.relative_to(HERE).parts[0]), item.path.name not in LONGEST))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print what a test in another process had to say."""
    for name, line in report.user_properties if report.when == "teardown" else ():
        if name == SAID:
            print(f"\n  {line}", end="", flush=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the logs of a failed run are."""
    if KEPT_LOGS.exists() and terminalreporter.stats.get("failed"):
        terminalreporter.write_line(f"logs of the processes: {KEPT_LOGS}")


@pytest.fixture(scope="session", autouse=True)
def _no_variables_of_the_developer() -> None:
    forget_own_variables()


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Two PostgreSQL clusters, Kafka and Connect, running, in a folder of this session.

    SYNC_TEST_JARS names another folder of jars than the project's. After a failure the logs of all processes are kept.
    """
    jars = Path(os.environ.get("SYNC_TEST_JARS", DEFAULT_JARS))
    stack = LocalStack(tmp_path_factory.mktemp("shared") / "stack", jars)
    try:
        stack.start()
        yield stack
    finally:
        if request.session.testsfailed:
            shutil.rmtree(KEPT_LOGS, ignore_errors=True)
            shutil.copytree(stack.folder.root / "logs", KEPT_LOGS)
        stack.remove()


@pytest.fixture(scope="session")
def environment(stack: LocalStack) -> dict[str, str]:
    """The whole environment of a process that uses the stack."""
    return variables(stack)


@pytest.fixture(scope="session")
def settings(stack: LocalStack) -> Settings:
    """The settings of the stack."""
    return settings_of(stack)


@pytest.fixture
def fresh_databases(settings: Settings) -> Settings:
    """Both databases new and empty, their roles as the stack made them."""
    recreate(settings)
    return settings


@pytest.fixture
def warehouse(fresh_databases: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The administrator's connection to a fresh warehouse with the demo's tables."""
    with administrators(fresh_databases)[0].connect() as connection:
        apply_schema(connection, DatabaseName.WAREHOUSE)
        yield connection


@pytest.fixture
def citizen(fresh_databases: Settings) -> Iterator[psycopg.Connection[Any]]:
    """The administrator's connection to a fresh citizen database with the demo's tables."""
    with administrators(fresh_databases)[1].connect() as connection:
        apply_schema(connection, DatabaseName.CITIZEN)
        yield connection
