import uuid
from datetime import UTC, datetime, timedelta

import pytest

from cli.erasure import topics_of_people
from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.scheme_map import SCHEME_MAP
from schemas.topics import changelog_topic
from tests.support.household import Household

CHANGELOG = changelog_topic("smart-sync", ELIGIBILITY_HINTS)
WHY = ("--reason", "request 17")


@pytest.fixture
def person(migrated, topics):
    household = Household("111122223333")
    household.move_in(migrated)
    return household


def counted(document):
    return {(each["database"], each["table"], each["remedy"]): each["rows"] for each in document["holdings"] if each["rows"]}


def test_a_dry_run_counts_what_is_held_says_how_long_kafka_keeps_it_and_changes_nothing(answer, person, migrated):
    document = answer("subject", "purge", "--citizen", person.citizen, "--dry-run", *WHY)
    assert counted(document) == {
        ("citizen", "public.citizens", "source"): 1,
        ("citizen", "public.service_applications", "source"): 1,
        ("citizen", "public.documents", "source"): 1,
        ("warehouse", "decision.applications", "source"): 1,
    }
    assert person.citizen not in str(document)
    assert {each["topic"] for each in document["topics"]} == set(topics_of_people("smart-sync")) - {CHANGELOG}, "no worker ran"
    until = datetime.fromisoformat(document["topics"][0]["until"])
    assert timedelta(days=13) < until - datetime.now(UTC) < timedelta(days=15), "7 days, and the 7 that a segment may be open"
    assert migrated.citizen.execute("SELECT count(*) FROM sync.erasure").fetchone() == (0,)
    assert migrated.citizen.execute("SELECT count(*) FROM sync.audit").fetchone() == (0,)


def test_topics_of_people_are_named_and_no_others():
    named = set(topics_of_people("smart-sync"))
    assert {ELIGIBILITY_HINTS.topic, ELIGIBILITY_HINTS.command_topic, "sync.ml_alerts.callbacks", CHANGELOG} <= named
    assert SCHEME_MAP.topic not in named


def test_while_the_platform_has_rows_the_purge_ends_with_a_problem(answer, sync, person):
    document = answer("subject", "purge", "--citizen", person.citizen, "--yes", *WHY, code=1)
    assert document["erasure"] == 1
    assert "the platform still has rows of the person" in document["problems"][0]
    told = sync("subject", "purge", "--citizen", person.citizen, "--yes", *WHY)
    assert (told.exit_code, "Kafka forgets by itself" in told.stdout) == (1, True)


def test_nothing_is_erased_where_no_worker_applies_the_deletes(answer, person, migrated):
    person.move_out(migrated)
    document = answer("subject", "purge", "--citizen", person.citizen, "--yes", "--timeout", "0.2", *WHY, code=1)
    assert document["problems"][0].startswith("nothing is erased yet: ")


def test_it_asks_first_and_does_nothing_without_an_answer(sync, migrated, topics):
    assert sync("subject", "purge", "--citizen", uuid.uuid4(), *WHY).exit_code == 1
    assert migrated.citizen.execute("SELECT count(*) FROM sync.erasure").fetchone() == (0,)


@pytest.mark.parametrize(
    "arguments",
    [
        WHY,
        ("--citizen", "123412341234", *WHY),
        ("--citizen", str(uuid.uuid4())),
        ("--citizen", str(uuid.uuid4()), "--reason", " "),
        ("--citizen", str(uuid.uuid4()), "--row", "no_flow=1", *WHY),
        ("--citizen", str(uuid.uuid4()), "--row", "profile_summary", *WHY),
    ],
)
def test_wrong_usage_is_refused(sync, shell, arguments):
    refused = sync("subject", "purge", *arguments)
    assert refused.exit_code == 2
