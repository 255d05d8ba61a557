"""All event flows together, both directions, at twenty times their peak and with kills: the targets are what the oracles say."""

import os

import pytest

from demo.history import Sizes
from demo.relay import Plan
from demo.sources import SOURCES
from flows.application_events import APPLICATION_EVENTS
from flows.model import CapturedFlow
from flows.profile_summary import PROFILE_SUMMARY
from flows.profile_updates import PROFILE_UPDATES
from flows.registry import FLOWS
from flows.row_model import MirrorFlow
from flows.scheme_map import SCHEME_MAP
from tests.support.chaos import WORKERS, draw_blows, strike
from tests.support.chaos_round import draw_seed
from tests.support.platform import Platform
from tests.support.platform_load import PlatformLoad
from tests.support.waiting import eventually
from tests.support.workers import supervised

FAMILIES = 400
SIZES = Sizes(evaluations=3000, applications=600, documents=800, user_events=0, feedback=0)
MIRRORS = [flow for flow in FLOWS if isinstance(flow, MirrorFlow) and flow is not SCHEME_MAP]  # it has no oracle of its own
COMPARED = [*MIRRORS, PROFILE_SUMMARY]
REPLAYED = [*COMPARED, PROFILE_UPDATES, APPLICATION_EVENTS]
# Nothing happens to schemes, and nobody posts callbacks.
BUSY = [flow for flow in FLOWS if isinstance(flow, CapturedFlow) and flow is not SCHEME_MAP]
READ = {flow.source.table.qualified for flow in FLOWS if isinstance(flow, CapturedFlow)}
CHANGING = [source for source in SOURCES if source.table in READ]
PEAK = 4  # times the daily mean
TIMES = 20
RATE = TIMES * PEAK * sum(source.per_day for source in CHANGING) / 86_400
MEASURED_SECONDS = 10

MEASURED = """
SELECT flow->>'flow', sum((flow->>'events')::bigint)::bigint, max((flow->>'p99_ms')::float)
FROM sync.worker, jsonb_array_elements(state->'flows') AS flow GROUP BY 1
"""


@pytest.fixture(scope="module")
def installation(stack):
    platform = Platform(stack)
    platform.fill(FAMILIES, SIZES)
    platform.install()
    yield platform
    platform.close()


@pytest.fixture(scope="module")
def supervisor(installation):
    """The same two workers for all tests: what is measured is not their start."""
    with supervised(installation, len(WORKERS)) as supervisor:
        yield supervisor


@pytest.fixture
def load(installation):
    return lambda seed: PlatformLoad(installation.settings, Plan(installation.population, seed, CHANGING, RATE))


@pytest.mark.usefixtures("supervisor")
def test_rows_from_before_the_first_start_arrive_and_make_no_notice(installation):
    installation.settle_all()
    installation.become_right_all(COMPARED)
    assert installation.citizen.value("SELECT count(*) FROM notifications") == 0
    assert not any(installation.letters().values())


@pytest.mark.usefixtures("supervisor")
def test_under_load_every_flow_keeps_its_objective(installation, load, say):
    def figures():
        return {name: (events, p99) for name, events, p99 in installation.citizen.rows(MEASURED)}

    def measured():
        found = figures()
        enough = sum(events for events, _ in found.values()) >= before + RATE * MEASURED_SECONDS
        return found if enough and all(found[flow.name][1] is not None for flow in BUSY) else None

    installation.settle_all()
    before = sum(events for events, _ in figures().values())
    with load(7):
        found = eventually(measured, "every flow is measured", within=90)
    for flow in BUSY:
        _, p99 = found[flow.name]
        say(f"{flow.name}: commit → visible p99 {p99:.0f} ms at {TIMES} times the peak")
        assert p99 < flow.latency.total_seconds() * 1000


@pytest.mark.usefixtures("connectors_kept")
@pytest.mark.timeout(600)
def test_nothing_is_lost_in_any_flow_when_anything_is_killed_and_a_replay_changes_no_row(installation, supervisor, load, say):
    seed = int(os.environ.get("SYNC_CHAOS_SEED") or draw_seed())
    say(f"SYNC_CHAOS_SEED={seed}")
    installation.settle_all()
    before = installation.letters()
    with load(seed) as changes:
        strike(draw_blows(seed), installation.stack, supervisor, say)
    say(f"{changes.done.total()} changes were committed")
    installation.settle_all()
    installation.become_right_all(COMPARED)
    installation.become_right()
    assert installation.letters() == before, "an outage is no error: no healthy row becomes a dead letter"
    assert installation.notices().equal, str(installation.notices())
    eventually(lambda: installation.application_events().equal, "every change of a status is a fact", within=30)
    for flow in REPLAYED:
        replay_changes_nothing(installation, flow)


def replay_changes_nothing(installation, flow):
    tuples = f"SELECT xmin::text, ctid::text, t::text FROM {flow.target.table.qualified} AS t ORDER BY 3"
    before = installation.target_of(flow).rows(tuples)
    for partition in range(flow.partitions):
        installation.command("replay", flow.name, "--partition", str(partition), "--from-offset", "0")
    installation.wait_until_level(flow)
    assert installation.target_of(flow).rows(tuples) == before
    installation.add_up(flow)
