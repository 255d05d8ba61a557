import json
from datetime import UTC, datetime

from demo.catalogue import schemes
from demo.scheme_rows import scheme_rows

NOW = datetime(2025, 1, 15, 6, 0, tzinfo=UTC)


def test_the_catalogue_has_200_schemes_of_distinct_code_name_and_identifier():
    catalogue = schemes()
    assert len(catalogue) == 200
    for values in ({s.code for s in catalogue}, {s.name for s in catalogue}, {s.scheme_id for s in catalogue}):
        assert len(values) == 200


def test_codes_fit_their_column_and_sort_differently_by_byte_and_by_language():
    codes = [scheme.code for scheme in schemes()]
    assert max(map(len, codes)) <= 50
    assert all(code.isascii() and " " not in code for code in codes)
    assert sorted(codes) != sorted(codes, key=str.casefold)


def test_scheme_rows_follow_the_catalogue_and_some_are_not_active():
    rows = list(scheme_rows(NOW))
    assert [row.scheme_code for row in rows] == [scheme.code for scheme in schemes()]
    statuses = [row.status for row in rows]
    assert set(statuses) == {"ACTIVE", "INACTIVE", "DRAFT"}
    assert statuses.count("ACTIVE") > 180


def test_scheme_documents_are_json_and_times_lie_in_the_past():
    for row in scheme_rows(NOW):
        assert set(json.loads(row.eligibility_criteria)) == {"max_income_lakh", "min_age"}
        assert json.loads(row.benefits)[0]["amount"] > 0
        assert json.loads(row.documents_required)
        assert row.updated_at <= NOW
