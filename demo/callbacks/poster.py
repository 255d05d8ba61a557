"""Posts signed messages until it is told to stop, through outages of the intake, as its document asks of senders."""

from __future__ import annotations

from collections import Counter
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

import httpx
from standardwebhooks import Webhook

from demo.runner import BACKOFF

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from threading import Event

    from demo.callbacks.bodies import Post
    from demo.pace import Pace

ACCEPTED: Final = 202
AGAIN: Final = frozenset({408, 429, *range(500, 600)})
SECONDS: Final = 10.0


class Refused(Exception):
    """The intake answered that something has to be corrected first; sending again would not help."""


class Poster:
    """Signs with ``keys`` (sender → key), sends with ``client``; ``say`` hears of outages, ``now`` gives aware times."""

    def __init__(
        self, client: httpx.Client, keys: Mapping[str, str], now: Callable[[], datetime], say: Callable[[str], None], stop: Event
    ) -> None:
        self._client = client
        self._keys = {name: Webhook(key) for name, key in keys.items()}
        self._now = now
        self._say = say
        self._stop = stop

    def run(self, draw: Callable[[], Post], pace: Pace, limit: int | None) -> Counter[str]:
        """Post until ``limit`` are accepted or until stopped; returns how many were, by route. Raises :class:`Refused`."""
        done: Counter[str] = Counter()
        while not self._stop.is_set() and (limit is None or done.total() < limit):
            post = draw()
            if self._deliver(post):
                done[post.route] += 1
            pace.spend(1)
        return done

    def _deliver(self, post: Post) -> bool:
        """Send one until it is accepted; false when stopped before."""
        told = False
        for pause in chain(BACKOFF, repeat(BACKOFF[-1])):
            problem = self._attempt(post)
            if problem is None:
                if told:
                    self._say("the intake accepts messages again")
                return True
            if not told:
                self._say(f"the intake does not accept messages, trying until it does: {problem}")
                told = True
            if self._stop.wait(pause):
                return False
        return False

    def _attempt(self, post: Post) -> str | None:
        """``None`` when it was accepted, or why it is to be sent again. Each attempt is signed anew."""
        try:
            answer = self._client.post(f"/callbacks/{post.route}", content=post.body.encode(), headers=self._headers(post))
        except httpx.TransportError as error:
            return type(error).__name__
        if answer.status_code == ACCEPTED:
            return None
        if answer.status_code in AGAIN:
            return f"it answers {answer.status_code}"
        raise Refused(f"the intake refused a message of {post.sender} to {post.route}: {answer.status_code} {answer.text}")

    def _headers(self, post: Post) -> dict[str, str]:
        now = self._now()
        return {
            "content-type": "application/json",
            "webhook-sender": post.sender,
            "webhook-id": post.webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._keys[post.sender].sign(post.webhook_id, now, post.body),
        }
