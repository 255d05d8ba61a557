"""The oracle of golden records on small histories, one rule of the specification after the other."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from tests.oracle.changes import Change
from tests.oracle.golden_records import CITIZENS, GOLDEN_RECORDS, GoldenRecords

ASHA, BALA = UUID(int=1), UUID(int=2)
RECORD, FAMILY = UUID(int=11), UUID(int=12)
NUMBER, OTHER = "012345678901", "098765432109"
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def citizen(**values):
    row = {"id": ASHA, "aadhaar_number": NUMBER, "mobile_number": "1000000001", "email": "a@example.org", "full_name": "Asha"}
    row |= {"date_of_birth": date(1980, 1, 1), "gender": "Female", "city": "Rampura", "district": "Sawai Madhopur"}
    return row | {"pincode": "301001", "verification_status": "VERIFIED", "updated_at": at(0)} | values


def record(**values):
    row = {"gr_id": RECORD, "family_id": FAMILY, "jan_aadhaar": NUMBER, "full_name": "A.", "date_of_birth": None, "gender": None}
    row |= {"mobile_number": None, "email": "old@example.org", "district_id": 101, "city_village": None, "pincode": None}
    return row | {"updated_at": at(0), "updated_by": "data_steward"} | values


@pytest.fixture
def oracle():
    return GoldenRecords({"Ajmer": 101, "Sawai Madhopur": 129})


def say(oracle, **values):
    oracle.apply([Change(CITIZENS, None, citizen(**values))])
    return oracle.rows().get(values.get("aadhaar_number", NUMBER))


def warehouse(oracle, old, new):
    oracle.apply([Change(GOLDEN_RECORDS, old, new)])


def test_a_verified_citizen_whom_nobody_knows_gets_a_record_without_family_that_is_to_be_reviewed(oracle):
    made = say(oracle)
    assert (made["full_name"], made["city_village"], made["district_id"]) == ("Asha", "Rampura", 129)
    assert (made["family_id"], made["updated_at"], made["updated_by"]) == (None, at(0), "citizen_portal")
    assert oracle.review == {("created", NUMBER)}
    assert oracle.matches == {ASHA: [NUMBER]}


@pytest.mark.parametrize("status", ["PENDING", "UNVERIFIED", "rejected"])
def test_who_is_not_verified_changes_nothing(oracle, status):
    assert say(oracle, verification_status=status) is None
    assert oracle.matches == {}


@pytest.mark.parametrize("status", ["Verified", "verified"])
def test_verified_counts_in_any_letter_case(oracle, status):
    assert say(oracle, verification_status=status)["full_name"] == "Asha"


def test_who_has_no_number_changes_nothing(oracle):
    say(oracle, aadhaar_number=None)
    assert oracle.rows() == {}


def test_against_another_writer_the_strictly_greater_time_wins(oracle):
    warehouse(oracle, None, record(updated_at=at(5)))
    assert say(oracle, updated_at=at(5))["full_name"] == "A."
    changed = say(oracle, updated_at=at(6))
    assert (changed["full_name"], changed["family_id"], changed["updated_by"]) == ("Asha", FAMILY, "citizen_portal")
    assert oracle.review == set()
    assert oracle.matches == {ASHA: [NUMBER]}


def test_in_a_record_that_is_still_ours_the_later_change_wins_whatever_its_time(oracle):
    say(oracle, updated_at=at(5))
    changed = say(oracle, updated_at=at(1), full_name="Asha Devi")
    assert (changed["full_name"], changed["updated_at"]) == ("Asha Devi", at(1))


@pytest.mark.parametrize(
    "change", [{"updated_by": "data_steward"}, {"updated_at": at(9)}], ids=["another writer", "a time that we did not write"]
)
def test_a_record_that_somebody_else_touched_is_not_ours_any_more(oracle, change):
    ours = say(oracle, updated_at=at(5))
    warehouse(oracle, ours, ours | change)
    assert say(oracle, updated_at=at(5), full_name="Asha Devi")["full_name"] == "Asha"
    assert say(oracle, updated_at=at(10), full_name="Asha Devi")["full_name"] == "Asha Devi"


def test_a_null_never_erases_a_value(oracle):
    warehouse(oracle, None, record())
    changed = say(oracle, updated_at=at(1), email=None, district=None, mobile_number=None)
    assert (changed["email"], changed["district_id"], changed["mobile_number"]) == ("old@example.org", 101, None)


@pytest.mark.parametrize("spelling", ["sawai madhopur", "  SAWAI   Madhopur ", "SawaiMadhopur"])
def test_a_district_is_known_whatever_its_case_and_spaces(oracle, spelling):
    assert say(oracle, district=spelling)["district_id"] == 129


def test_an_unknown_district_keeps_the_old_one_and_is_to_be_reviewed(oracle):
    warehouse(oracle, None, record())
    assert say(oracle, updated_at=at(1), district="Marudhara")["district_id"] == 101
    assert oracle.review == {("unknown district", NUMBER)}


def test_another_number_makes_another_record_and_leaves_the_old_one_to_review(oracle):
    say(oracle)
    say(oracle, aadhaar_number=OTHER, full_name="Asha Devi", updated_at=at(1))
    assert {number: row["full_name"] for number, row in oracle.rows().items()} == {NUMBER: "Asha", OTHER: "Asha Devi"}
    assert oracle.review == {("created", NUMBER), ("number changed", NUMBER), ("created", OTHER)}
    assert oracle.matches == {ASHA: [NUMBER, OTHER]}


def test_two_citizens_who_exchange_their_numbers_exchange_their_records(oracle):
    say(oracle)
    say(oracle, id=BALA, aadhaar_number=OTHER, full_name="Bala")
    say(oracle, aadhaar_number=OTHER, updated_at=at(1))
    say(oracle, id=BALA, full_name="Bala", updated_at=at(1))
    assert {number: row["full_name"] for number, row in oracle.rows().items()} == {NUMBER: "Bala", OTHER: "Asha"}
    assert oracle.matches == {ASHA: [NUMBER, OTHER], BALA: [OTHER, NUMBER]}


def test_a_delete_leaves_the_record(oracle):
    before = say(oracle)
    oracle.apply([Change(CITIZENS, citizen(), None)])
    assert oracle.rows() == {NUMBER: before}


def test_a_record_that_the_warehouse_removed_is_made_anew(oracle):
    warehouse(oracle, None, record())
    warehouse(oracle, record(), None)
    assert oracle.rows() == {}
    assert say(oracle)["family_id"] is None


def test_a_record_keeps_its_content_when_the_warehouse_gives_it_another_number(oracle):
    warehouse(oracle, None, record())
    warehouse(oracle, record(), record(jan_aadhaar=OTHER))
    assert oracle.rows().keys() == {OTHER}
