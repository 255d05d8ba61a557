"""The search of the privacy test can find what it looks for: in every form, wherever it is cut, and nothing else."""

import base64

import pytest

from tests.support.canaries import Canary
from tests.support.canary_search import Hit, Search, alternation

WORD, MOBILE = "canary0a1b2c3d4e", "+91-98765-43210"
FORMS = {
    "as it is": (WORD, "plain", lambda value: value),
    "hexadecimal": (WORD, "hex", bytes.hex),
    "hexadecimal in capitals": (WORD, "hex", lambda value: value.hex().upper()),
    "base64": (WORD, "base64", base64.b64encode),
    "base64, a byte later": (WORD, "base64", lambda value: base64.b64encode(b"x" + value)),
    "base64, two bytes later": (WORD, "base64", lambda value: base64.b64encode(b"xy" + value)),
    "base64 inside of more": (WORD, "base64", lambda value: base64.b64encode(b"before " + value + b" behind")),
    "digits only": (MOBILE, "digits", lambda _: "919876543210"),
    "digits without the country": (MOBILE, "digits", lambda _: "9876543210"),
}


def search_for(*values, places=frozenset()):
    return Search([Canary(value, value, places) for value in values])


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize(("value", "form", "written"), FORMS.values(), ids=FORMS)
def test_a_value_is_found_in_every_form_wherever_the_bytes_are_cut(value, form, written, size):
    leak = written(value.encode())
    text = b"nothing " * 9 + (leak.encode() if isinstance(leak, str) else leak) + b" nothing"
    search = search_for(WORD, MOBILE, "canary0a1b2cffff")
    scan = search.of("here")
    for start in range(0, len(text), size):
        scan.feed(text[start : start + size])
    assert search.hits == {Hit(value, form, "here")}


def test_all_of_many_values_are_found_in_one_pass():
    values = [f"canary{number:04}-digits" for number in range(500)]
    search = search_for(*values)
    search.of("here").feed(" ".join(values).encode())
    assert {hit.canary for hit in search.hits} == set(values)


def test_a_value_that_begins_another_is_found_and_so_is_the_other():
    search = search_for("canary12345", "canary123456789")
    search.of("here").feed(b"canary123456789 canary12345")
    assert {hit.canary for hit in search.hits} == {"canary12345", "canary123456789"}


def test_values_that_one_form_cannot_tell_apart_are_refused():
    with pytest.raises(ValueError, match=r"canary12345678b and canary12345678a look the same in base64"):
        search_for("canary12345678a", "canary12345678b")


def test_where_a_value_may_stand_it_is_no_leak():
    search = search_for(WORD, places=frozenset({"its place"}))
    for place in ("its place", "another"):
        search.of(place).feed(WORD.encode())
    assert (search.hits, search.allowed) == ({Hit(WORD, "plain", "another")}, {Hit(WORD, "plain", "its place")})


def test_parts_that_do_not_belong_together_make_no_value():
    search = search_for(WORD)
    search.of("here").feed_all([WORD[:8].encode(), WORD[8:].encode()])
    assert search.hits == set()


def test_the_expression_escapes_what_expressions_read():
    assert alternation([b"a.b", b"a.c", b"a.b*"]) == rb"a\.(?:b(?:\*)?|c)"
