"""The order in which the product saw citizens, found from what it wrote: right orders are accepted, losses are not."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from tests.oracle.changes import Change
from tests.oracle.golden_records import CITIZENS, GOLDEN_RECORDS, GoldenRecords
from tests.support.merged_history import PRODUCT, MergedHistory, Unexplained

ASHA, BALA = UUID(int=1), UUID(int=2)
NUMBER = "012345678901"
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
SAID = {"full_name": "Asha", "date_of_birth": date(1980, 1, 1), "gender": "Female", "email": None, "pincode": "301001"}


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def citizen(minute, **values):
    row = {"id": ASHA, "aadhaar_number": NUMBER, "mobile_number": "1000000001", "city": "Rampura", "district": None}
    row |= SAID | {"verification_status": "VERIFIED", "updated_at": at(minute)} | values
    return at(minute), Change(CITIZENS, None, row)


def record(minute, by="etl", **values):
    row = {"gr_id": UUID(int=9), "family_id": None, "jan_aadhaar": NUMBER, "mobile_number": "1000000001", "district_id": None}
    return row | SAID | {"city_village": "Rampura", "updated_at": at(minute), "updated_by": by} | values


def wrote(minute, old, new):
    return at(minute), Change(GOLDEN_RECORDS, old, new)


def merged(citizens, records):
    history = MergedHistory(GoldenRecords({}))
    history.apply(citizens, records)
    return history.oracle.rows().get(NUMBER)


def without_gr_id(row):
    return {column: value for column, value in row.items() if column != "gr_id"}


def test_what_the_product_wrote_stands_where_it_wrote_it():
    ours = record(1, by=PRODUCT)
    theirs = record(2, full_name="by the warehouse")
    found = merged([citizen(1)], [wrote(5, None, ours), wrote(6, ours, theirs)])
    assert found == without_gr_id(theirs)


def test_of_two_changes_in_one_chunk_the_later_is_written_with_what_the_earlier_said():
    ours = record(2, by=PRODUCT, email="a@example.org")
    citizens = [citizen(1, email="a@example.org"), citizen(2, email=None)]
    assert merged(citizens, [wrote(5, None, ours)]) == without_gr_id(ours)


def test_an_older_change_than_the_warehouses_is_no_loss_also_when_the_warehouse_sets_its_time_back_later():
    newer = record(3, full_name="newer")
    older = record(0, full_name="set back")
    assert merged([citizen(1)], [wrote(0, None, newer), wrote(5, newer, older)]) == without_gr_id(older)


def test_a_change_that_had_to_be_written_and_was_not_makes_a_difference():
    theirs = record(0, full_name="by the warehouse")
    found = merged([citizen(1)], [wrote(0, None, theirs)])
    assert (found["full_name"], found["updated_by"]) == ("Asha", PRODUCT)


def test_a_change_that_came_while_the_warehouses_was_newer_may_be_written_after_that_was_set_back():
    newer, older = record(3, full_name="newer"), record(0, full_name="set back")
    ours = record(1, by=PRODUCT)
    found = merged([citizen(1)], [wrote(0, None, newer), wrote(5, newer, older), wrote(6, older, ours)])
    assert found == without_gr_id(ours)


def test_a_second_correction_with_the_same_time_is_told_apart_by_what_it_says():
    first, second = record(1, by=PRODUCT), record(1, by=PRODUCT, full_name="Asha Devi")
    citizens = [citizen(1), (at(2), Change(CITIZENS, None, citizen(1, full_name="Asha Devi")[1].new))]
    assert merged(citizens, [wrote(5, None, first), wrote(6, first, second)]) == without_gr_id(second)
    assert merged(citizens, [wrote(5, None, first)])["full_name"] == "Asha Devi"


def test_something_that_no_citizen_said_is_refused():
    with pytest.raises(Unexplained):
        merged([citizen(1)], [wrote(5, None, record(1, by=PRODUCT, full_name="nobody"))])


def test_two_citizens_with_one_number_stand_in_the_order_in_which_they_were_written():
    bala, asha = record(2, by=PRODUCT, full_name="Bala"), record(1, by=PRODUCT)
    citizens = [citizen(1), citizen(2, id=BALA, full_name="Bala")]
    assert merged(citizens, [wrote(5, None, bala), wrote(6, bala, asha)]) == without_gr_id(asha)


def test_a_change_that_another_citizen_of_the_number_overtook_in_the_same_chunk_is_no_loss():
    bala = record(2, by=PRODUCT, full_name="Bala")
    citizens = [citizen(1), citizen(2, id=BALA, full_name="Bala")]
    assert merged(citizens, [wrote(5, None, bala)]) == without_gr_id(bala)


def test_a_change_that_was_seen_after_a_later_one_of_another_citizen_fills_what_that_left_out():
    early = record(1, by=PRODUCT, full_name="Bala")
    later = record(3, by=PRODUCT, full_name="Asha")
    filled = later | {"email": "bala@example.org"}
    citizens = [
        citizen(1, id=BALA, full_name="Bala"),
        citizen(2, id=BALA, full_name="Bala Devi", email="bala@example.org"),
        citizen(3, full_name="Asha"),
    ]
    written = [wrote(5, None, early), wrote(6, early, later), wrote(7, later, filled)]
    assert merged(citizens, written) == without_gr_id(filled)
    with pytest.raises(Unexplained):
        merged(citizens, [*written[:2], wrote(7, later, later | {"email": "nobody@example.org"})])


def test_a_change_that_was_seen_after_a_later_one_that_left_nothing_out_is_no_loss():
    early = record(1, by=PRODUCT, full_name="Bala")
    later = record(3, by=PRODUCT, full_name="Asha", email="asha@example.org")
    citizens = [
        citizen(1, id=BALA, full_name="Bala"),
        citizen(2, id=BALA, full_name="Bala Devi", email="bala@example.org"),
        citizen(3, full_name="Asha", email="asha@example.org"),
    ]
    assert merged(citizens, [wrote(5, None, early), wrote(6, early, later)]) == without_gr_id(later)


def test_nothing_that_was_said_before_a_record_was_taken_over_fills_it():
    theirs = record(0, full_name="by the warehouse")
    taken = record(3, by=PRODUCT, full_name="Asha")
    citizens = [citizen(2, id=BALA, email="bala@example.org"), citizen(3, full_name="Asha")]
    assert merged(citizens, [wrote(0, None, theirs), wrote(6, theirs, taken)]) == without_gr_id(taken)
