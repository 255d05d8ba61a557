"""What the intake tells Prometheus."""

import asyncio
import time

from flows.ml_alerts import ALERT_CALLBACK
from metrics.catalogue import METRICS
from metrics.model import Scope
from tests.support.callbacks import PLATFORM, body_of
from tests.support.scrape import parse


async def told(client):
    return parse((await client.get("/metrics")).text)


async def test_every_metric_of_the_intake_is_told_and_nothing_else(client):
    wanted = {series for metric in METRICS.values() if metric.scope is Scope.CALLBACKS for series in metric.series}
    assert (await told(client)).samples.keys() == wanted


async def test_callbacks_are_counted_by_outcome_and_no_label_tells_the_sender(client, post, publisher):
    await post(body_of(ALERT_CALLBACK))
    await post(body_of(ALERT_CALLBACK), signed="another body")
    await post("{}")
    publisher.away()
    await post(body_of(ALERT_CALLBACK))
    found = await told(client)
    route = {"callback": ALERT_CALLBACK.route}
    counts = {outcome: found.value("sync_callbacks_total", outcome=outcome, **route) for outcome in COUNTED}
    assert counts == {"accepted": 1, "bad_signature": 1, "invalid_body": 1, "unavailable": 1, "stale": 0}
    assert found.value("sync_callback_duration_seconds_count", **route) == 4
    assert found.value("sync_callbacks_ready") == 0
    names = {label for series in found.samples.values() for labels in series for label, _ in labels}
    assert names == {"callback", "outcome", "le", "version", "python"}
    assert not any(PLATFORM in dict(labels).values() for series in found.samples.values() for labels in series)


COUNTED = ("accepted", "bad_signature", "invalid_body", "unavailable", "stale")


async def test_a_scrape_does_not_wait_for_brokers_that_are_away(client, publisher):
    answered = asyncio.Event()

    async def hang():
        await answered.wait()

    publisher.problem = hang
    began = time.perf_counter()
    found = await told(client)
    assert time.perf_counter() - began < 1
    assert found.value("sync_callbacks_ready") is None
    answered.set()
