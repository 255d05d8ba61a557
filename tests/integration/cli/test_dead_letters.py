import json

import pytest

from cli.options import actor
from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from flows.ml_alerts import ML_ALERTS
from sinks.payload_cipher import PayloadCipher
from tests.support.posted import PostedLog

KEY = b'{"family_id": "7c7e6bd4-0000-4000-8000-00000000f00d"}'
ROW = {"snapshot_id": 77, "scheme_code": "SECRET-SCHEME", "eligibility_score": "4711.5", "unknown_name": "hidden"}
VALUE = json.dumps({"op": "c", "after": ROW, "source": {"lsn": 987654321}}).encode()
HEADERS = [("__debezium.newkey", b"secret header"), ("sync-dead-letter-id", b"1"), ("sync-dead-letter-id", b"2")]
INSERT = """
INSERT INTO sync.dead_letter (flow, topic, partition, "offset", reason, detail, row_key, record_time, record_key,
                              record_value, headers, status)
VALUES (%s, %s, %s, %s, %s, 'the detail', '77', now(), %s, %s, %s, %s) RETURNING id
"""


@pytest.fixture
def letter(migrated, settings):
    """Add a dead letter as the worker does; returns its id."""
    cipher, offsets = PayloadCipher(settings.payload_keys), iter(range(1000))

    def add(*, flow=FLOW, reason="out_of_range", status="open", key=KEY, value=VALUE, headers=HEADERS):
        parts = (cipher.encrypt(key), cipher.encrypt(value), cipher.encrypt_headers(headers))
        row = (flow.name, flow.topic, 4, next(offsets), reason, *parts, status)
        return migrated.citizen.execute(INSERT, row).fetchone()[0]

    return add


@pytest.fixture
def status_of(migrated):
    query = "SELECT status, closed_by, close_reason FROM sync.dead_letter WHERE id = %s"
    return lambda letter_id: migrated.citizen.execute(query, (letter_id,)).fetchone()


def test_the_list_can_be_filtered_by_flow_status_and_reason(answer, letter):
    scores, types, done = letter(), letter(reason="wrong_type"), letter(status="discarded")

    def listed(*options):
        return [each["id"] for each in answer("dead-letters", "list", *options)]

    assert listed() == [scores, types]
    assert listed("--flow", FLOW.name) == [scores, types]
    assert listed("--reason", "wrong_type") == [types]
    assert listed("--status", "discarded") == [done]
    assert listed("--status", "all") == [scores, types, done]
    assert listed("--status", "all", "--limit", 2) == [scores, types]


def test_the_list_shows_position_reason_and_both_zones(sync, letter):
    letter()
    listed = sync("dead-letters", "list").stdout
    assert f"{FLOW.topic}[4] @ 0" in listed
    assert "out_of_range" in listed
    assert " UTC · " in listed
    assert " IST" in listed


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_is_shown_has_position_reason_and_structure_but_no_value(sync, letter, form):
    shown = sync("dead-letters", "show", letter(), *form)
    assert shown.exit_code == 0
    for visible in (FLOW.name, "out_of_range", "the detail", "eligibility_score", "<text, 13 characters>", "<number>"):
        assert visible in shown.stdout
    for secret in ("SECRET", "4711.5", "f00d", "hidden", "unknown_name", "987654321", "secret header"):
        assert secret not in shown.output


def test_what_was_not_json_is_shown_as_a_number_of_bytes(answer, letter):
    shown = answer("dead-letters", "show", letter(value=b"SECRET{", key=None))
    assert shown["content"] == {
        "key": None,
        "value": "<7 bytes, not JSON>",
        "headers": [["__debezium.newkey", "<13 bytes>"], *[["sync-dead-letter-id", "<1 bytes>"]] * 2],
    }


def test_a_record_of_a_callback_is_shown_with_its_structure_and_sent_again_with_the_offset_that_it_had(
    answer, letter, topics, records
):
    made = PostedLog(ML_ALERTS).upsert(PostedLog(ML_ALERTS).row(message="SECRET", action_url="/SECRET"))
    letter()  # so that the offset is another than 0
    letter_id = letter(flow=ML_ALERTS, key=made.key, value=made.value, headers=made.headers)
    shown = answer("dead-letters", "show", letter_id)["content"]
    assert shown["key"] == {"alert_id": "<text, 36 characters>"}
    assert shown["value"]["message"] == "<text, 6 characters>"
    assert (shown["value"]["alert_id"], shown["value"]["created_at"], shown["value"].keys()) == (
        "<UUID>",
        "<datetime>",
        {field.name for field in ML_ALERTS.source.fields},
    )
    assert [name for name, _ in shown["headers"]] == ["webhook-id", "webhook-sender", "sync-received-at"]
    assert "SECRET" not in str(shown)
    before = len(records(ML_ALERTS.command_topic))
    answer("dead-letters", "replay", letter_id)
    (record,) = records(ML_ALERTS.command_topic)[before:]
    assert (record.partition, record.key, record.value) == (4, made.key, made.value)
    ours = [("sync-dead-letter-id", str(letter_id).encode()), ("sync-offset", b"1")]
    assert list(record.headers) == [*made.headers, *ours]


