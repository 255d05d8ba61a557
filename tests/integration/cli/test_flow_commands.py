import asyncio

import pytest

from cli.broker import OutgoingRecord, send
from cli.options import actor
from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW

LEDGER = """
INSERT INTO sync.ledger (flow, topic, partition, first_offset, next_offset, records_read, applied, last_timestamp,
                         last_key_hash)
VALUES (%s, %s, %s, %s, %s, %s, %s, 1, 1)
"""


@pytest.fixture
def audit(migrated):
    query = "SELECT actor, action, subject, reason FROM sync.audit WHERE result = 'done' ORDER BY id"
    return lambda: migrated.citizen.execute(query).fetchall()


@pytest.fixture
def state(migrated):
    query = "SELECT state, reason, resync FROM sync.flow_state WHERE flow = %s"
    return lambda: migrated.citizen.execute(query, (FLOW.name,)).fetchone()


@pytest.fixture
def stopped(migrated):
    """Stop the flow as the product does."""

    def stop(reason):
        migrated.citizen.execute(
            "INSERT INTO sync.flow_state (flow, state, reason, changed_by) VALUES (%s, 'stopped', %s, 'worker-1')"
            " ON CONFLICT (flow) DO UPDATE SET state = 'stopped', reason = excluded.reason",
            (FLOW.name, reason),
        )

    return stop


def test_pause_and_resume_are_kept_and_audited(answer, state, audit):
    paused = answer("pause", FLOW.name, "--reason", "index build")
    assert (paused["state"], paused["reason"], paused["changed_by"]) == ("paused", "index build", actor())
    assert state() == ("paused", "index build", 0)
    assert answer("resume", FLOW.name)["state"] == "running"
    assert state() == ("running", None, 0)
    assert audit() == [
        (actor(), "pause", FLOW.name, "index build"),
        (actor(), "resume", FLOW.name, "index build"),
    ]


def test_resuming_a_running_flow_changes_nothing(answer, audit):
    assert answer("resume", FLOW.name)["state"] == "running"
    assert audit() == []


def test_a_flow_that_the_product_stopped_can_be_resumed(answer, stopped, state):
    stopped("error-share: 40 % of the last 1000 records")
    assert answer("resume", FLOW.name)["state"] == "running"
    assert state() == ("running", None, 0)


def test_a_pause_does_not_hide_why_the_product_stopped_the_flow(sync, stopped, state):
    stopped("truncate at lsn 1")
    refused = sync("pause", FLOW.name)
    assert refused.exit_code == 1
    assert "is stopped already (truncate at lsn 1)" in refused.stderr
    assert state() == ("stopped", "truncate at lsn 1", 0)


@pytest.mark.parametrize("reason", ["truncate", "truncate at lsn 1", "TRUNCATE of the source"])
def test_a_truncated_source_must_be_accepted_and_is_then_rebuilt(answer, sync, stopped, state, audit, reason):
    stopped(reason)
    refused = sync("resume", FLOW.name)
    assert refused.exit_code == 1
    assert "--accept-truncate" in refused.stderr
    assert state() == ("stopped", reason, 0)
    assert answer("resume", FLOW.name, "--accept-truncate")["resync"] == 1
    assert state() == ("running", None, 1)
    assert [(action, why) for _, action, _, why in audit()] == [("resume", reason), ("resync", "truncate accepted")]


def test_accepting_a_truncate_that_did_not_happen_rebuilds_nothing(answer, stopped, state):
    stopped("error-share")
    answer("resume", FLOW.name, "--accept-truncate")
    assert state() == ("running", None, 0)


def test_each_resync_counts_and_leaves_the_state_alone(answer, state, audit):
    answer("pause", FLOW.name)
    assert answer("resync", FLOW.name)["resync"] == 1
    assert answer("resync", FLOW.name, "--reason", "doubt")["resync"] == 2
    assert state() == ("paused", None, 2)
    assert audit()[-1][1:] == ("resync", FLOW.name, "doubt")


def test_an_unknown_flow_is_wrong_usage_and_the_known_ones_are_named(sync):
    refused = sync("pause", "hints")
    assert refused.exit_code == 2
    assert "no flow 'hints'" in refused.stderr
    assert FLOW.name in refused.stderr


