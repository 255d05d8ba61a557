"""The product on the shared stack, one life per module."""

import os
from collections.abc import Callable, Iterator

import pytest

from stack.backoff import Backoff
from stack.local import LocalStack
from stack.supervisor import Supervisor
from tests.support.chaos import WORKERS
from tests.support.installation import Installation
from tests.support.workers import Workers

# The generated history of a module that says nothing else by constants of these names.
FAMILIES = 300
SNAPSHOTS = 4000
# A worker comes back at once, however often it was killed.
HURRIED = Backoff(first=0.5, longest=2.0, steady=5.0)

collect_ignore = [] if "SYNC_SOAK_MINUTES" in os.environ else ["test_soak.py"]


@pytest.fixture(scope="module")
def installation(request: pytest.FixtureRequest, stack: LocalStack) -> Iterator[Installation]:
    """The platform's tables with their history, the product installed, its connector running; no worker yet."""
    installation = Installation(stack)
    families, snapshots = (getattr(request.module, name, globals()[name]) for name in ("FAMILIES", "SNAPSHOTS"))
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
    formation = f"worker={len(WORKERS)}"
    supervisor = Supervisor(formation, installation.stack.folder.root, installation.environment, backoff=HURRIED)
    supervisor.start()
    yield supervisor
    supervisor.stop()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a line now, whether or not pytest captures."""

    def print_now(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}", end="", flush=True)

    return print_now
