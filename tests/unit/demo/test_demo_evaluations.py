import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise

import pytest

from demo.catalogue import schemes
from demo.evaluations import HISTORY, STATUS_WEIGHTS, history
from demo.population import Population
from demo.scheme_rows import scheme_rows

NOW = datetime(2025, 1, 15, 6, 0, tzinfo=UTC)
POPULATION = Population(7, 1000)


@pytest.fixture(scope="module")
def rows():
    return list(history(POPULATION, 20_000, NOW))


def test_equal_seeds_give_equal_histories_and_another_seed_gives_another(rows):
    assert list(history(Population(7, 1000), 20_000, NOW)) == rows
    assert next(history(Population(8, 1000), 20_000, NOW)) != rows[0]


def test_a_history_is_streamed_and_never_held_as_a_whole():
    assert len(list(islice(history(POPULATION, 10**15, NOW), 3))) == 3


def test_scores_are_null_or_lie_in_0_to_1_with_four_decimals(rows):
    scores = [score for row in rows for score in (row.eligibility_score, row.confidence_score)]
    numbers = [score for score in scores if score is not None]
    assert 0.01 < 1 - len(numbers) / len(scores) < 0.1
    assert all(0 <= score <= 1 and score.as_tuple().exponent == -4 for score in numbers)
    assert {Decimal("0.0000"), Decimal("1.0000")} <= set(numbers)


def test_many_scores_are_tied_and_many_lie_halfway_between_two_decimals(rows):
    scores = Counter(row.eligibility_score for row in rows if row.eligibility_score is not None)
    assert scores[Decimal("0.8500")] > 100
    assert sum(count for score, count in scores.items() if int(score * 10_000) % 100 == 50) > 1000


def test_every_status_comes_about_as_often_as_its_weight(rows):
    counts = Counter(row.evaluation_status for row in rows)
    assert counts.keys() == STATUS_WEIGHTS.keys()
    total = sum(STATUS_WEIGHTS.values())
    for status, weight in STATUS_WEIGHTS.items():
        assert counts[status] / len(rows) == pytest.approx(weight / total, rel=0.15)


def test_evaluations_concern_a_member_of_the_family_or_the_family_as_a_whole(rows):
    members = {family.family_id: family.member_ids for family in map(POPULATION.family, range(1000))}
    of_members = [row for row in rows if row.member_id]
    assert all(row.member_id in members[row.family_id] for row in of_members)
    assert 0.2 < 1 - len(of_members) / len(rows) < 0.4


def test_one_scheme_is_evaluated_repeatedly_for_one_member(rows):
    counts = Counter((row.family_id, row.scheme_code, row.member_id) for row in rows)
    assert sum(count > 1 for count in counts.values()) > 1000


def test_evaluations_span_the_last_40_days_and_reach_the_edge_of_30(rows):
    ages = [NOW - row.evaluation_timestamp for row in rows]
    assert timedelta(0) <= min(ages) < timedelta(hours=1)
    assert timedelta(days=39, hours=12) < max(ages) <= HISTORY
    assert sum(abs(age - timedelta(days=30)) < timedelta(hours=6) for age in ages) > 50
    assert all(row.evaluation_timestamp <= row.updated_at <= NOW for row in rows)


def test_some_evaluations_share_their_timestamp_and_some_arrive_late(rows):
    moments = [row.evaluation_timestamp for row in rows]
    assert max(Counter(moments).values()) > 50
    assert any(later < earlier for earlier, later in pairwise(moments))


def test_explanations_are_missing_empty_short_and_longer_than_500_code_points(rows):
    lengths = Counter(None if row.explanation is None else len(row.explanation) for row in rows)
    assert lengths.keys() >= {None, 0, 499, 500, 501, 3000}
    assert lengths[None] > 500
    assert sum(count for length, count in lengths.items() if length and length > 500) > 200


def test_explanations_hold_many_scripts_and_what_is_hard_to_quote(rows):
    text = "".join(row.explanation or "" for row in rows)
    for character in ("आ", "த", "ক", "ک", "\u0301", "\u200d", "👩", '"', "\\", "\n", "\t"):
        assert character in text
    assert "\0" not in text
    text.encode()


def test_scheme_codes_are_those_of_the_catalogue(rows):
    assert {row.scheme_code for row in rows} == {scheme.code for scheme in schemes()}


def test_no_text_holds_a_number_that_could_be_a_persons(rows):
    texts = [str(value) for row in (*rows, *scheme_rows(NOW)) for value in row if not isinstance(value, datetime)]
    assert len(texts) > 100_000
    assert not [text for text in texts if re.search(r"\d{10}", text)]


def test_no_explanation_holds_a_number_grouped_like_a_persons(rows):
    assert not [row for row in rows if re.search(r"\d[ -]?\d{4}[ -]?\d{4}", row.explanation or "")]
