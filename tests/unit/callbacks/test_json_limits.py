"""The scan agrees with a parser on every document that is one, whatever its text looks like."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks.json_limits import MAX_DEPTH, check_json_limits
from callbacks.problems import ProblemError

TEXTS = st.text(alphabet=st.sampled_from('[]{}"\\,:a0é\n'), max_size=8)
DOCUMENTS = st.recursive(
    TEXTS | st.integers(-(10**20), 10**20) | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=60,
)


def depth(value):
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def passes(body):
    try:
        check_json_limits(body)
    except ProblemError:
        return False
    return True


@given(DOCUMENTS, st.integers(0, MAX_DEPTH + 1), st.booleans())
def test_depth_is_what_a_parser_finds(document, extra, ascii_only):
    for _ in range(extra):
        document = [document]
    body = json.dumps(document, ensure_ascii=ascii_only).encode()
    assert passes(body) == (depth(document) <= MAX_DEPTH)


@given(st.text(), st.text())
def test_the_character_that_no_column_can_hold_is_found_wherever_it_stands(before, after):
    text = before + after
    assert passes(json.dumps({text: text}).encode()) == ("\x00" not in text)
    assert not passes(json.dumps([before + "\x00" + after]).encode())


@given(st.binary(max_size=200))
def test_no_bytes_break_the_scan(body):
    passes(body)


@pytest.mark.parametrize("part", [b'"', b'"\\', b"[]", b"\\", b"1", b'"a\\', b'\\"', b'"",'])
@pytest.mark.timeout(5)
def test_no_body_makes_the_scan_slow(part):
    passes(part * (262_144 // len(part)))
    passes(b'"' + part * (262_144 // len(part)))
