"""What every page of the site has in common."""

from datetime import timedelta

import pytest

from tests.unit.views.world import NOON
from views.frame import Window, banner


def window(begins, ends, reason="disk swap"):
    return Window(NOON + timedelta(hours=begins), NOON + timedelta(hours=ends), reason)


async def test_the_navigation_says_which_page_it_is(page):
    assert '<a href="/" aria-current="page">Overview</a>' in await page("/")


async def test_maintenance_that_goes_on_is_announced_with_its_end_in_both_zones(world, page):
    world.records.maintenance = [window(-1, 2)]
    text = await page("/partials/overview")
    assert "maintenance</span> disk swap, until" in text
    assert "2025-01-15 22:00:00 UTC · 03:30:00 IST (+1 day)" in text


async def test_without_maintenance_there_is_no_banner(page):
    assert 'class="banner"' not in await page("/")


async def test_a_silent_database_does_not_keep_a_page_from_its_reader(world, page):
    world.records.silent = {"windows"}
    assert "Worker worker-a" in await page("/")


@pytest.mark.parametrize(
    ("windows", "now", "soon"),
    [
        ([], None, None),
        ([window(-1, 0)], None, None),
        ([window(0, 1)], window(0, 1), None),
        ([window(-1, 1), window(-2, 3)], window(-2, 3), None),
        ([window(30, 31)], None, None),
        ([window(9, 10), window(5, 6)], None, window(5, 6)),
    ],
)
def test_of_several_windows_the_one_that_ends_last_and_the_one_that_comes_first_count(windows, now, soon):
    found = banner(windows, NOON)
    assert (found.now, found.soon) == (now, soon)
