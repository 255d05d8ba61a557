import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from demo.identifiers import drawn_identifier, drawn_number, known_number, mobile_number, newcomer_number
from demo.names import draw_email, draw_name
from demo.people import draw_person, people
from demo.places import DISTRICTS, UNKNOWN_NAMES, spell_district
from demo.population import Population

NOW = datetime(2025, 1, 15, 6, 0, tzinfo=UTC)
POPULATION = Population(7, 300)


def test_everybody_of_every_family_is_there_once_and_follows_from_the_seed():
    everybody = list(people(POPULATION))
    assert len(everybody) == sum(len(POPULATION.family(rank).member_ids) for rank in range(300))
    for distinct in ("gr_id", "citizen_id", "number"):
        assert len({getattr(person, distinct) for person in everybody}) == len(everybody)
    assert list(people(Population(7, 300))) == everybody
    assert {person.gr_id for person in people(Population(8, 300))}.isdisjoint(person.gr_id for person in everybody)


def test_a_drawn_person_is_one_of_the_people():
    rng, everybody = Random(1), set(map(id, people(POPULATION)))
    assert all(id(draw_person(POPULATION, rng)) in everybody for _ in range(200))


@pytest.mark.parametrize("number", [known_number, newcomer_number, lambda position: drawn_number(Random(position), NOW)])
def test_a_number_has_twelve_digits_begins_with_0_or_1_and_is_nobody_elses(number):
    numbers = [number(position) for position in range(20_000)]
    assert all(re.fullmatch(r"[01]\d{11}", text) for text in numbers)
    assert len(set(numbers)) == len(numbers)


def test_numbers_of_people_and_of_newcomers_never_meet():
    assert {known_number(position)[0] for position in range(1000)} == {"0"}
    assert {newcomer_number(position)[0] for position in range(1000)} == {"1"}


def test_numbers_of_neighbours_differ_in_what_a_mask_leaves_in_clear():
    assert len({known_number(position)[-4:] for position in range(1000)}) > 900


def test_no_mobile_number_could_be_one_of_india():
    rng = Random(2)
    numbers = [mobile_number(rng) for _ in range(5000)]
    assert all(re.fullmatch(r"(\+91 )?[1-5]\d{9}", number) for number in numbers)
    assert any(number.startswith("+91") for number in numbers)


def test_every_mail_address_lies_in_a_domain_that_is_reserved_for_examples():
    rng = Random(3)
    assert all(re.fullmatch(r"[^@]+@([a-z]+\.)?example\.(com|net|org)", draw_email(rng)) for _ in range(1000))


def test_names_come_in_many_scripts_and_with_what_is_hard_to_quote():
    rng = Random(4)
    text = "".join(draw_name(rng) for _ in range(3000))
    for character in ("आ", "ச", "র", "ن", "ਗ", "\u0308", "𑄌", "'", '"', "\\"):
        assert character in text


def test_a_drawn_identifier_never_reads_like_a_persons_number():
    rng = Random(5)
    texts = [str(drawn_identifier(rng, NOW)) for _ in range(20_000)]
    assert not [text for text in texts if re.search(r"\d{10}", text)]
    assert len(set(texts)) == len(texts)


def test_the_same_draws_at_another_time_give_other_identifiers_and_numbers():
    later = NOW + timedelta(microseconds=1)
    assert drawn_identifier(Random(1), NOW) == drawn_identifier(Random(1), NOW) != drawn_identifier(Random(1), later)
    assert drawn_number(Random(1), NOW) == drawn_number(Random(1), NOW) != drawn_number(Random(1), later)


def test_a_district_is_spelled_in_many_ways_and_is_sometimes_unknown_or_missing():
    rng = Random(6)
    district = next(district for district in DISTRICTS if district.district_name == "Sawai Madhopur")
    spellings = Counter(spell_district(rng, district) for _ in range(3000))
    assert 0.01 < spellings[None] / 3000 < 0.06
    assert spellings.keys() >= {"Sawai Madhopur", "SAWAI MADHOPUR", "sawai madhopur", "  Sawai Madhopur ", *UNKNOWN_NAMES}
    known = {"".join(spelling.split()).lower() for spelling in spellings if spelling and spelling not in UNKNOWN_NAMES}
    assert known == {"sawaimadhopur"}


def test_no_two_districts_and_no_unknown_name_are_the_same_but_for_case_and_spaces():
    names = [*UNKNOWN_NAMES, *(district.district_name for district in DISTRICTS)]
    assert len({"".join(name.split()).lower() for name in names}) == len(names)


def test_less_than_half_of_the_people_use_the_portal():
    everybody = list(people(POPULATION))
    assert 0.35 < sum(person.registered for person in everybody) / len(everybody) < 0.5
