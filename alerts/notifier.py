"""Tells a webhook of alerts: one worker of all does, and goes on where another one has stopped."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Protocol

import httpx
from standardwebhooks import Webhook

from alerts.judgement import Notice, judge
from alerts.model import Alert
from metrics.catalogue import LAG_SECONDS
from metrics.samples import Samples
from settings import Notifier as Settings
from sinks.operations import alert_states
from sinks.operations.alert_states import AlertState, PartitionLag
from sinks.operations.connection import Connection

log = logging.getLogger(__name__)

#: Rounds that the one who notifies may miss before another worker does.
LEASE_ROUNDS: Final = 4


class Ask(Protocol):
    """Puts questions to the citizen database, off the event loop."""

    def __call__(self, query: Callable[[Connection], Any]) -> Awaitable[Any]:
        """What ``query`` answers."""


@dataclass(frozen=True)
class _Known:
    """What the database says at the beginning of a round."""

    now: datetime
    states: list[AlertState]
    lags: list[PartitionLag]


class Notifier:
    """``looks``: what this worker knows of all parts. ``name``: its own. The client is closed by whoever made it."""

    def __init__(
        self,
        settings: Settings,
        alerts: Iterable[Alert],
        name: str,
        ask: Ask,
        looks: Iterable[Callable[[], Samples]],
        client: httpx.AsyncClient,
    ) -> None:
        self._settings = settings
        self._alerts = tuple(alerts)
        self._name = name
        self._ask = ask
        self._looks = tuple(looks)
        self._client = client

    async def run(self) -> None:
        """Round after round, until cancelled. What fails is tried again in the next one; it must not end the worker."""
        while True:
            try:
                await self.round()
            except Exception as error:  # noqa: BLE001 see above
                log.warning("alerts were not looked at: %s", type(error).__name__)
            await asyncio.sleep(self._settings.interval)

    async def round(self) -> None:
        """Look, if it is our turn, and tell what is to be told. A message is remembered when it has arrived, not before."""
        known = await self._ask(self._known)
        if known is None:
            return
        repeat = timedelta(seconds=self._settings.repeat)
        judgement = judge(self._alerts, self._samples(known.lags), known.states, known.now, repeat)
        await self._ask(lambda connection: _note(connection, judgement.begun, judgement.over))
        for notice in judgement.notices:
            if not await self._arrives(notice):
                return  # the receiver is away: the others would only wait for it, too
            await self._ask(partial(_told, notice=notice))

    def _known(self, connection: Connection) -> _Known | None:
        now = alert_states.lead(connection, self._name, timedelta(seconds=self._settings.interval * LEASE_ROUNDS))
        return None if now is None else _Known(now, alert_states.remembered(connection), alert_states.lags(connection))

    def _samples(self, lags: Iterable[PartitionLag]) -> Samples:
        """A worker tells the lag of its own partitions; of the others' it is as they have reported it."""
        samples = Samples()
        for each in lags:
            samples.set(LAG_SECONDS, each.lag_seconds, each.flow, each.topic, str(each.partition))
        for look in self._looks:
            samples.update(look())
        return samples

    async def _arrives(self, notice: Notice) -> bool:
        body = json.dumps(notice.body)
        try:
            answer = await self._client.post(self._settings.url, content=body, headers=self._headers(notice, body))
        except httpx.HTTPError as error:
            log.warning("%s was not told: %s", notice.alert.name, type(error).__name__)
            return False
        if not answer.is_success:
            log.warning("%s was not told: the receiver answered %s", notice.alert.name, answer.status_code)
        return answer.is_success

    def _headers(self, notice: Notice, body: str) -> dict[str, str]:
        """Those of Standard Webhooks, as our own intake of callbacks asks for them."""
        now = datetime.now(UTC)
        return {
            "content-type": "application/json",
            "webhook-id": notice.webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self._settings.key.get_secret_value()).sign(notice.webhook_id, now, body),
        }


def _note(connection: Connection, begun: Iterable[AlertState], over: Iterable[AlertState]) -> None:
    for state in begun:
        alert_states.remember(connection, state)
    for state in over:
        alert_states.forget(connection, state)


def _told(connection: Connection, notice: Notice) -> None:
    if notice.after is None:
        alert_states.forget(connection, notice.before)
    else:
        alert_states.remember(connection, notice.after)
