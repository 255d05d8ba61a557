"""Whoever is called finds what to do: a section of docs/operations.md for every alert, and none for alerts that do not exist."""

import re

import pytest

from alerts.model import IN_MAINTENANCE, RUNBOOK
from alerts.registry import ALERTS
from stack.folder import PROJECT_ROOT

DOCUMENT = (PROJECT_ROOT / RUNBOOK).read_text()
HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
NOTIFIER = "Without Prometheus"
OF_ALL = {NOTIFIER, "Other thresholds"}
PARTS = ("*Meaning*", "*First look.*", "*Remedy.*", "*It worked when*")


def anchor_of(heading):
    """As the pages of repositories make it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def sections():
    """Alert → text of its section."""
    _, _, rest = DOCUMENT.partition("\n## Alerts\n")
    chapter = rest.partition("\n## ")[0]
    found = dict(part.split("\n", 1) for part in chapter.split("\n### ")[1:])
    return {name: text for name, text in found.items() if name not in OF_ALL}


def test_every_alert_has_a_runbook_and_every_runbook_an_alert():
    assert list(sections()) == [alert.name for alert in ALERTS]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_runbook_says_what_to_do(alert):
    text = sections()[alert.name]
    assert [part for part in PARTS if text.count(part) != 1] == []
    quiet = ", silent in maintenance" if IN_MAINTENANCE in alert.quiet_while else ""
    assert f"*Meaning* ({alert.severity}{quiet})." in text
    document, _, anchor = alert.anchor.partition("#")
    assert document == "docs/operations.md"
    assert anchor in {anchor_of(heading) for heading in HEADING.findall(DOCUMENT)}


def test_no_link_inside_the_document_leads_nowhere():
    anchors = {anchor_of(heading) for heading in HEADING.findall(DOCUMENT)}
    assert set(re.findall(r"\]\(#([^)]+)\)", DOCUMENT)) - anchors == set()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_sentence_names_only_labels_that_its_condition_has(alert):
    for label in re.findall(r"\{(\w+)\}", alert.says):
        assert re.search(rf"by \([^)]*\b{label}\b[^)]*\)", alert.promql) or alert.promql.startswith("up{"), label


def test_the_document_says_what_the_notifier_tells_and_what_it_does_not():
    text = DOCUMENT.partition(f"\n### {NOTIFIER}\n")[2].partition("\n### ")[0]
    told, _, not_told = text.partition("\nTold:")[2].partition("\nNot told:")
    assert re.findall(r"`(\w+)`", told) == [alert.name for alert in ALERTS if alert.comparison]
    assert re.findall(r"`(\w+)`", not_told) == [alert.name for alert in ALERTS if not alert.comparison]
