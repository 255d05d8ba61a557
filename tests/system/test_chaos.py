"""Any process may be killed with -9 at any instant: afterwards the target is what the specification says."""

import os
from collections.abc import Iterator
from random import SystemRandom

import pytest

from stack.backoff import Backoff
from stack.supervisor import Supervisor
from tests.support.chaos import WORKERS
from tests.support.chaos_round import chaos_round
from tests.support.installation import Installation

FAMILIES = 1500
SNAPSHOTS = 12_000
HURRIED = Backoff(first=0.5, longest=2.0, steady=5.0)


@pytest.fixture(scope="module")
def installation(stack) -> Iterator[Installation]:
    installation = Installation(stack)
    installation.prepare(FAMILIES, SNAPSHOTS)
    installation.install()
    yield installation
    installation.close()


@pytest.fixture
def supervisor(installation: Installation) -> Iterator[Supervisor]:
    formation = f"worker={len(WORKERS)}"
    supervisor = Supervisor(formation, installation.stack.folder.root, installation.environment, backoff=HURRIED)
    supervisor.start()
    yield supervisor
    supervisor.stop()


@pytest.mark.timeout(600)
def test_nothing_is_lost_when_anything_is_killed_and_a_full_replay_changes_no_row(installation, supervisor, capsys):
    seed = int(os.environ.get("SYNC_CHAOS_SEED") or SystemRandom().randrange(10**6))

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}", end="")

    say(f"SYNC_CHAOS_SEED={seed}")
    chaos_round(installation, supervisor, seed, say)
