"""The pages as a browser gets them."""

import json
import re
from dataclasses import replace

import faust
import pytest
from aiohttp.test_utils import TestClient, TestServer

from sinks.operations.flow_control import FlowStatus
from tests.unit.views.markup import Tags
from tests.unit.views.operating import sessions
from tests.unit.views.world import FLOW, NOON, TOPIC, state, worker_row
from views.site import mount

HOSTILE = "</td><script>alert('1')</script><img src=x onerror=alert(2)> & \" '"
PATHS = ["/", "/partials/overview", "/api/overview.json", "/static/style.css", "/static/live.js", "/nowhere"]


class FaultyMapping:
    """Stands for a programming error in what the pages are given."""

    def __iter__(self):
        raise RuntimeError("a detail of the fault")


async def test_the_page_shows_the_worker_its_flows_and_the_others(page):
    text = await page()
    for wanted in ("Worker worker-a", FLOW, "21.4 ms", "48.9 ms", "Nothing needs attention", "warehouse", "18.1", "3.0 s ago"):
        assert wanted in text
    assert {"worker-a", "worker-b", "15.0/s", "182 MiB"} <= set(re.split(r"[<>]", await page("/workers")))
    assert "2025-01-15 20:00:00 UTC · 01:30:00 IST (+1 day)" in text


async def test_the_fragment_is_the_changing_part_of_the_page_and_nothing_else(page):
    whole, fragment = await page(), await page("/partials/overview")
    assert fragment.strip() in whole
    assert "<html" not in fragment
    assert "<script" not in fragment


@pytest.mark.parametrize("path", ["/", "/partials/overview"])
async def test_a_page_is_well_formed_and_its_identifiers_are_unique(world, page, path):
    world.rows += [worker_row(name, state(range(2)), silent=1000) for name in ("title", "nobody", "unowned", "a b")]
    tags = Tags(await page(path))
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))


async def test_nothing_in_a_page_needs_a_looser_policy(page):
    tags = Tags(await page())
    assert "style" not in tags.names
    assert not [name for name in tags.attributes if name == "style" or name.startswith("on")]
    assert tags.names.count("script") == 1


async def test_text_from_elsewhere_is_text_wherever_it_stands(world, page):
    world.own["partitions"][0]["last_error"] = HOSTILE
    world.own["partitions"][1] |= {"state": HOSTILE, "outcomes": {HOSTILE: 3}, "topic": HOSTILE}
    world.own["agents"].append({"flow": HOSTILE, "topic": HOSTILE})
    world.own["host"] = HOSTILE
    world.rows.append(replace(worker_row(HOSTILE, {"partitions": HOSTILE}), web_url="http://x/" + HOSTILE))
    world.control = [FlowStatus(FLOW, "stopped", HOSTILE, HOSTILE, NOON, 0)]
    for path in ("/", "/workers", f"/flows/{FLOW}"):
        text = await page(path)
        tags = Tags(text)
        assert tags.names.count("script") == 1
        assert "img" not in tags.names
        assert "onerror" not in tags.attributes
        assert "&lt;script&gt;alert(&#39;1&#39;)" in text


async def test_a_worker_without_partitions_says_so(world, page):
    world.own |= {"partitions": [], "agents": [], "flows": []}
    text = await page("/workers")
    assert "This worker owns no partition." in text
    assert "No agent runs on this worker." in text
    assert "owns no partition</td>" in text


async def test_a_stopped_flow_shows_why_who_and_when(world, page):
    world.control = [FlowStatus(FLOW, "stopped", "truncate of a source", "worker-b", NOON, 0)]
    text = await page()
    assert "truncate of a source" in text
    assert "by worker-b at" in text
    assert f'<a href="#flows">{FLOW} is stopped</a>' in text


async def test_unowned_partitions_are_marked_by_a_word(world, page):
    world.rows[1] = worker_row("worker-b", state(range(5, 10)), silent=40)
    text = await page("/workers")
    assert '<tbody role="rowgroup" id="unowned" class="unowned">' in text
    assert "</span> unowned</span>" in text
    assert "last worker-b" in text


async def test_huge_figures_stay_readable(world, page):
    huge = 2**63 - 1
    world.own["rss_bytes"] = huge
    world.own["partitions"][0] |= {"next_offset": huge, "end_offset": huge, "lag_records": huge, "lag_seconds": 1e12, "rate": 1e9}
    text = await page("/workers")
    assert "9,223,372,036,854,775,807" in text
    assert "11,574,074 d 1 h" in text
    assert "1,000,000,000/s" in text


