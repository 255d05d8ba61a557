import shutil
import time
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web
from playwright.async_api import async_playwright

from tests.unit.views.world import NOON, World

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
async def browser():
    """Headless Chromium, as Debian packages it."""
    executable = shutil.which("chromium")
    assert executable, "chromium is not installed; on Debian: apt-get install chromium"
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        await browser.close()


class RunningWorld(World):
    """A world whose time goes on from noon."""

    def __init__(self):
        super().__init__()
        self._began = time.monotonic()

    def clock(self):
        return NOON + timedelta(seconds=time.monotonic() - self._began)


@pytest.fixture
def world():
    return RunningWorld()


@pytest.fixture
async def address(world):
    """Where the pages of the made-up worker are served."""
    runner = web.AppRunner(world.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.fixture
def reader(browser, address):
    """Open the page as some reader has set up the browser; nothing may be reported on its console meanwhile."""

    @asynccontextmanager
    async def opened(path="", *, expect_errors=False, frozen_clock=False, **settings):
        context = await browser.new_context(**settings)
        context.set_default_timeout(5000)
        page = await context.new_page()
        reports = []
        page.on("console", lambda message: reports.append(message.text))
        page.on("pageerror", lambda error: reports.append(str(error)))
        if frozen_clock:
            await page.clock.install(time="2025-01-15T19:00:00Z")
            await page.clock.pause_at("2025-01-15T20:00:00Z")
        await page.goto(address + path)
        yield page
        await context.close()
        assert expect_errors or reports == []

    return opened
