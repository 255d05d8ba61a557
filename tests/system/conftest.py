"""The product on the shared stack, one life per module."""

import os
from collections.abc import Iterator

import pytest

from stack.local import LocalStack
from tests.support.installation import Installation
from tests.support.workers import Workers

FAMILIES = 300
SNAPSHOTS = 4000

collect_ignore = [] if "SYNC_SOAK_MINUTES" in os.environ else ["test_soak.py"]


@pytest.fixture(scope="module")
def prepared(stack: LocalStack) -> Iterator[Installation]:
    """The platform's tables with their history; nothing of the product yet."""
    installation = Installation(stack)
    installation.prepare(FAMILIES, SNAPSHOTS)
    yield installation
    installation.close()


@pytest.fixture(scope="module")
def installation(prepared: Installation) -> Installation:
    """The product installed, its connector running; no worker yet."""
    prepared.install()
    return prepared


@pytest.fixture
def workers(installation: Installation) -> Iterator[Workers]:
    """Workers that end with the test."""
    workers = Workers(installation)
    yield workers
    workers.kill_all()
