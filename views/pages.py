"""The list of all pages. Addresses, navigation and documents follow from it."""

from __future__ import annotations

import asyncio
from typing import Any

from views.audit_page import AuditPage
from views.callbacks_page import CallbacksPage
from views.configuration_page import ConfigurationPage
from views.connectors_page import ConnectorsPage
from views.flow_page import FlowPage
from views.jobs_page import JobsPage
from views.letters_page import LettersPage
from views.model import Overview
from views.overview import overview
from views.page import LIVE_MS, Page, Wish
from views.reconciliation_pages import ReconciliationPages
from views.sources import Sources
from views.troubles import TroubleWatch


def all_pages(sources: Sources) -> tuple[Page, ...]:
    """In the order of the navigation; pages about one thing are reached from the list that it stands in."""
    watch = TroubleWatch(sources.records, sources.clock)

    async def now(_: Wish) -> Overview:
        facts, troubles = await asyncio.gather(sources.inquiry.facts(), watch.known())
        return overview(facts, sources.flows, troubles)

    letters, reconciliations = LettersPage(sources), ReconciliationPages(sources)
    return (
        Page("overview", "/", "Overview", now, _worker, refresh_ms=LIVE_MS),
        Page("flow", "/flows/{flow}", "Flow", FlowPage(sources).look, _flow, listed=False),
        Page("jobs", "/jobs", "Batch jobs", JobsPage(sources).look),
        Page("dead_letters", "/dead-letters", "Dead letters", letters.look),
        Page("dead_letter", "/dead-letters/{database}/{id}", "Dead letter", letters.look_at_one, _letter, listed=False),
        Page("reconciliations", "/reconciliations", "Reconciliation", reconciliations.look),
        Page("reconciliation", "/reconciliations/{run}", "Reconciliation", reconciliations.look_at_one, _run, listed=False),
        Page("connectors", "/connectors", "Connectors and slots", ConnectorsPage(sources).look),
        Page("workers", "/workers", "Workers and partitions", now, refresh_ms=LIVE_MS),
        Page("callbacks", "/callbacks", "Callbacks", CallbacksPage(sources).look),
        Page("audit", "/audit", "Audit", AuditPage(sources).look),
        Page("configuration", "/configuration", "Configuration", ConfigurationPage(sources).look),
    )


def _worker(view: Any) -> str:
    return f"Worker {view.name}"


def _flow(view: Any) -> str:
    return f"Flow {view.flow.name}"


def _letter(view: Any) -> str:
    return f"Dead letter {view.letter.id} of {view.letter.flow}"


def _run(view: Any) -> str:
    return f"Reconciliation {view.run['run']}"
