"""One round: load and blows, then the proof that nothing got lost and that a replay of everything changes nothing."""

from collections.abc import Callable
from datetime import datetime
from random import SystemRandom

from demo.changes import ChangeKind
from stack.supervisor import Supervisor
from tests.support.chaos import draw_blows, strike
from tests.support.heap import expiring, rewritten, tuples
from tests.support.installation import Installation
from tests.support.ledger import lag
from tests.support.load import Load
from tests.support.waiting import absent

RATE = 200.0
RECOVERY_SECONDS = 120.0
MOST_EXPIRING_SHARE = 0.2


def draw_seed() -> int:
    """Return a seed that no round had before, most likely."""
    return SystemRandom().randrange(10**6)


def chaos_round(installation: Installation, supervisor: Supervisor, seed: int, say: Callable[[str], None]) -> None:
    """Run one round of `seed`; AssertionError when a promise is broken."""
    say(f"SYNC_CHAOS_SEED={seed}")
    letters = installation.dead_letters()
    installation.wait_until_read(RECOVERY_SECONDS)
    with Load(installation, rate=RATE, seed=seed) as load:
        strike(draw_blows(seed), installation.stack, supervisor, say)
    say(f"{load.done.total()} changes were committed")
    assert load.done.keys() == set(ChangeKind), "every kind of change took part"
    installation.settle(RECOVERY_SECONDS)
    installation.become_right()
    installation.counts_add_up()
    assert installation.dead_letters() == letters, "an outage is no error: no healthy row becomes a dead letter"
    say("nothing is lost; replaying everything")
    replay_changes_nothing(installation)


def replay_changes_nothing(installation: Installation) -> None:
    """Have every partition read from offset zero and compare the tuples of the target before and after."""
    since, before, read_before = _now(installation), tuples(installation.citizen), _read(installation)
    ends = installation.ends()
    for topic, partition in ends:
        replay = ("replay", installation.flow.name, "--topic", topic, "--partition", str(partition))
        installation.command(*replay, "--from-offset", "0")
    absent(lambda: lag(installation.ledger(), ends), "everything is read again", within=RECOVERY_SECONDS)
    after, read_after = tuples(installation.citizen), _read(installation)
    assert read_after - read_before == sum(ends.values()), "every record was read once more, and once only"
    _assert_same(installation, rewritten(before, after), since)
    installation.counts_add_up()


def _assert_same(installation: Installation, changed: set[tuple[str, str]], since: datetime) -> None:
    """Families in which a candidate expired meanwhile are left out; they must be few, or nothing is proven."""
    moved_by_time = expiring(installation.warehouse, since, _now(installation))
    families = installation.citizen.value("SELECT count(DISTINCT family_id) FROM eligibility_hints")
    assert len(moved_by_time) < MOST_EXPIRING_SHARE * families
    assert {key for key in changed if key[0] not in moved_by_time} == set()


def _now(installation: Installation) -> datetime:
    moment: datetime = installation.citizen.value("SELECT clock_timestamp()")
    return moment


def _read(installation: Installation) -> int:
    return sum(row.read for row in installation.ledger().values())
