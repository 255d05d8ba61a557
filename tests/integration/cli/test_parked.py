import pytest

from sinks.payload_cipher import PayloadCipher

KEY, REFERENCE = "7c7e6bd4-0000-4000-8000-00000000f00d", "1b2e6bd4-0000-4000-8000-00000000beef"
INSERT = """
INSERT INTO sync.parked (flow, topic, partition, "offset", row_key, reference, record_value, parked_at, deadline)
VALUES ('application_events', 'topic', 2, %s, %s, %s, %s, %s, timestamptz '2026-03-01 12:15:00+00' + %s * interval '1 min')
RETURNING id
"""
LETTER = """
INSERT INTO sync.dead_letter (flow, topic, partition, "offset", reason, detail)
SELECT flow, topic, partition, "offset", 'reference_missing', '' FROM sync.parked WHERE id = %s RETURNING id
"""


@pytest.fixture
def park(migrated, settings):
    """Park a record as the worker does, a minute after the one before."""
    cipher, offsets = PayloadCipher(settings.payload_keys), iter(range(1000))

    def add(key=KEY, reference=REFERENCE, *, expired=False):
        offset = next(offsets)
        since = f"2026-03-01 12:{offset:02}:00+00"
        row = (offset, key, reference, cipher.encrypt(b"SECRET"), since, offset)
        (identity,) = migrated.warehouse.execute(INSERT, row).fetchone()
        if expired:
            (letter,) = migrated.warehouse.execute(LETTER, (identity,)).fetchone()
            migrated.warehouse.execute("UPDATE sync.parked SET state = 'expired', letter = %s WHERE id = %s", (letter, identity))

    return add


def test_each_key_is_listed_once_with_what_its_first_event_waits_for(answer, park):
    park()
    park(key="other", expired=True)
    park(reference="another reference")
    first, second = answer("parked", "list")
    assert first == {
        "flow": "application_events",
        "key": KEY,
        "reference": REFERENCE,
        "records": 2,
        "since": "2026-03-01T12:00:00+00:00",
        "deadline": "2026-03-01T12:15:00+00:00",
        "state": "waiting",
    }
    assert (second["key"], second["records"], second["state"]) == ("other", 1, "expired")


def test_a_limit_keeps_the_oldest(answer, park):
    for number in range(3):
        park(key=str(number))
    assert [each["key"] for each in answer("parked", "list", "--limit", 2)] == ["0", "1"]


def test_the_list_shows_both_zones_and_nothing_of_the_records(sync, park):
    park()
    listed = sync("parked", "list")
    assert listed.exit_code == 0
    assert "2026-03-01 12:15:00 UTC · " in listed.stdout
    assert "17:45:00 IST" in listed.stdout
    assert "SECRET" not in listed.stdout


def test_status_counts_the_keys_that_wait(sync, answer, park, topics):
    park()
    park()
    park(key="other")
    park(key="late", expired=True)
    (flow,) = [each for each in answer("status", code=1)["flows"] if each["status"]["flow"] == "application_events"]
    assert flow["parked"] == {"expired": 1, "waiting": 2}
    (line,) = [line for line in sync("status").stdout.splitlines() if line.startswith("application_events ")]
    assert line.split()[-2:] == ["2", "1"], "parked keys, open dead letters"


def test_without_parked_keys_the_list_says_so(sync, migrated):
    assert sync("parked", "list").stdout.strip() == "Parked keys: none"
