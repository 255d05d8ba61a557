"""What several offers for one record come to."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.match_merge import NEVER, Said, Stamp, Standing, merge

NAMES = ("name", "email", "city")


def said(lsn, at, **values):
    return Said(Stamp(1, lsn), at, {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in values.items()})


def shown(values):
    return {name: msgspec.json.decode(value) for name, value in values.items()}


def applied(arrivals):
    """The record after offers that arrive in these groups: values, their stamps, time."""
    values, standing = {}, None
    for group in arrivals:
        merged = merge(standing, sorted(group, key=lambda each: each.stamp), NAMES)
        if merged is not None:
            values |= merged.values
            at = standing.at if merged.latest is None else Decimal(merged.latest.at)
            standing = Standing(at, merged.newest, merged.columns)
    return shown(values), standing


contents = st.fixed_dictionaries({}, optional={name: st.sampled_from(["x", "y", "z"]) for name in NAMES})
histories = st.lists(st.tuples(contents, st.integers(0, 50)), min_size=1, max_size=8).map(
    lambda drawn: [said(10 * place, at, **values) for place, (values, at) in enumerate(drawn)]
)


@given(history=histories, data=st.data())
def test_neither_the_order_of_arrival_nor_the_chunks_decide_what_a_record_of_ours_holds(history, data):
    shuffled = data.draw(st.permutations(history))
    cut = data.draw(st.integers(0, len(history)))
    again = data.draw(st.lists(st.sampled_from(history), max_size=3))
    assert applied([shuffled[:cut], shuffled[cut:], again]) == applied([[each] for each in history])


def test_a_null_never_erases_and_the_newest_value_stands():
    merged = merge(None, [said(1, 5, name="a", email="e"), said(2, 4, name="b")], NAMES)
    assert shown(merged.values) == {"name": "b", "email": "e"}
    assert (merged.newest, merged.latest.at, merged.taken) == (Stamp(1, 2), 4, 2)
    assert merged.columns == {"name": Stamp(1, 2), "email": Stamp(1, 1)}


def test_an_older_offer_fills_what_nobody_has_said_and_leaves_the_time_alone():
    standing = Standing(Decimal(9), Stamp(1, 7), {"name": Stamp(1, 7)})
    merged = merge(standing, [said(3, 99, name="old", email="e")], NAMES)
    assert shown(merged.values) == {"email": "e"}
    assert (merged.newest, merged.latest) == (Stamp(1, 7), None)


def test_what_is_known_already_changes_nothing():
    standing = Standing(Decimal(9), Stamp(1, 7), {"name": Stamp(1, 7)})
    assert merge(standing, [said(3, 99, name="old"), said(7, 9, name="same")], NAMES) is None


def test_a_record_of_somebody_else_stands_against_what_is_not_strictly_later():
    foreign = Standing(Decimal(10), None, {})
    assert merge(foreign, [said(1, 9, name="a"), said(2, 10, name="b")], NAMES) is None


def test_whoever_comes_after_the_one_that_took_a_record_over_need_not_be_later():
    foreign = Standing(Decimal(10), None, {})
    merged = merge(foreign, [said(1, 9, email="lost"), said(2, 11, name="a"), said(3, 5, name="b")], NAMES)
    assert shown(merged.values) == {"name": "b"}
    assert merged.taken == 2


def test_what_is_older_than_the_takeover_does_not_fill_what_somebody_else_left_empty():
    merged = merge(Standing(Decimal(10), None, {}), [said(5, 11, name="a")], NAMES)
    ours = Standing(Decimal(11), merged.newest, merged.columns)
    assert merge(ours, [said(4, 99, email="old")], NAMES) is None


def test_a_record_whose_time_nobody_knows_is_taken_over():
    assert merge(Standing(None, None, {}), [said(1, 0, name="a")], NAMES).taken == 1


def test_the_first_snapshot_is_newer_than_nothing():
    assert merge(None, [said(0, 0)], NAMES).newest > NEVER
