"""The page in a real browser while the figures behind it change."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from sinks.operations.flow_control import FlowStatus
from tests.unit.views.world import FLOW, NOON, state, worker_row

PHONE = {"viewport": {"width": 320, "height": 640}}
DESK = {"viewport": {"width": 1280, "height": 800}}
FRAGMENTS = "**/partials/overview"
WORKERS = "workers"

pytestmark = pytest.mark.timeout(60)


def trouble(world):
    """Everything at once that can look bad."""
    huge = 2**63 - 1
    text = "UniqueViolation: <script>document.title = 'taken'</script> " + "x" * 900
    world.own["partitions"][2] |= {"state": "stopped", "last_error": text, "lag_seconds": 412.5, "lag_records": huge}
    world.own["partitions"][3] |= {"state": "waiting", "lag_seconds": 72.0, "next_offset": huge, "end_offset": huge, "rate": 1e9}
    world.rows.append(worker_row("worker-" + "c" * 80, state(range(3)), silent=8000))
    world.rows[1] = worker_row("worker-b", {"partitions": "none"})
    world.control = [FlowStatus(FLOW, "stopped", "truncate of eligibility.eligibility_snapshots", "worker-a", NOON, 0)]
    world.letters = {FLOW: 1234}
    world.own["flows"][0]["p99_ms"] = 9000
    world.silent = {"dead_letters"}


async def test_figures_change_without_a_reload_while_focus_and_scroll_stay(world, reader):
    async with reader(WORKERS, **DESK) as page:
        await page.evaluate("window.neverReloaded = true")
        link = page.get_by_role("link", name="worker-b")
        await link.focus()
        await page.evaluate("window.scrollTo(0, 300)")
        world.own["partitions"][0]["rate"] = 4321.0
        world.rows.insert(1, worker_row("worker-aa", state(range(0))))
        await expect(page.locator("#worker dd").first).to_have_text("4,334/s")
        await expect(page.get_by_role("rowheader", name="worker-aa").first).to_be_attached()
        await expect(link).to_be_focused()
        assert await page.evaluate("[window.neverReloaded, window.scrollY > 200]") == [True, True]


async def test_what_vanishes_on_the_server_vanishes_from_the_page(world, reader):
    async with reader(WORKERS, **DESK) as page:
        await expect(page.locator("[id='worker:worker-b']")).to_be_visible()
        del world.rows[1]
        await expect(page.locator("[id='worker:worker-b']")).to_have_count(0)
        await expect(page.locator("#unowned")).to_be_visible()


async def test_a_paused_page_asks_for_nothing_until_it_is_resumed(reader):
    async with reader(**DESK, frozen_clock=True) as page, counted(page) as asked:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        button = page.get_by_role("button", name="Pause updates")
        while not await button.evaluate("element => element === document.activeElement"):
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Resume updates")).to_be_focused()
        await page.clock.run_for(10_000)
        assert asked == []
        await page.keyboard.press("Enter")
        async with page.expect_response(FRAGMENTS):
            await page.clock.run_for(1)


async def test_a_hidden_tab_asks_for_nothing_and_catches_up_when_it_is_seen(reader):
    async with reader(**DESK, frozen_clock=True) as page, counted(page) as asked:
        await page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await page.clock.run_for(60_000)
        assert asked == []
        await page.evaluate("delete document.hidden")
        async with page.expect_response(FRAGMENTS):
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            await page.clock.run_for(1)


async def test_a_server_that_refuses_is_named_with_the_time_until_it_answers_again(reader):
    async with reader(**DESK, frozen_clock=True, expect_errors=True) as page:
        await page.route(FRAGMENTS, lambda route: route.abort())
        async with page.expect_event("requestfailed"):
            await page.clock.run_for(1000)
        banner = page.get_by_role("status").filter(has_text="No answer since")
        await expect(banner).to_contain_text("No answer since 20:00:00 UTC · 01:30:00 IST.")
        await page.unroute(FRAGMENTS)
        async with page.expect_response(FRAGMENTS):
            await page.clock.run_for(5000)
        await expect(banner).to_have_count(0)


async def test_a_server_that_never_answers_is_given_up_after_four_seconds(reader):
    async with reader(**DESK, frozen_clock=True, expect_errors=True) as page:
        held = asyncio.Event()

        async def hold(route):
            held.set()

        await page.route(FRAGMENTS, hold)
        await page.clock.run_for(1000)
        await held.wait()
        await page.clock.run_for(3999)
        assert await page.get_by_text("No answer since").count() == 0
        await page.clock.run_for(1)
        await expect(page.get_by_text("No answer since 20:00:00 UTC")).to_be_visible()


async def test_hostile_text_stays_text_also_after_a_refresh(world, reader):
    async with reader(WORKERS, **DESK) as page:
        trouble(world)
        await expect(page.get_by_text("<script>document.title").first).to_be_visible()
        await expect(page).to_have_title("Workers and partitions · Smart sync")
        assert await page.locator("main script").count() == 0


async def test_the_page_can_be_read_without_scripts(reader):
    async with reader("workers?live=off", java_script_enabled=False, **PHONE) as page:
        await expect(page.get_by_role("heading", name="Partition map")).to_be_visible()
        await expect(page.get_by_role("link", name="Reload it every 5 seconds")).to_be_visible()
        await expect(page.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(247, 248, 250)"), ("dark", "rgb(16, 20, 26)")])
async def test_the_page_is_accessible_and_never_scrolls_sideways(world, reader, scheme, ground):
    trouble(world)
    async with reader(**PHONE, color_scheme=scheme) as page:
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        phone = await Axe().run(page)
        assert phone.violations_count == 0, phone.generate_report()
        await page.set_viewport_size(DESK["viewport"])
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def test_the_page_is_accessible_on_a_wide_screen(reader):
    async with reader(**DESK) as page:
        desk = await Axe().run(page)
        assert desk.violations_count == 0, desk.generate_report()


async def test_the_page_keeps_its_table_meaning_on_a_phone(reader):
    async with reader(WORKERS, **PHONE) as page:
        table = page.get_by_role("table", name="Every worker of the group as it reported last")
        await expect(table.get_by_role("columnheader", name="Last report")).to_be_attached()
        await expect(table.get_by_role("row").nth(2).get_by_role("rowheader")).to_have_text("worker-b")


@asynccontextmanager
async def counted(page):
    """Addresses of the fragments that the page asks for from now on."""
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/partials/" in request.url else None)
    yield asked
