"""Each page with something to show, and with nothing."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from flows.benefit_forecasts import BENEFIT_FORECASTS
from flows.eligibility_hints import ELIGIBILITY_HINTS
from sinks.operations.jobs import Control
from tests.unit.views.full_world import PATHS, fill
from tests.unit.views.markup import Tags
from tests.unit.views.records_world import FLOW, NOON, letter, run, sample
from views.audit_page import LIMIT as AUDIT_LIMIT
from views.letters_page import LIMIT as LETTER_LIMIT

LISTS = ("/", "/jobs", "/dead-letters", "/reconciliations", "/connectors", "/workers", "/callbacks", "/audit", "/configuration")


@pytest.fixture
def full(world):
    return fill(world)


async def document_of(client, path):
    async with client.get(path) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        return json.loads(await answer.text())


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_is_well_formed_has_one_heading_and_needs_no_looser_policy(full, page, path):
    tags = Tags(await page(path))
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))
    assert tags.names.count("h1") == 1
    assert tags.names.count("script") == 1
    assert "style" not in tags.names
    assert not [name for name in tags.attributes if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("path", PATHS)
async def test_the_part_that_changes_is_served_alone_and_as_json(full, client, page, path):
    way, _, query = path.partition("?")
    slug, query = way.strip("/") or "overview", f"?{query}" if query else ""
    whole, fragment = await page(path), await page(f"/partials/{slug}{query}")
    assert fragment.strip() in whole
    assert f'data-live="/partials/{slug}{query}"' in whole
    assert (await document_of(client, f"/api/{slug}.json{query}"))["at"] == "2025-01-15T20:00:00Z"


@pytest.mark.parametrize("path", LISTS)
async def test_a_page_without_anything_says_so(page, path):
    tags = Tags(await page(path))
    assert tags.open == []


@pytest.mark.parametrize("path", [path for path in LISTS if path not in {"/", "/workers", "/callbacks", "/configuration"}])
async def test_a_database_that_is_silent_is_named_and_the_page_stands(world, client, page, path):
    world.records.silent = {"hang"}
    text = await page(path)
    assert "no answer within 2 s" in text


@pytest.mark.parametrize(
    "path", ["/flows/nothing", "/dead-letters/citizen/99", "/dead-letters/nowhere/7", "/reconciliations/none"]
)
async def test_what_does_not_exist_is_said_to_be_missing(full, client, path):
    async with client.get(path) as answer:
        text = await answer.text()
    assert answer.status == 404
    assert "There is no such" in text or "There is no flow" in text


@pytest.mark.parametrize(("silent", "path"), [("letter", "/dead-letters/citizen/7"), ("reconciliation", "/reconciliations/x")])
async def test_a_thing_whose_database_is_away_is_not_said_to_be_missing(full, client, silent, path):
    full.records.silent = {silent}
    async with client.get(path) as answer:
        assert answer.status == 503


async def test_the_flow_page_shows_charts_with_words_and_the_same_figures_as_a_table(full, page):
    text = await page(f"/flows/{FLOW}")
    assert 'aria-label="Rate in the last 6 h: last 12.0/s, between 12.0/s and 70.0/s"' in text
    assert text.count("<polyline") == 4
    assert '<td role="cell" class="number" data-label="Rate">70.0/s</td>' in text


async def test_the_flow_page_shows_its_definition(page):
    text = await page(f"/flows/{FLOW}")
    assert "Those whose evaluation_status is RULE_ELIGIBLE or POSSIBLE_ELIGIBLE." in text
    assert "eligibility.eligibility_snapshots in warehouse" in text


async def test_a_stretch_without_samples_is_a_gap_in_the_line(world, page):
    world.records.history = [sample(minutes) for minutes in (60, 58, 30, 28)]
    assert (await page(f"/flows/{FLOW}")).count("<polyline") == 8


async def test_another_span_is_drawn_when_the_reader_asks_for_it(page):
    assert '<a href="/flows/eligibility_hints?hours=24" aria-current="true">' in await page(f"/flows/{FLOW}?hours=24")
    assert '<a href="/flows/eligibility_hints?hours=6" aria-current="true">' in await page(f"/flows/{FLOW}?hours=999999999")


async def test_a_job_shows_its_last_runs_its_progress_and_its_next_run_in_both_zones(full, client, page):
    text = await page("/jobs")
    assert text.count('<span class="unseen">succeeded') == 28
    assert '<progress max="100" value="25.0" aria-label="Progress of feedback">' in text
    assert "2025-01-15 22:00:00 UTC · 03:30:00 IST (+1 day)" in text
    assert "counts look odd" in text
    jobs = (await document_of(client, "/api/jobs.json"))["jobs"]
    feedback = next(job for job in jobs if job["job"] == "feedback")
    assert [run["state"] for run in feedback["runs"][:3]] == ["running", "failed", "succeeded"]
    assert feedback["runs"][0]["share"] == 0.25


async def test_a_pause_of_all_jobs_is_one_of_each(world, page):
    world.records.job_runs = [run(3)]
    world.records.paused = {"*": Control("*", paused=True, reason="audit", changed_by="asha", changed_at=NOON)}
    text = await page("/jobs")
    assert "All jobs are paused" in text
    assert text.count("</span> paused</span> audit") == 3


async def test_letters_are_filtered_by_status_flow_and_reason(full, page):
    for query, shown in (("", [7]), ("?status=all", [7, 8]), ("?status=discarded", [8]), ("?reason=bad_json", [])):
        text = await page(f"/dead-letters{query}")
        assert [number for number in (7, 8) if f'id="letter:citizen:{number}"' in text] == shown
    assert "selected>eligibility_hints</option>" in await page(f"/dead-letters?flow={FLOW}")


async def test_many_letters_come_a_page_at_a_time(world, client, page):
    world.records.held = [letter(number) for number in range(1, LETTER_LIMIT + 51)]
    text = await page("/dead-letters")
    assert text.count('id="letter:') == LETTER_LIMIT
    assert f"database=citizen&amp;after={LETTER_LIMIT}" in text
    second = await document_of(client, f"/api/dead-letters.json?database=citizen&after={LETTER_LIMIT}")
    assert [each["letter"]["id"] for each in second["letters"]] == list(range(LETTER_LIMIT + 1, LETTER_LIMIT + 51))


@pytest.mark.parametrize("path", ["/dead-letters?reason=%00", "/reconciliations/%00", "/flows/%00"])
async def test_what_no_database_can_hold_is_refused(full, client, path):
    async with client.get(path) as answer:
        assert answer.status == 400


async def test_a_number_that_is_none_does_not_reach_the_database(full, client):
    async with client.get("/dead-letters/citizen/²") as answer:
        assert answer.status == 404
    async with client.get("/dead-letters?after=99999999999999999999999") as answer:
        assert answer.status == 200


async def test_the_audit_goes_back_page_by_page(world, client, page):
    deed = fill(world).records.deeds[0]
    world.records.deeds = [replace(deed, id=-number, at=NOON - timedelta(minutes=number)) for number in range(AUDIT_LIMIT + 30)]
    first = await document_of(client, "/api/audit.json")
    assert len(first["lines"]) == AUDIT_LIMIT
    second = await document_of(client, f"/api/audit.json?before={first['older']}")
    assert len(second["lines"]) == 30
    assert second["older"] is None


async def test_a_time_that_is_none_shows_the_newest_lines(full, page):
    assert "the target is rebuilt" in await page("/audit?before=yesterday")


async def test_a_slot_is_judged_by_its_share_of_what_it_may_keep(full, client, page):
    assert "60.0 %" in await page("/connectors")
    assert (await document_of(client, "/api/connectors.json"))["slots"][0]["level"] == "warning"


async def test_flows_of_callbacks_have_their_page(world):
    application = world.application(flows=[ELIGIBILITY_HINTS, BENEFIT_FORECASTS])
    async with TestClient(TestServer(application)) as client, client.get("/callbacks") as answer:
        text = await answer.text()
    assert "POST /callbacks/forecasts" in text
    assert 'id="callback:eligibility_hints"' not in text


async def test_a_run_of_the_reconciliation_is_the_same_on_its_page_and_in_its_document(full, client, page):
    text = await page("/reconciliations/2025-01-12T03")
    assert "family-1" in text
    assert (await document_of(client, "/api/reconciliations/2025-01-12T03.json"))["run"]["flows"][0]["compared"] == 1000
