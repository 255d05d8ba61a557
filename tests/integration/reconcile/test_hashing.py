"""What is told apart by the sum of the hashes of rows, and what is not."""

import pytest

from flows.types import SqlType
from reconcile.canonical import Hashing

PAIRS = 200
#: Two rows, and the two that they become when their second values change places.
CHANGED_PLACES = """
    SELECT count(*) FROM generate_series(1, {pairs}) AS n
    WHERE ({first}::numeric + {second} - {third} - {fourth}) % 18446744073709551616 = 0
    """

either_way = pytest.mark.parametrize("hashing", [Hashing(fast=True), Hashing(fast=False)], ids=["fast", "portable"])


@either_way
def test_values_of_two_rows_that_change_places_change_the_sum(warehouse, hashing):
    rows = [("n", "n * 7"), ("n + 1", "n * 11"), ("n", "n * 11"), ("n + 1", "n * 7")]
    hashes = [hashing.of_row([hashing.canonical(value, SqlType("integer")) for value in row]) for row in rows]
    names = dict(zip(("first", "second", "third", "fourth"), hashes, strict=True))
    assert warehouse.execute(CHANGED_PLACES.format(pairs=PAIRS, **names)).fetchone() == (0,)


@either_way
@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("numeric(9,2)", "1.5", "1.50000"),
        ("integer", "7::smallint", "7::bigint"),
        ("varchar(9)", "'a'::varchar(9)", "'a'::text"),
        ("timestamptz", "timestamptz '2026-03-01 05:30+05:30'", "timestamptz '2026-03-01 00:00Z'"),
    ],
)
def test_values_that_are_equal_have_one_hash(warehouse, hashing, kind, one, other):
    hashes = [hashing.of_row([hashing.canonical(value, SqlType.parse(kind))]) for value in (one, other)]
    assert warehouse.execute(f"SELECT {hashes[0]} = {hashes[1]}").fetchone() == (True,)


@either_way
def test_a_null_is_no_value_and_has_its_place(warehouse, hashing):
    number = SqlType("integer")
    rows = [("NULL", "1"), ("1", "NULL"), ("NULL", "NULL"), ("0", "1"), ("1", "0")]
    hashes = [hashing.of_row([hashing.canonical(value, number) for value in row]) for row in rows]
    assert warehouse.execute(f"SELECT count(DISTINCT hash) FROM unnest(ARRAY[{', '.join(hashes)}]) AS hash").fetchone() == (5,)
