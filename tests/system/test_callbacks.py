"""From the HTTP request to the row: what is answered 202 is in the target, once, whatever is killed; nothing else is there."""

import threading
import time
from collections import Counter
from random import Random
from statistics import quantiles

import httpx
import pytest

from callbacks.settings import SenderSettings
from flows.benefit_forecasts import BENEFIT_FORECASTS
from flows.ml_alerts import ML_ALERTS
from tests.support.callback_load import Posting, draw_messages
from tests.support.chaos_round import chosen_seed
from tests.support.listening import listeners, own_tree
from tests.support.platform import Platform
from tests.support.posted import in_python
from tests.support.target_rows import rows, tuples
from tests.support.waiting import absent, eventually
from tests.support.workers import supervised

POSTED = [BENEFIT_FORECASTS, ML_ALERTS]
MESSAGES = 1000
CALM_SEED = 10**6 + 1  # none that is drawn for the kills
RATE = 140.0
VICTIMS = ("callbacks-1", "worker-1", "worker-2")
BLOWS = 7
LONGEST_PAUSE = 1.4
SETTLE = 30.0
IN_SIGHT = "SELECT forecast_id::text FROM benefit_forecasts UNION ALL SELECT alert_id::text FROM ml_alerts"
OPEN = """
SELECT count(*) FROM sync.worker, jsonb_array_elements(state->'partitions') AS partition
WHERE partition->>'flow' = ANY(%s) AND partition->>'state' = 'open' AND seen_at > clock_timestamp() - interval '3 seconds'
"""


@pytest.fixture(scope="module")
def installation(stack):
    """The product without connectors: nothing happens in the sources."""
    platform = Platform(stack)
    platform.begin_empty()
    # Every message comes from this one machine, faster than any sender may be.
    platform.environment |= {"SYNC_CALLBACKS__RATE": "1000", "SYNC_CALLBACKS__KAFKA_TIMEOUT": "3"}
    yield platform
    platform.close()


@pytest.fixture(scope="module")
def supervisor(installation):
    """Two workers and the intake, each started again whenever it dies."""
    with supervised(installation, 2, "callbacks=1") as supervisor:
        wait_until_open(installation)
        eventually(lambda: is_ready(installation), "the intake is ready", within=SETTLE)
        yield supervisor


@pytest.fixture(scope="module")
def posted():
    """All messages of the tests so far: what they come to must stand, and nothing else."""
    return []


def address(installation):
    return f"http://127.0.0.1:{installation.environment['SYNC_CALLBACKS__PORT']}"


def is_ready(installation):
    try:
        return httpx.get(address(installation) + "/readyz").status_code == 200
    except httpx.TransportError:
        return False


def wait_until_open(installation):
    partitions = 2 * sum(flow.partitions for flow in POSTED)  # of the callbacks and of the commands
    names = [flow.name for flow in POSTED]
    eventually(lambda: installation.citizen.value(OPEN, (names,)) == partitions, "every partition is open", within=SETTLE)


def posting(installation, messages):
    senders = SenderSettings(_env_file=installation.environment["SYNC_ENV_FILE"]).callbacks.senders
    keys = {name: sender.keys[0].get_secret_value() for name, sender in senders.items()}
    return Posting(address(installation), keys, messages, RATE)


class Watch:
    """When each row was seen first, by a look every few milliseconds."""

    def __init__(self, installation):
        self.seen = {}
        self._installation = installation
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _look(self):
        with self._installation.citizen.connect() as connection:
            while not self._stop.wait(0.005):
                for (key,) in connection.execute(IN_SIGHT):
                    self.seen.setdefault(key, time.monotonic())


def percentiles(answered, seen):
    """p50 and p99 of 202 → visible, in ms; a row may be seen before its sender has the answer."""
    delays = [max(seen[key] - moment, 0.0) * 1000 for key, moment in answered.items()]
    cuts = quantiles(delays, n=100)
    return cuts[49], cuts[98]


def expected(messages):
    """By plain rules: of the accepted bodies of one id the one with the latest time."""
    standing = {flow: {} for flow in POSTED}
    for message in sorted(messages, key=lambda each: each.body[each.flow.source.time]):
        if message.kind == "good":
            standing[message.flow][message.row_key] = in_python(message.flow, message.body)
    return standing


