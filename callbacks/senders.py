"""Who may post, and whether it was they who did."""

from __future__ import annotations

import math
from collections.abc import Mapping

from standardwebhooks import Webhook, WebhookVerificationError

from callbacks.problems import Problem, ProblemError
from callbacks.rate_limit import TokenBucket
from callbacks.settings import Callbacks, Sender
from callbacks.signed_headers import CHALLENGE, SignedHeaders


class KnownSender:
    """One sender with its keys, its routes and what it may still post."""

    def __init__(self, name: str, settings: Sender, bucket: TokenBucket) -> None:
        self.name = name
        self._keys = [Webhook(key.get_secret_value()) for key in settings.keys]
        self._routes = settings.routes
        self._bucket = bucket

    def check_signature(self, headers: SignedHeaders, body: bytes) -> None:
        """Raises :class:`ProblemError` (401) unless one of the keys made one of the signatures."""
        if not any(_verifies(key, headers, body) for key in self._keys):
            raise bad_signature()

    def check_route(self, route: str) -> None:
        """Raises :class:`ProblemError` (403)."""
        if route not in self._routes:
            allowed = ", ".join(sorted(self._routes))
            raise ProblemError(Problem.ROUTE_NOT_ALLOWED, f"This sender may post to {allowed} only.")

    def check_rate(self) -> None:
        """Count a request; raises :class:`ProblemError` (429) with the seconds to wait."""
        if wait := self._bucket.take():
            answer = {"Retry-After": str(math.ceil(wait))}
            raise ProblemError(Problem.TOO_MANY_REQUESTS, "Wait as Retry-After says, then send it again.", headers=answer)


def known_senders(settings: Callbacks) -> Mapping[str, KnownSender]:
    """All senders by name."""
    return {
        name: KnownSender(name, sender, TokenBucket(settings.rate, settings.burst)) for name, sender in settings.senders.items()
    }


def bad_signature() -> ProblemError:
    """The answer to a wrong signature and to an unknown sender alike: who guesses learns no names."""
    detail = "No key of this sender made this signature over webhook-id, webhook-timestamp and these bytes of the body."
    return ProblemError(Problem.BAD_SIGNATURE, detail, headers=CHALLENGE)


def _verifies(key: Webhook, headers: SignedHeaders, body: bytes) -> bool:
    try:
        key.verify(body, headers.for_library(), json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: no base64, no UTF-8
        return False
    return True
