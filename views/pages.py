"""The list of all pages. Addresses, navigation and documents follow from it."""

from __future__ import annotations

from collections.abc import Sequence

from flows.model import Flow
from views.facts import Inquiry
from views.model import Overview
from views.overview import overview
from views.page import LIVE_MS, Page, Wish


def all_pages(inquiry: Inquiry, flows: Sequence[Flow]) -> tuple[Page, ...]:
    """In the order of the navigation."""

    async def look(_: Wish) -> Overview:
        return overview(await inquiry.facts(), flows)

    return (Page("overview", "/", "Overview", look, lambda view: f"Worker {getattr(view, 'name', '')}", refresh_ms=LIVE_MS),)
