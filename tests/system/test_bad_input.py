"""What cannot be applied becomes a dead letter with its reason; everything else goes on, and nothing good is lost."""

from collections.abc import Iterator

import pytest

from tests.support.bad_records import CASES, bad_record
from tests.support.commands import CommandFailed
from tests.support.portal import FamilyInPortal
from tests.support.records import event, row
from tests.support.workers import Workers

TOAST = "__unchanged_toast_8d1f6c0ba94e47d2b35a7e90c412f86d"
MEGABYTE = 2**20


@pytest.fixture(scope="module", autouse=True)
def workers(installation) -> Iterator[Workers]:
    workers = Workers(installation)
    workers.start("worker-1", "worker-2")
    yield workers
    workers.kill_all()


@pytest.fixture
def family(installation):
    return FamilyInPortal(installation)


@pytest.fixture
def lsn(installation):
    """A position in the source's log that is later than everything written so far."""
    return installation.warehouse.value("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")


def test_records_that_cannot_be_applied_become_dead_letters_and_the_good_versions_stand(installation, lsn):
    """All at once: each has a family of its own, and what is waited for comes for all of them together."""
    families = {case: FamilyInPortal(installation) for case in CASES}
    numbers = evaluated(families)
    bad = {case: bad_record(case, numbers[case], family.id, lsn) for case, family in families.items()}
    offsets = {case: family.produce(bad[case].value, key=bad[case].key) for case, family in families.items()}
    letters = {case: family.letter_at(offsets[case]) for case, family in families.items()}
    for case, letter in letters.items():
        assert (letter.reason, letter.status) == (bad[case].reason, "open"), case
        assert letter.row_key == (str(numbers[case]) if bad[case].recognised else letter.row_key), case
        assert "forged" not in letter.detail, case
        assert families[case].hints() == {"SCHEME": ("0.50", "good")}, case

    for case, family in families.items():
        family.alter(numbers[case], "eligibility_score", "0.70")
    for case, family in families.items():
        family.shows("0.70")
        if bad[case].recognised:
            family.letter_becomes(letters[case], "closed")
    unknown = [case for case in CASES if not bad[case].recognised]
    installation.command("dead-letters", "discard", *(str(letters[case].id) for case in unknown), "--reason", "a test made them")
    for case in unknown:
        families[case].letter_becomes(letters[case], "discarded")


def evaluated(families):
    """Give each family an evaluation that the portal shows; returns their numbers."""
    numbers = {name: family.evaluate("0.50") for name, family in families.items()}
    for family in families.values():
        family.shows("0.50")
    return numbers


def test_a_tombstone_is_counted_and_changes_nothing(installation, family):
    family.evaluate("0.50")
    family.shows("0.50")
    before = sum(counts.outcomes["tombstones"] for counts in installation.ledger().values())
    family.read_up_to(family.produce(None))
    assert sum(counts.outcomes["tombstones"] for counts in installation.ledger().values()) == before + 1
    assert family.hints() == {"SCHEME": ("0.50", "good")}


def test_a_column_that_the_source_did_not_send_again_keeps_its_value(family, lsn):
    number = family.evaluate("0.50", explanation="long ago")
    family.shows("0.50")
    family.produce(event(row(number, family.id, eligibility_score="0.6000", explanation=TOAST), lsn=lsn))
    family.shows("0.60")
    assert family.hints()["SCHEME"] == ("0.60", "long ago")


def test_a_column_that_the_source_did_not_send_again_and_nobody_knows_is_a_dead_letter(installation, family, lsn):
    offset = family.produce(event(row(lsn, family.id, explanation=TOAST), lsn=lsn))
    letter = family.letter_at(offset)
    assert (letter.reason, letter.row_key) == ("unchanged_toast", str(lsn))
    assert family.hints() == {}
    family.produce(event(row(lsn, family.id, eligibility_score="0.3000", explanation="whole"), lsn=lsn + 1))
    family.shows("0.30")
    family.letter_becomes(letter, "closed")
    family.produce(event(None, before=row(lsn, family.id), lsn=lsn + 2, op="d"))
    family.shows(None)


REFUSED_VALUES = [
    ("eligibility_score", "NaN"),
    ("eligibility_score", "1.5"),
    ("eligibility_score", "-0.1"),
    ("confidence_score", "NaN"),
    ("evaluation_timestamp", "infinity"),
    ("evaluation_timestamp", "-infinity"),
    ("evaluation_timestamp", "0044-03-15 12:00:00+00 BC"),
    ("evaluation_timestamp", "10000-01-01 00:00:00+00"),
    ("updated_at", "infinity"),
]