@pytest.fixture
def log(topics):
    """Ten records more in partition 3 of the command topic; returns the end of its log."""

    async def write():
        return [await send(topics.kafka, OutgoingRecord(FLOW.command_topic, 3, b"k", b"v", [])) for _ in range(10)]

    return asyncio.run(write())[-1] + 1


@pytest.fixture
def read_up_to(migrated):
    """A ledger row that says that everything before ``end`` was applied."""

    def insert(end):
        migrated.citizen.execute(LEDGER, (FLOW.name, FLOW.command_topic, 3, 0, end, end, end))

    return insert


REPLAY = ("replay", FLOW.name, "--topic", FLOW.command_topic, "--partition", 3, "--from-offset")


def test_a_replay_sends_the_position_back_and_counts_the_way(answer, log, read_up_to, migrated, audit):
    read_up_to(log)
    assert answer(*REPLAY, log - 4)["records"] == 4
    row = "SELECT next_offset, records_read, rewound, last_timestamp, last_key_hash FROM sync.ledger"
    assert migrated.citizen.execute(row).fetchone() == (log - 4, log, 4, None, None)
    assert answer(*REPLAY, log - 6)["records"] == 2
    assert migrated.citizen.execute(row).fetchone() == (log - 6, log, 6, None, None)
    assert audit()[0][1:] == ("replay", f"{FLOW.name} {FLOW.command_topic}[3]", f"offsets {log - 4} to {log}")


def test_everything_is_replayed_from_where_the_logs_begin_and_what_nobody_read_is_left_out(answer, log, read_up_to):
    read_up_to(log)
    again = answer("replay", FLOW.name, "--topic", FLOW.command_topic, "--all")
    assert (again["records"], again["partitions"]) == (log, {"3": log})


@pytest.mark.parametrize("arguments", ["", "--partition 3", "--from-offset 0", "--all --partition 3 --from-offset 0"])
def test_a_replay_of_neither_one_partition_nor_everything_is_wrong_usage(sync, arguments):
    refused = sync("replay", FLOW.name, *arguments.split())
    assert refused.exit_code == 2
    assert "--all" in refused.stderr


def test_a_replay_of_what_was_not_read_yet_is_refused(sync, log, read_up_to):
    read_up_to(log)
    refused = sync(*REPLAY, log + 1)
    assert refused.exit_code == 1
    assert f"offset {log + 1} is not between 0, where the log begins, and {log}" in refused.stderr


def test_a_replay_of_a_partition_that_nobody_read_is_refused(sync, log, migrated):
    refused = sync(*REPLAY, 0)
    assert refused.exit_code == 1
    assert "has read nothing of" in refused.stderr


def test_a_replay_of_a_topic_of_another_flow_is_wrong_usage(sync):
    refused = sync("replay", FLOW.name, "--topic", "other", "--partition", 0, "--from-offset", 0)
    assert refused.exit_code == 2
    assert FLOW.command_topic in refused.stderr


def test_a_replay_of_a_partition_that_does_not_exist_is_wrong_usage(sync):
    refused = sync("replay", FLOW.name, "--partition", FLOW.partitions, "--from-offset", 0)
    assert refused.exit_code == 2
    assert "has partitions 0 to 9" in refused.stderr


def test_a_new_epoch_stands_for_the_cluster_that_the_source_is_now(answer, migrated, audit):
    present = answer("source-epoch", "warehouse")[0]
    assert present["known"] is None
    migrated.citizen.execute("INSERT INTO sync.source (name, system_identifier, timeline) VALUES ('warehouse', 42, 1)")
    assert answer("source-epoch", "warehouse", code=1)[0]["known"]["system_identifier"] == 42
    begun = answer("source-epoch", "warehouse", "--set-new")[0]
    assert begun["known"] == {"epoch": 2, **begun["present"]}
    assert begun["present"] == present["present"]
    assert answer("source-epoch", "warehouse")[0]["same"]
    assert audit()[0][1:3] == ("source epoch", "warehouse")


def test_a_source_of_no_flow_has_no_epoch(sync, monkeypatch):
    monkeypatch.setattr("cli.source_epoch.flows_from", lambda _: ())
    refused = sync("source-epoch", "citizen")
    assert refused.exit_code == 2
    assert "no flow reads from citizen" in refused.stderr