def becomes_what_was_posted(installation, messages):
    for flow in POSTED:
        installation.wait_until_level(flow)
    with installation.citizen.connect() as citizen:
        for flow, standing in expected(messages).items():
            assert rows(flow, citizen) == standing
        notices = citizen.execute("SELECT metadata->>'alert_id', type FROM notifications").fetchall()
    assert sorted(notices) == sorted((key, "ML_ALERT") for key in expected(messages)[ML_ALERTS])
    for flow in POSTED:
        installation.add_up(flow)
    assert not any(installation.letters().values())


def strike(seed, supervisor, say):
    chance = Random(seed)
    victims = [*VICTIMS, "callbacks-1", *chance.choices(VICTIMS, k=BLOWS - len(VICTIMS) - 1)]
    chance.shuffle(victims)
    for victim in victims:
        pause = chance.uniform(0, LONGEST_PAUSE)
        time.sleep(pause)  # the random moment: nothing to wait for
        say(f"{pause:.2f} s later {victim} is killed")
        supervisor.kill(victim)


def test_no_process_of_the_whole_system_listens_to_anybody_but_this_machine(stack, supervisor):
    ours = {each.pid for each in (*supervisor.status, *stack.parts)}
    absent(lambda: ours - {each.pid for each in listeners(own_tree())}, "every part listens", within=SETTLE)
    assert [each for each in listeners(own_tree()) if not each.loopback_only] == []


@pytest.mark.usefixtures("supervisor")
def test_what_is_accepted_is_visible_within_the_objective(installation, posted, say):
    messages = draw_messages(CALM_SEED, 300)
    posted += messages
    with Watch(installation) as watch:
        with posting(installation, messages) as posts:
            pass
        becomes_what_was_posted(installation, posted)
        eventually(lambda: watch.seen.keys() >= posts.answered.keys(), "every row was seen", within=5)
    p50, p99 = percentiles(posts.answered, watch.seen)
    say(f"202 → visible at {RATE:g} requests/s: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    assert p99 < min(flow.latency.total_seconds() for flow in POSTED) * 1000


def test_a_thousand_mixed_requests_come_to_what_the_oracle_says_when_intake_and_workers_are_killed(
    installation, supervisor, posted, say
):
    seed = chosen_seed()
    say(f"SYNC_CHAOS_SEED={seed}")
    messages = draw_messages(seed, MESSAGES)
    posted += messages
    with Watch(installation) as watch:
        with posting(installation, messages) as posts:
            strike(seed, supervisor, say)
        wait_until_open(installation)
        becomes_what_was_posted(installation, posted)
        eventually(lambda: watch.seen.keys() >= posts.answered.keys(), "every row was seen", within=5)
    p50, p99 = percentiles(posts.answered, watch.seen)
    say(f"202 → visible with {BLOWS} kills: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    answers = Counter(status for _, status in posts.attempts.elements())
    say(f"answers, 599 for none: {dict(sorted(answers.items()))}")


def test_reading_everything_again_changes_no_row_and_a_resync_mends_what_others_changed(installation, supervisor):
    with installation.citizen.connect() as citizen:
        before = {flow: tuples(flow, citizen) for flow in POSTED}
        notices = citizen.execute("SELECT xmin::text, id FROM notifications ORDER BY id").fetchall()
        for flow in POSTED:
            installation.command("replay", flow.name, "--all")
            installation.wait_until_level(flow)
            installation.add_up(flow)
        assert {flow: tuples(flow, citizen) for flow in POSTED} == before
        assert citizen.execute("SELECT xmin::text, id FROM notifications ORDER BY id").fetchall() == notices
        standing = rows(ML_ALERTS, citizen)
        citizen.execute("DELETE FROM ml_alerts WHERE severity = 'HIGH'")
        citizen.execute("UPDATE ml_alerts SET message = 'changed by somebody' WHERE severity = 'LOW'")
        installation.command("resync", ML_ALERTS.name, "--reason", "test")
        unfinished = "SELECT count(*) FROM sync.ledger WHERE flow = %s AND resynced < 1"
        eventually(lambda: installation.citizen.value(unfinished, (ML_ALERTS.name,)) == 0, "all is read again", within=SETTLE)
        found = rows(ML_ALERTS, citizen)
        assert {key: found.get(key) for key in standing} == standing
        installation.add_up(ML_ALERTS)
