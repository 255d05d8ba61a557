from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from flows.batch_registry import BATCH_FLOWS
from flows.document import COMMAND, flow_section, page
from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from flows.registry import FLOWS
from flows.transforms import default_to

PAGE = Path(__file__).parents[3] / "docs" / "flows.md"


def test_the_page_says_what_the_definitions_say():
    assert PAGE.read_text(encoding="utf-8") == page(FLOWS, BATCH_FLOWS), f"docs/flows.md is out of date; renew it: {COMMAND}"


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_column_of_a_flow_has_its_line(flow):
    lines = flow_section(flow).splitlines()
    for column in flow.target.columns:
        assert any(line.startswith(f"| `{column.name}` | {column.type} | `{column.source}` |") for line in lines)
    for column in flow.source.columns:
        assert any(line.startswith(f"| `{column.name}` | {column.type} | {_null(column)} |") for line in lines)


def _null(column):
    return "refused" if column.required else "allowed"


def test_transforms_stand_in_the_order_in_which_they_are_applied():
    assert "| null → 0, then round to 2 decimals, half away from zero |" in flow_section(FLOW)


def test_a_range_that_is_open_above_names_its_lower_bound_only():
    columns = tuple(replace(column, maximum=None) for column in FLOW.source.columns)
    assert "| `eligibility_score` | numeric(5,4) | allowed | at least 0 |" in flow_section(
        replace(FLOW, source=replace(FLOW.source, columns=columns))
    )


def test_another_ranking_reads_otherwise():
    ranking = replace(FLOW.ranking, size=3, horizon=timedelta(hours=36))
    text = flow_section(replace(FLOW, ranking=ranking))
    assert "the 3 best per `family_id`" in text
    assert "until `evaluation_timestamp` + 129600 s" in text


def test_a_bar_in_a_value_does_not_end_its_cell():
    columns = (*FLOW.target.columns[:-1], replace(FLOW.target.columns[-1], transforms=(default_to("a | b"),)))
    assert r"null → a \| b |" in flow_section(replace(FLOW, target=replace(FLOW.target, columns=columns)))
