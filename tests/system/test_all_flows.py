"""All event flows together, both directions, at twenty times their peak and with kills: the targets are what the oracles say."""

import time

import pytest

from demo.history import Sizes
from flows.golden_records import GOLDEN_RECORDS
from flows.model import CapturedFlow
from flows.profile_updates import PROFILE_UPDATES
from flows.registry import FLOWS
from flows.scheme_map import SCHEME_MAP
from tests.support.chaos import WORKERS
from tests.support.chaos_round import COMPARED, chaos_round, chosen_seed
from tests.support.platform_load import RATE, TIMES, peak_load
from tests.support.target_writes import TargetWrites
from tests.support.waiting import eventually
from tests.support.workers import supervised

FAMILIES = 400
SIZES = Sizes(evaluations=3000, applications=600, documents=800, user_events=0, feedback=0)
# Nothing happens to schemes, and nobody posts callbacks.
BUSY = [flow for flow in FLOWS if isinstance(flow, CapturedFlow) and flow is not SCHEME_MAP]
MEASURED_SECONDS = 10
LEAVING_SECONDS = 10

CHANGE_ONE_CITIZEN = """
UPDATE citizens SET full_name = full_name || ' again', updated_at = clock_timestamp()
WHERE id = (SELECT min(id::text)::uuid FROM citizens WHERE upper(verification_status) = 'VERIFIED' AND aadhaar_number IS NOT NULL)
RETURNING id
"""

MEASURED = """
SELECT flow->>'flow', sum((flow->>'events')::bigint)::bigint, max((flow->>'p99_ms')::float)
FROM sync.worker, jsonb_array_elements(state->'flows') AS flow GROUP BY 1
"""


@pytest.fixture(scope="module")
def supervisor(installation):
    """The same two workers for all tests: what is measured is not their start."""
    with supervised(installation, len(WORKERS)) as supervisor:
        yield supervisor


@pytest.mark.usefixtures("supervisor")
def test_rows_from_before_the_first_start_arrive_and_make_no_notice(installation):
    installation.settle_all()
    installation.become_right_all(COMPARED)
    installation.become_right()
    installation.counts_add_up()
    assert installation.citizen.value("SELECT count(*) FROM notifications") == 0
    assert not any(installation.letters().values())


@pytest.mark.usefixtures("supervisor")
def test_what_a_citizen_changes_comes_back_to_the_portal_once_and_then_there_is_silence(installation):
    installation.fall_silent()
    with TargetWrites(installation) as written:
        assert len(installation.citizen.rows(CHANGE_ONE_CITIZEN)) == 1
        installation.fall_silent()
    assert +written.records == {PROFILE_UPDATES.topic: 1, GOLDEN_RECORDS.topic: 1}
    assert written.rows == {("public.golden_records", "UPDATE"): 1, ("public.profile_data", "UPDATE"): 1}


def test_under_load_every_flow_keeps_its_objective(installation, supervisor, say):
    def figures():
        return {name: (events, p99) for name, events, p99 in installation.citizen.rows(MEASURED)}

    def measured():
        found = figures()
        enough = sum(events for events, _ in found.values()) >= before + RATE * MEASURED_SECONDS
        return found if enough and all(found[flow.name][1] is not None for flow in BUSY) else None

    installation.settle_all()
    begin_anew(installation, supervisor)
    before = sum(events for events, _ in figures().values())
    with peak_load(installation.settings, installation.population, 7):
        found = eventually(measured, "every flow is measured", within=90)
    for flow in BUSY:
        _, p99 = found[flow.name]
        say(f"{flow.name}: commit → visible p99 {p99:.0f} ms at {TIMES} times the peak")
        assert p99 < flow.latency.total_seconds() * 1000


def begin_anew(installation, supervisor):
    """What the first snapshots made late is no part of the measurement: figures of the last minute go with the processes."""
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < LEAVING_SECONDS, "workers that are asked to stop do, both at once"
    supervisor.start()
    installation.wait_until_open([status.pid for status in supervisor.status])


@pytest.mark.usefixtures("connectors_kept")
@pytest.mark.timeout(600)
def test_nothing_is_lost_in_any_flow_when_anything_is_killed_and_a_replay_changes_no_row(installation, supervisor, say):
    chaos_round(installation, supervisor, chosen_seed(), say)
