"""Every page in a real browser: accessible in both themes, on a phone, by keyboard, and without a private value."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from tests.unit.views.full_world import PATHS, fill
from tests.unit.views.records_world import FLOW, letter, sample

PHONE = {"viewport": {"width": 320, "height": 640}}
DESK = {"viewport": {"width": 1280, "height": 800}}

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def full(world):
    return fill(world)


async def faults(page):
    """What is wrong with the page as it stands, at the width that it has."""
    found = await Axe().run(page)
    sideways = await page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return [*(["scrolls sideways"] if sideways else []), *([found.generate_report()] if found.violations_count else [])]


@pytest.mark.parametrize(("place", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone, light", "desk, dark"])
async def test_every_page_is_accessible_and_never_scrolls_sideways(reader, place, scheme):
    async with reader(**place, color_scheme=scheme) as page:
        origin, wrong = page.url, []
        for path in PATHS:
            await page.goto(f"{origin}{path.lstrip('/')}{'&' if '?' in path else '?'}live=off")
            for details in await page.locator("details").all():
                await details.evaluate("element => element.open = true")
            wrong += [(path, fault) for fault in await faults(page)]
        assert wrong == []


async def test_every_page_of_the_navigation_is_reached_by_keyboard_alone(reader):
    async with reader(**DESK) as page:
        links = page.get_by_role("navigation", name="Pages").get_by_role("link")
        names = [await link.inner_text() for link in await links.all()]
        for name in names:
            while await page.evaluate("document.activeElement.textContent") != name:
                await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")
            await expect(page.locator("nav [aria-current=page]")).to_have_text(name)
        assert len(names) == 9


async def test_letters_are_filtered_by_keyboard_alone(world, reader):
    world.records.held += [letter(9, reason="bad_json")]
    async with reader("dead-letters", **DESK) as page:
        await page.get_by_role("textbox", name="Reason").focus()
        await page.keyboard.type("bad_json")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile("reason=bad_json"))
        await expect(page.locator("[id='letter:citizen:9']")).to_be_visible()
        await expect(page.locator("[id='letter:citizen:7']")).to_have_count(0)


async def test_what_a_reader_types_into_a_filter_outlives_a_refresh(world, reader):
    async with reader("dead-letters", **DESK) as page:
        await page.get_by_role("textbox", name="Reason").fill("half a wo")
        async with page.expect_response("**/partials/dead-letters*"):
            pass
        await expect(page.get_by_role("textbox", name="Reason")).to_have_value("half a wo")


async def test_a_chart_moves_on_and_an_opened_table_stays_open(world, reader):
    async with reader(f"flows/{FLOW}", **DESK) as page:
        await page.get_by_text("The same figures as a table").click()
        world.records.history = [*world.records.history, sample(1, rate=512.0)]
        await expect(page.get_by_role("img", name="Rate in the last 6 h: last 512/s")).to_be_visible(timeout=10_000)
        await expect(page.get_by_role("cell", name="512/s")).to_be_visible()


async def test_the_sign_of_a_run_is_told_to_who_does_not_see_it(reader):
    async with reader("jobs", **DESK) as page:
        row = page.get_by_role("row", name="feedback").first
        await expect(row.get_by_role("listitem").last).to_have_text("●running, 2025-01-15 20:00:00 UTC · 01:30:00 IST (+1 day)")