def test_values_that_postgresql_holds_and_the_flow_refuses_are_quarantined_until_they_are_mended(installation):
    families = {refused: FamilyInPortal(installation) for refused in REFUSED_VALUES}
    numbers = evaluated(families)
    for (column, value), family in families.items():
        family.alter(numbers[column, value], column, value)
        family.evaluate("0.90", scheme="OTHER")
    letters = {refused: family.letter_of(numbers[refused]) for refused, family in families.items()}
    for (column, value), letter in letters.items():
        assert (letter.reason, letter.status) == ("out_of_range", "open"), (column, value)
        assert f"`{column}`" in letter.detail or f"after.{column}" in letter.detail, (column, value)
        families[column, value].shows("0.90", scheme="OTHER")
        assert families[column, value].hints()["SCHEME"] == ("0.50", "good"), (column, value)
    for (column, value), family in families.items():
        family.alter(numbers[column, value], column, "0.70" if column.endswith("score") else "now")
    for refused, family in families.items():
        family.letter_becomes(letters[refused], "closed")


def test_an_explanation_of_a_megabyte_is_cut_at_500_code_points(family):
    number = family.evaluate("0.50", explanation="अ" * (MEGABYTE // 3))
    family.shows("0.50")
    assert family.hints()["SCHEME"] == ("0.50", "अ" * 500)
    family.alter(number, "explanation", "😀" * (MEGABYTE // 4))
    family.alter(number, "eligibility_score", "0.60")
    family.shows("0.60")
    assert family.hints()["SCHEME"] == ("0.60", "😀" * 500)


def test_one_row_that_the_target_refuses_is_isolated_and_its_replay_succeeds_once_the_cause_is_gone(installation, family):
    citizen = installation.citizen
    citizen.rows("ALTER TABLE eligibility_hints ADD CONSTRAINT probe CHECK (scheme_code <> 'REFUSED')")
    try:
        with installation.warehouse.connect() as platform, platform.transaction():
            numbers = [_insert(platform, family.id, scheme) for scheme in ("A", "REFUSED", "B")]
        letter = family.letter_of(numbers[1])
        assert letter.reason == "refused_by_database"
        family.shows("0.50", scheme="A")
        family.shows("0.50", scheme="B")
        installation.command("dead-letters", "replay", str(letter.id))
        family.letter_becomes(letter, "open", attempts=2)
    finally:
        citizen.rows("ALTER TABLE eligibility_hints DROP CONSTRAINT probe")
    installation.command("dead-letters", "replay", str(letter.id))
    family.letter_becomes(letter, "closed", attempts=2)
    family.shows("0.50", scheme="REFUSED")
    assert family.hints().keys() == {"A", "B", "REFUSED"}


def _insert(platform, family, scheme):
    statement = (
        "INSERT INTO eligibility.eligibility_snapshots (family_id, scheme_code, evaluation_status, eligibility_score,"
        " evaluation_timestamp) VALUES (%s, %s, 'RULE_ELIGIBLE', 0.5, now()) RETURNING snapshot_id"
    )
    return platform.execute(statement, (family, scheme)).fetchone()[0]


def test_a_dead_letter_that_is_still_bad_when_it_is_replayed_is_open_again(installation, family):
    number = family.evaluate("0.50")
    family.shows("0.50")
    family.alter(number, "eligibility_score", "NaN")
    letter = family.letter_of(number)
    installation.command("dead-letters", "replay", str(letter.id))
    family.letter_becomes(letter, "open", attempts=2)
    family.alter(number, "eligibility_score", "0.60")
    family.letter_becomes(letter, "closed", attempts=2)


def test_the_last_good_version_of_a_quarantined_row_survives_a_rebuild_from_the_source(installation, family):
    number = family.evaluate("0.50")
    family.shows("0.50")
    family.alter(number, "eligibility_score", "NaN")
    letter = family.letter_of(number)
    resync(installation)
    assert family.hints() == {"SCHEME": ("0.50", "good")}
    family.alter(number, "eligibility_score", "0.60")
    family.letter_becomes(letter, "closed")
    family.shows("0.60")


def test_every_record_has_one_outcome_and_every_dead_letter_its_count(installation):
    installation.settle()
    installation.counts_add_up()
    counted = sum(row.outcomes["dead_lettered"] for row in installation.ledger().values())
    assert counted == installation.citizen.value("SELECT sum(attempts) FROM sync.dead_letter") > len(CASES)
    resync(installation)  # forged records are not in the source: what they made goes
    installation.become_right()


def test_a_truncate_stops_the_flow_everywhere_until_it_is_accepted(installation, workers, family):
    family.evaluate("0.50")
    family.shows("0.50")
    flow = installation.flow.name
    installation.warehouse.rows("TRUNCATE eligibility.eligibility_snapshots")
    workers.wait_for_state("stopped")
    family.evaluate("0.80", scheme="AFTER")
    with pytest.raises(CommandFailed, match="--accept-truncate"):
        installation.command("resume", flow)
    assert family.hints() == {"SCHEME": ("0.50", "good")}

    installation.command("resume", flow, "--accept-truncate")
    workers.wait_until_shared("worker-1", "worker-2")
    family.shows("0.80", scheme="AFTER")
    family.shows(None)
    installation.change(300)
    installation.settle()
    installation.become_right()
    installation.counts_add_up()


def resync(installation):
    """Have every partition rebuilt from the source and return when all are."""
    wanted = installation.command("resync", installation.flow.name)["resync"]
    installation.rebuilt(wanted)
