"""Any process may be killed with -9 at any instant: afterwards the target is what the specification says."""

import os

import pytest

from tests.support.chaos_round import chaos_round, draw_seed

FAMILIES = 1500
SNAPSHOTS = 12_000


@pytest.mark.usefixtures("connectors_kept")
@pytest.mark.timeout(600)
def test_nothing_is_lost_when_anything_is_killed_and_a_full_replay_changes_no_row(installation, supervisor, say):
    chaos_round(installation, supervisor, int(os.environ.get("SYNC_CHAOS_SEED") or draw_seed()), say)
