"""The pages offer what can be done about what they show, and the audit says what became of it."""

import re
from dataclasses import replace
from html import unescape

import pytest

from tests.unit.views.full_world import PATHS, fill
from tests.unit.views.operating import BINA
from tests.unit.views.records_world import FLOW
from tests.unit.views.test_access import Hand

LINK = re.compile(r'href="(/actions/[^"]+)"')
OFFERING = {"/flows/": 4, "/jobs": 6, "/dead-letters": 2, "/connectors": 1}


def offers(path):
    return next((number for beginning, number in OFFERING.items() if path.startswith(beginning)), 0)


@pytest.mark.parametrize("path", PATHS)
async def test_every_link_leads_to_a_form_that_knows_what_it_is_about_and_the_way_back(client, world, path):
    fill(world)
    hand = Hand(client)
    await hand.sign_in(BINA)
    links = [unescape(link) for link in LINK.findall((await hand.get(path))[1])]
    assert len(links) == offers(path)
    for link in links:
        answer, form = await hand.get(link)
        assert answer.status == 200
        assert f'<input type="hidden" name="back" value="{path}">'.replace("&", "&amp;") in form
        if "flow=" in link:
            assert f'<option value="{FLOW}" selected>' in form


async def test_links_are_no_part_of_what_changes_by_itself(client, world, page):
    fill(world)
    assert "/actions/" not in await page("/partials/jobs")


async def test_the_audit_says_in_what_role_from_where_and_with_what_result(world, page):
    fill(world)
    deed = world.records.deeds[0]
    world.records.deeds = [
        replace(deed, role="operator", origin="10.0.0.7"),
        replace(deed, id=9, result="refused", problem="it is stopped <already>"),
    ]
    text = await page("/audit")
    assert "operator, from 10.0.0.7" in text
    assert "refused</span>" in text
    assert "it is stopped &lt;already&gt;" in text
