"""The rules of a target follow from the definition."""

from flows.registry import CAPTURED, flow_named
from reconcile.rules import LINK, rules_of, shown_key


def names(flow):
    return {rule.name for rule in rules_of(flow_named(flow))}


def test_each_mask_is_a_rule():
    masked = {(flow.name, column) for flow in CAPTURED for column in flow.masked_columns}
    assert masked == {("golden_records", "jan_aadhaar"), ("profile_summary", "income_category")}
    assert all(f"{column} is masked" in names(flow) for flow, column in masked)


def test_what_is_required_or_has_a_default_is_filled():
    assert {"record_id is filled", "gender is filled"} <= names("golden_records")
    assert "city is filled" not in names("golden_records")
    assert not any(name.endswith("is filled") for name in names("profile_updates")), "others write these records, too"


def test_known_values_bounds_and_places_are_rules_of_hints():
    assert {
        "eligibility_status is a known value",
        "eligibility_score is in its bounds",
        "confidence is in its bounds",
        "rank counts from 1 to 5 without a gap",
    } <= names("eligibility_hints")


def test_links_references_and_types_of_facts_are_rules():
    assert {LINK, "scheme_code is known", "event_type is a known value", "event_type fits status"} <= names("application_events")
    assert LINK in names("document_metadata")
    assert "family_id is known" in names("profile_summary")
    assert "district_id is known" in names("profile_updates")


def test_rows_are_named_without_a_private_value():
    for flow in CAPTURED:
        private = {column.name for column in flow.target.columns if column.clear and flow.source.column(column.source).private}
        assert not any(f"t.{name}" in shown_key(flow) for name in private)
