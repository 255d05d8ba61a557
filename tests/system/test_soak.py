"""`make soak`: the rounds of the chaos test, each with a seed of its own, for SYNC_SOAK_MINUTES. Not part of `make test`."""

import os
import time

import pytest

from demo.history import Sizes
from tests.support.chaos_round import chaos_round, chosen_seed

FAMILIES = 1500
SIZES = Sizes(evaluations=12_000, applications=2000, documents=3000, user_events=0, feedback=0)


@pytest.mark.campaign
@pytest.mark.usefixtures("connectors_kept")
@pytest.mark.timeout(0)
def test_round_after_round_nothing_is_lost(installation, supervisor, say):
    end = time.monotonic() + 60 * float(os.environ["SYNC_SOAK_MINUTES"])
    rounds = 0
    while rounds == 0 or time.monotonic() < end:
        rounds += 1
        say(f"round {rounds}")
        chaos_round(installation, supervisor, chosen_seed(), say)
    say(f"{rounds} rounds, nothing lost")