async def test_a_worker_that_reports_almost_nothing_is_shown(world, page):
    world.own = {"name": "worker-a", "partitions": [{"flow": FLOW, "topic": TOPIC, "partition": 0}]}
    assert "</span> unknown</span>" in await page("/workers")


async def test_keys_that_wait_are_counted(world, page):
    world.waiting = {FLOW: 1234}
    assert '<td role="cell" class="number" data-label="Parked keys">1,234</td>' in await page()


async def test_a_database_that_is_silent_is_named_on_the_page(world, page):
    world.silent = {"workers", "flows", "ledger", "dead_letters"}
    text = await page()
    assert "the citizen database is not reachable" in text
    assert "Not known yet." in text
    assert "Nothing needs attention" not in text


async def test_the_document_holds_the_same_figures_as_the_page(client, world):
    world.own["partitions"][0]["last_error"] = HOSTILE
    async with client.get("/api/overview.json") as answer:
        assert answer.content_type == "application/json"
        document = json.loads(await answer.text())
    assert document["worker"]["name"] == document["name"] == "worker-a"
    assert document["at"] == "2025-01-15T20:00:00Z"
    assert document["worker"]["partitions"][0]["last_error"] == HOSTILE
    assert document["flows"][0]["outcomes"]["applied"] == 20_000
    assert [owner["name"] for owner in document["owners"]] == ["worker-a", "worker-b"]


async def test_without_scripts_the_page_reloads_itself_and_can_be_stopped(page):
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in await page("/")
    still = await page("/?live=off")
    assert "http-equiv" not in still
    assert "data-paused" in still


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_headers(client, path):
    async with client.get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static/") else "no-store")
    assert headers["Server"] == "sync"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/static/style.css", "/nowhere"])
async def test_nothing_but_reading_is_allowed(client, method, path):
    async with client.request(method, path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
        assert "Content-Security-Policy" in answer.headers


async def test_head_answers_like_get_without_a_body(client):
    async with client.head("/") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "[::2]:80",
        "[",
        "",
        "@localhost",
        "a@127.0.0.1/",
    ],
)
@pytest.mark.parametrize("path", ["/", "/static/style.css"])
async def test_a_foreign_host_name_is_refused(client, host, path):
    async with client.get(path, headers={"Host": host}) as answer:
        assert answer.status == 421
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:6066", "127.0.0.1:1", "127.9.9.9", "[::1]:6066"])
async def test_loopback_names_are_ours_on_any_port(client, host):
    async with client.get("/", headers={"Host": host}) as answer:
        assert answer.status == 200


async def test_a_name_that_was_given_is_ours(world):
    async with TestClient(TestServer(world.application(allowed_hosts=["Sync.Internal"]))) as client:
        for host, status in (("sync.internal:8080", 200), ("other.internal", 421)):
            async with client.get("/", headers={"Host": host}) as answer:
                assert answer.status == status


async def test_a_request_for_nothing_gets_a_page_that_leads_back(client):
    async with client.get("/nowhere") as answer:
        text = await answer.text()
        assert answer.status == 404
    assert '<a href="/">' in text


@pytest.mark.parametrize(
    "path", ["/static/../site.py", "/static/%2e%2e/site.py", "/static/..%2fsite.py", "/static/", "/static//etc/passwd"]
)
async def test_only_static_files_are_served(client, path):
    async with client.get(path) as answer:
        assert answer.status in {403, 404}


async def test_a_fault_in_a_page_is_logged_and_tells_the_reader_nothing_of_it(client, world, caplog):
    world.own = FaultyMapping()
    async with client.get("/") as answer:
        text = await answer.text()
        assert answer.status == 500
        assert "Content-Security-Policy" in answer.headers
    assert "a detail of the fault" not in text
    assert "a detail of the fault" in caplog.text


async def test_the_pages_stand_before_the_index_that_faust_adds(world):
    app = faust.App("views-test", broker="kafka://127.0.0.1:1", web_cors_options=None)
    web_app = app.web.web_app  # type: ignore[attr-defined]
    mount(
        web_app,
        worker=world,
        cluster=world,
        records=world.records,
        clock=world.clock,
        desk=world.desk,
        sessions=sessions(world.clock),
    )
    app.web.init_server()
    async with TestClient(TestServer(web_app)) as client, client.get("/") as answer:
        assert "Worker worker-a" in await answer.text()
