"""One round: load and blows, then the proof that nothing got lost and that a replay of everything changes nothing."""

import os
from collections.abc import Callable
from datetime import datetime
from random import SystemRandom

from flows.application_events import APPLICATION_EVENTS
from flows.model import CapturedFlow
from flows.profile_summary import PROFILE_SUMMARY
from flows.profile_updates import PROFILE_UPDATES
from flows.registry import FLOWS
from flows.row_model import MirrorFlow
from flows.scheme_map import SCHEME_MAP
from stack.supervisor import Supervisor
from tests.support.chaos import draw_blows, strike
from tests.support.evidence import kept_of
from tests.support.heap import Tuples, expiring, rewritten, tuples
from tests.support.merged_history import Unexplained
from tests.support.platform import Platform
from tests.support.platform_load import peak_load
from tests.support.waiting import absent, eventually

# Nothing happens to schemes, and they have no oracle of their own.
MIRRORS = [flow for flow in FLOWS if isinstance(flow, MirrorFlow) and flow is not SCHEME_MAP]
COMPARED: list[CapturedFlow] = [*MIRRORS, PROFILE_SUMMARY]
REPLAYED: list[CapturedFlow] = [*COMPARED, PROFILE_UPDATES, APPLICATION_EVENTS]
MOST_EXPIRING_SHARE = 0.2


def chosen_seed() -> int:
    """Return SYNC_CHAOS_SEED, to see a failure again, or one that no round had before, most likely."""
    return int(os.environ.get("SYNC_CHAOS_SEED") or SystemRandom().randrange(10**6))


def chaos_round(platform: Platform, supervisor: Supervisor, seed: int, say: Callable[[str], None]) -> None:
    """Run one round of `seed`; AssertionError when a promise is broken."""
    say(f"SYNC_CHAOS_SEED={seed}")
    with kept_of(platform):
        _round(platform, supervisor, seed, say)


def _round(platform: Platform, supervisor: Supervisor, seed: int, say: Callable[[str], None]) -> None:
    platform.settle_all()
    before = platform.letters()
    with peak_load(platform.settings, platform.population, seed) as load:
        strike(draw_blows(seed), platform.stack, supervisor, say)
    say(f"{load.done.total()} changes were committed")
    platform.settle_all()
    everything_is_right(platform)
    assert platform.letters() == before, "an outage is no error: no healthy row becomes a dead letter"
    say("nothing is lost; replaying everything")
    replay_changes_nothing(platform)


def everything_is_right(platform: Platform) -> None:
    """Return when targets, notices and facts are what the oracles say."""
    platform.become_right_all(COMPARED)
    platform.become_right()
    platform.counts_add_up()
    assert platform.notices().equal, str(platform.notices())
    absent(lambda: _wrong(platform), "every golden record is what citizens and the warehouse said", within=30)
    eventually(lambda: platform.application_events().equal, "every change of a status is a fact", within=30)


def _wrong(platform: Platform) -> str | None:
    try:
        found = platform.golden_records()
    except Unexplained as unexplained:
        return str(unexplained)
    return None if found.equal else str(found)


def replay_changes_nothing(platform: Platform) -> None:
    """Have everything of all flows read again, and compare the tuples of the targets before and after.

    Time goes on for hints: families in which a candidate expired meanwhile are left out. They must be few, or nothing is proven.
    """
    since = _now(platform)
    platform.become_right()  # what expired before `since` is no longer shown
    before, hints = {flow.name: _standing(platform, flow) for flow in REPLAYED}, tuples(platform.citizen)
    read, ends = _read(platform), platform.ends()
    platform.replay(*REPLAYED, platform.flow)
    for flow in REPLAYED:
        assert _standing(platform, flow) == before[flow.name], f"{flow.name}: the replay wrote rows again"
        platform.add_up(flow)
    after = tuples(platform.citizen)
    assert _read(platform) - read == sum(ends.values()), "every record was read once more, and once only"
    _compare_hints(platform, hints, after, expiring(platform.warehouse, since, _now(platform)))
    platform.counts_add_up()


def _compare_hints(platform: Platform, before: Tuples, after: Tuples, moved_by_time: set[str]) -> None:
    families = platform.citizen.value("SELECT count(DISTINCT family_id) FROM eligibility_hints")
    assert len(moved_by_time) < MOST_EXPIRING_SHARE * families
    moved = {key: (before.get(key), after.get(key)) for key in rewritten(before, after) if key[0] not in moved_by_time}
    assert not moved, f"hints that the replay wrote again, their tuples before and after: {moved}"


def _standing(platform: Platform, flow: CapturedFlow) -> list[tuple[str, ...]]:
    return platform.target_of(flow).rows(
        f"SELECT xmin::text, ctid::text, t::text FROM {flow.target.table.qualified} AS t ORDER BY 3"
    )


def _now(platform: Platform) -> datetime:
    moment: datetime = platform.citizen.value("SELECT clock_timestamp()")
    return moment


def _read(platform: Platform) -> int:
    return sum(row.read for row in platform.ledger().values())