def test_a_payload_that_no_key_opens_is_a_problem_without_traceback(sync, letter, shell):
    letter_id = letter()
    shell.setenv("SYNC_PAYLOAD_KEYS", sync("keygen").stdout.strip())
    refused = sync("dead-letters", "show", letter_id)
    assert refused.exit_code == 1
    assert "no key in SYNC_PAYLOAD_KEYS opens this payload" in refused.stderr


def test_an_old_key_beside_a_new_one_still_opens_payloads(sync, letter, shell, stack):
    letter_id = letter()
    new = sync("keygen").stdout.strip()
    shell.setenv("SYNC_PAYLOAD_KEYS", f"{new},{stack.env['SYNC_PAYLOAD_KEYS']}")
    assert sync("dead-letters", "show", letter_id).exit_code == 0


@pytest.fixture
def sent(topics, records):
    """Every record in the letters' partition of the command topic, in order."""
    return lambda: [record for record in records(FLOW.command_topic) if record.partition == 4]


def test_a_replay_sends_the_original_bytes_with_the_letters_number(answer, letter, sent, status_of, migrated):
    before = len(sent())
    letter_id = letter()
    assert answer("dead-letters", "replay", letter_id) == {"replayed": [letter_id]}
    (record,) = sent()[before:]
    assert (record.key, record.value) == (KEY, VALUE)
    assert list(record.headers) == [HEADERS[0], ("sync-dead-letter-id", str(letter_id).encode()), ("sync-offset", b"0")]
    assert status_of(letter_id) == ("replayed", None, None)
    audit = migrated.citizen.execute("SELECT actor, action, subject FROM sync.audit").fetchall()
    assert audit == [(actor(), "replay dead letter", f"{FLOW.name} {letter_id}")]


def test_a_replay_by_flow_sends_the_open_ones_of_the_reason(answer, letter, topics, status_of):
    wanted, other, done = letter(), letter(reason="wrong_type"), letter(status="closed")
    assert answer("dead-letters", "replay", "--flow", FLOW.name, "--reason", "out_of_range") == {"replayed": [wanted]}
    assert [status_of(each)[0] for each in (wanted, other, done)] == ["replayed", "open", "closed"]


def test_a_record_without_a_key_is_sent_to_its_partition_again(answer, letter, sent):
    before = len(sent())
    answer("dead-letters", "replay", letter(key=None, headers=[]))
    (record,) = sent()[before:]
    assert (record.key, record.value) == (None, VALUE)


def test_without_a_broker_nothing_is_marked_as_replayed(sync, letter, status_of, shell, migrated):
    letter_id = letter()
    shell.setenv("SYNC_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9")
    refused = sync("dead-letters", "replay", letter_id)
    assert refused.exit_code == 1
    assert "Kafka: KafkaConnectionError" in refused.stderr
    assert status_of(letter_id)[0] == "open"
    assert migrated.citizen.execute("SELECT action, result FROM sync.audit").fetchall() == [("replay dead letter", "failed")]


def test_a_discarded_letter_is_kept_with_who_and_why(answer, letter, status_of, migrated):
    letter_id = letter()
    assert answer("dead-letters", "discard", letter_id, "--reason", "test data") == {"discarded": [letter_id]}
    assert status_of(letter_id) == ("discarded", actor(), "test data")
    audit = migrated.citizen.execute("SELECT action, subject, reason FROM sync.audit").fetchall()
    assert audit == [("discard dead letter", f"{FLOW.name} {letter_id}", "test data")]


def test_a_discard_needs_a_reason(sync, letter):
    letter_id = letter()
    assert sync("dead-letters", "discard", letter_id).exit_code == 2
    assert sync("dead-letters", "discard", letter_id, "--reason", " ").exit_code == 2


@pytest.mark.parametrize("status", ["closed", "discarded"])
@pytest.mark.parametrize("command", [("replay",), ("discard", "--reason", "x")])
def test_what_is_settled_stays_so(sync, letter, status, command, status_of):
    letter_id = letter(status=status)
    refused = sync("dead-letters", *command, letter_id)
    assert refused.exit_code == 1
    assert f"dead letter {letter_id} is {status}" in refused.stderr
    assert status_of(letter_id)[0] == status


@pytest.mark.parametrize("command", [("show",), ("replay",), ("discard", "--reason", "x")])
def test_a_number_that_does_not_exist_is_a_problem(sync, letter, command):
    letter()
    refused = sync("dead-letters", *command, 999_999)
    assert refused.exit_code == 1
    assert "no dead letter 999999" in refused.stderr


def test_a_replay_of_nothing_in_particular_is_wrong_usage(sync):
    assert sync("dead-letters", "replay").exit_code == 2
