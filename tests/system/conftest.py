"""The product on the shared stack, one life per module."""

import os
from collections.abc import Callable, Iterator

import pytest

from cli.connector_keeper import kept_connectors
from stack.local import LocalStack
from stack.supervisor import Supervisor
from tests.conftest import SAID
from tests.support.chaos import WORKERS
from tests.support.installation import Installation
from tests.support.platform import Platform
from tests.support.workers import Workers, supervised

# The generated history of a module that says nothing else by constants of these names, or by SIZES of all tables.
FAMILIES = 300
SNAPSHOTS = 4000


@pytest.fixture(scope="module")
def installation(request: pytest.FixtureRequest, stack: LocalStack) -> Iterator[Installation]:
    """The platform's tables with their history, the product installed, its connectors running; no worker yet."""
    families, snapshots = (getattr(request.module, name, globals()[name]) for name in ("FAMILIES", "SNAPSHOTS"))
    if sizes := getattr(request.module, "SIZES", None):
        installation: Installation = (platform := Platform(stack))
        platform.fill(families, sizes)
    else:
        installation = Installation(stack)
        installation.prepare(families, snapshots)
    installation.install()
    yield installation
    installation.close()


@pytest.fixture
def workers(installation: Installation) -> Iterator[Workers]:
    """Workers that end with the test."""
    workers = Workers(installation)
    yield workers
    workers.kill_all()


@pytest.fixture
def supervisor(installation: Installation) -> Iterator[Supervisor]:
    """Two workers that are started again whenever they die."""
    with supervised(installation, len(WORKERS)) as supervisor:
        yield supervisor


@pytest.fixture
def connectors_kept(installation: Installation, say: Callable[[str], None]) -> Iterator[None]:
    """`connect keep` beside the stack: a task that starts while its database is away gives up, and Connect leaves it so."""
    with kept_connectors(installation.settings, say):
        yield


@pytest.fixture
def say(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a line, whether or not pytest captures: at once, or after the test where several processes share the tests."""

    def print_now(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}", end="", flush=True)

    def keep(line: str) -> None:
        request.node.user_properties.append((SAID, line))

    return keep if "PYTEST_XDIST_WORKER" in os.environ else print_now
