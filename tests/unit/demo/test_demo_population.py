import re
from collections import Counter
from random import Random
from statistics import median

import pytest

from demo.identifiers import identifier
from demo.population import Population


def drawn(families, draws):
    population, rng = Population(3, families), Random(11)
    return Counter(population.draw_family(rng).family_id for _ in range(draws))


def test_equal_seeds_give_equal_families_and_another_seed_gives_others():
    first, again, other = Population(5, 50), Population(5, 50), Population(6, 50)
    assert [first.family(rank) for rank in range(50)] == [again.family(rank) for rank in range(50)]
    assert {first.family(rank).family_id for rank in range(50)}.isdisjoint(other.family(rank).family_id for rank in range(50))


@pytest.mark.parametrize("families", [200, 2000, 20_000])
def test_a_few_families_have_hundreds_of_evaluations_and_most_have_a_few(families):
    counts = sorted(drawn(families, draws=10 * families).values(), reverse=True)
    assert 200 < counts[0] < 800
    assert 2 <= median(counts) <= 6


def test_a_population_of_one_family_draws_that_family():
    assert drawn(1, draws=20) == {Population(3, 1).family(0).family_id: 20}


def test_members_belong_to_one_family_only():
    population = Population(1, 500)
    members = [member for rank in range(500) for member in population.family(rank).member_ids]
    assert len(members) == len(set(members))
    assert {len(population.family(rank).member_ids) for rank in range(500)} >= {1, 2, 3, 4, 5, 6, 8}


def test_no_identifier_reads_like_an_aadhaar_or_mobile_number():
    texts = [str(identifier("family", number)) for number in range(20_000)]
    assert not [text for text in texts if re.search(r"\d{10}", text)]
    assert len(set(texts)) == len(texts)


def test_an_identifier_is_the_same_on_every_machine():
    assert str(identifier("family", 1, 0)) == "0df4ffb1-a6ec-494d-9bf8-c1f63a693d35"


def test_a_family_evaluates_a_part_of_the_catalogue_again_and_again():
    family, rng = Population(1, 10).family(0), Random(2)
    codes = Counter(family.draw_scheme(rng).code for _ in range(300))
    assert 10 <= len(codes) <= 30
    assert codes.most_common(1)[0][1] > 30


@pytest.mark.parametrize("rank", [-1, 10])
def test_a_rank_outside_the_population_is_refused(rank):
    with pytest.raises(IndexError, match=rf"rank {rank} is outside 0\.\.9"):
        Population(1, 10).family(rank)


def test_a_population_without_families_is_refused():
    with pytest.raises(ValueError, match="families is 0"):
        Population(1, 0)
