"""A transform has two renderings; PostgreSQL is asked whether they agree, value by value."""

import json
import random
import re
from decimal import Decimal

import pytest

from flows.masks import AADHAAR, EMAIL, MOBILE, constant
from flows.registry import FLOWS

COLUMNS = [
    pytest.param(flow, column, id=f"{flow.name}.{column.name}")
    for flow in FLOWS
    for column in flow.target.columns
    if column.transforms
]
SHORT = 20
ALPHABET = "aZ0 '\"\\éß\u0301ह\u094dि漢👩🏽\u200d🌾\U0001d4b3\n\t"


def numbers(draw, scale):
    edges = [None, "0", "1", "0.005", "0.0050", "0.0049", "0.9950", "0.9949", "0.1250", "0.1350"]
    return edges + [str(Decimal(draw.randrange(10**scale + 1)).scaleb(-scale)) for _ in range(2000)]


def texts(draw):
    edges = [None, "", "x" * 499, "x" * 500, "x" * 501, "👩🏽\u200d🌾" * 200]
    return edges + ["".join(draw.choices(ALPHABET, k=draw.choice([3, 400, 499, 500, 501, 700]))) for _ in range(500)]


def values_of(source, draw):
    if source.base == "numeric":
        return numbers(draw, source.sizes[1])
    longest = source.sizes[0] if source.sizes else None
    return [text if text is None else text[:longest] for text in texts(draw)]


@pytest.mark.parametrize(("flow", "column"), COLUMNS)
def test_python_and_sql_give_the_same_to_the_last_digit_and_code_point(citizen, flow, column):
    source = flow.source.column(column.source).sql_type
    values = values_of(source, random.Random(7))
    statement = f"""
        SELECT (x.v)::{column.type}::text FROM json_array_elements_text(%s::json) WITH ORDINALITY AS given(text, place),
        LATERAL (SELECT {column.sql(f"given.text::{source}")} AS v) AS x ORDER BY place
        """
    found = [value for (value,) in citizen.execute(statement, (json.dumps(values),))]
    expected = [column.value(Decimal(value) if value is not None and source.base == "numeric" else value) for value in values]
    assert found == [None if value is None else str(value) for value in expected]
    results = column.transforms[-1].results
    assert not results or {*found} <= {*results}


@pytest.mark.parametrize("mask", [AADHAAR, EMAIL, MOBILE, constant("HIDDEN")], ids=lambda mask: mask.name)
def test_masks_are_the_same_in_both_and_never_show_more_than_four_characters_of_anything_but_a_domain(citizen, mask):
    draw = random.Random(11)
    addresses = ["a@b", "@", "@example.org", "x@", "ravi.kumar@example.org", "a@b@example.org", "क@example.org"]
    values = [
        None,
        "1234567",
        "12345678",
        "123456789012",
        *addresses,
        *texts(draw)[1:],
        *("".join(draw.choices("ab1@.", k=12)) for _ in range(300)),
    ]
    statement = f"""
        SELECT {mask.sql("given.text")}
        FROM json_array_elements_text(%s::json) WITH ORDINALITY AS given(text, place) ORDER BY place
        """
    found = [value for (value,) in citizen.execute(statement, (json.dumps(values),))]
    assert found == [mask.python(value) for value in values]
    assert all(re.fullmatch(mask.shown.strip("^$"), shown, re.DOTALL) for shown in found if shown is not None)
    outside = "SELECT count(*) FROM json_array_elements_text(%s::json) AS shown(text) WHERE text !~ %s"
    assert citizen.execute(outside, (json.dumps(found), mask.shown)).fetchone() == (0,)
    for value, shown in [pair for pair in zip(values, found, strict=True) if len(pair[0] or "") <= SHORT]:
        hidden = (shown or "").rpartition("@")[0] if mask is EMAIL and "@" in (shown or "") else shown or ""
        assert longest_common(hidden, value or "") <= 4


def longest_common(shown, value):
    """The longest run of characters of the value that is shown."""
    return max((n for n in range(len(value) + 1) for at in range(len(value) - n + 1) if value[at : at + n] in shown), default=0)
