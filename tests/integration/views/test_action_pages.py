"""The sign-in and the forms in a real browser, before a desk that only remembers."""

import re
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from tests.unit.views.operating import ASHA, BINA
from tests.unit.views.world import FLOW

PHONE = {"viewport": {"width": 320, "height": 640}}
DESK = {"viewport": {"width": 1280, "height": 800}}
PAUSE = f"actions/pause-flow?flow={FLOW}&back=/actions"
PLACES = ["sign-in", "actions", PAUSE, "actions/run-job", "actions/replay-partition", "actions/discard-letters"]

pytestmark = pytest.mark.timeout(60)


async def sign_in(page, token):
    await page.goto(re.sub(r"(//[^/]+/).*", r"\1sign-in?next=/actions", page.url))
    await page.get_by_label("Your token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Actions", exact=True)).to_be_visible()


async def order(page, reason="disk swap"):
    await page.get_by_label("Reason").fill(reason)
    await page.get_by_label("Yes, do this now").check()
    await page.locator("main button").click()


async def test_an_operator_signs_in_acts_and_signs_out_without_any_script(world, reader, address):
    async with reader("actions", java_script_enabled=False, **DESK) as page:
        await page.get_by_role("link", name="Pause a flow").click()
        await expect(page).to_have_url(re.compile("/sign-in"))
        await page.get_by_label("Your token").fill(ASHA)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", name="Pause a flow")).to_be_visible()
        await expect(page.get_by_role("status")).to_have_text("You are signed in as asha.")
        await order(page)
        await expect(page).to_have_url(f"{address}actions")
        await expect(page.get_by_role("status")).to_have_text("done: Pause a flow")
        await page.reload()
        await expect(page.get_by_role("status")).to_have_count(0)
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert [(order.who.name, order.reason, order.values) for order in world.desk.orders] == [
        ("asha", "disk swap", {"flow": FLOW})
    ]
    assert [note[3] for note in world.desk.notes] == ["sign in", "sign out"]


async def test_everything_can_be_done_by_keyboard_alone(world, reader):
    async with reader(PAUSE, **DESK) as page:
        await tab_to(page, "token")
        await page.keyboard.type(ASHA)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Pause a flow")).to_be_visible()
        await tab_to(page, "reason")
        await page.keyboard.type("disk swap")
        await tab_to(page, "confirmed")
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("done: Pause a flow")
    assert len(world.desk.orders) == 1


async def test_what_is_wrong_is_announced_focused_and_leads_to_its_field(world, reader):
    async with reader(PAUSE, expect_errors=True, **DESK) as page:
        await sign_in(page, ASHA)
        await page.get_by_role("link", name="Pause a flow").click()
        await page.locator("main button").click()
        alert = page.get_by_role("alert")
        await expect(alert).to_be_focused()
        await expect(page).to_have_title(re.compile("^Problem: "))
        await alert.get_by_role("link", name="Reason").click()
        await expect(page.get_by_label("Reason")).to_be_focused()
        await expect(page.get_by_label("Reason")).to_have_accessible_description(re.compile("Kept in the audit.*say in one line"))
        world.desk.refusal = "it is stopped already"
        await order(page)
        await expect(alert).to_contain_text("This did not succeed: it is stopped already.")
        await expect(page.get_by_label("Reason")).to_have_value("disk swap")
    assert world.desk.orders == []


async def test_a_role_that_is_not_enough_is_told_so(world, reader):
    async with reader(expect_errors=True, **DESK) as page:
        await sign_in(page, ASHA)
        await page.get_by_role("link", name="Give dead letters up").click()
        await expect(page.locator("main")).to_contain_text("this needs the role admin; asha is operator")
        await page.context.clear_cookies()
        await sign_in(page, BINA)
        await page.get_by_role("link", name="Give dead letters up").click()
        await page.get_by_label("Numbers").fill("17, 18")
        await order(page)
        await expect(page.get_by_role("status")).to_have_text("done: Give dead letters up")
    assert [order.values["ids"] for order in world.desk.orders] == [(17, 18)]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same site", "other site"])
async def test_a_page_of_another_origin_cannot_send_the_form(world, reader, address, host):
    async with reader(expect_errors=True, **DESK) as page, elsewhere(host, f"{address}actions/pause-flow") as trap:
        await sign_in(page, ASHA)
        await page.goto(trap)
        await page.get_by_role("button").click()
        await expect(page.locator("main")).to_contain_text("not sent by a page of this server")
        await page.goto(f"{address}actions")
        await expect(page.locator("header")).to_contain_text("asha (operator)")
    assert world.desk.orders == []


async def test_scripts_do_not_see_the_session(reader):
    async with reader(**DESK) as page:
        await sign_in(page, ASHA)
        assert await page.evaluate("document.cookie") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_no_rule_of_accessibility_is_broken_and_nothing_is_cut_off(world, reader, size, scheme):
    async with reader(expect_errors=True, color_scheme=scheme, **size) as page:
        await check(page, "sign-in", size)
        await sign_in(page, BINA)
        for place in PLACES[1:]:
            await check(page, place, size)
        await page.locator("main button").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await check(page, None, size)


async def check(page, place, size):
    if place is not None:
        await page.goto(re.sub(r"(//[^/]+/).*", rf"\1{place}", page.url))
    results = await Axe().run(page)
    assert results.violations_count == 0, f"{place}: {results.generate_report()}"
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"], place


async def tab_to(page, name):
    field = page.locator(f"#{name}")
    for _ in range(40):
        if await field.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached")


@asynccontextmanager
async def elsewhere(host, target):
    """A page of another origin whose button sends a form to ours."""
    fields = {"flow": FLOW, "reason": "x", "confirmed": "yes", "csrf": "guessed"}
    inputs = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
    text = f'<!doctype html><title>x</title><form method="post" action="{target}">{inputs}<button>Win</button></form>'

    async def show(request):
        return web.Response(text=text, content_type="text/html")

    application = web.Application()
    application.router.add_get("/", show)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://{host}:{runner.addresses[0][1]}/"
    await runner.cleanup()
