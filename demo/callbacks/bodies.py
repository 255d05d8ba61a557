"""What the services have to say: forecasts and alerts for families, now and then corrected, late, or sent twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from demo.identifiers import drawn_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from demo.population import Population

FORECAST_SHARE: Final = 5 / 7  # of 50,000 and 20,000 a day
CORRECTED_SHARE: Final = 0.15
LATE_SHARE: Final = 0.05
REPEATED_SHARE: Final = 0.05
REMEMBERED: Final = 200

FORECASTER: Final = "forecast-service"
HORIZONS: Final = (3, 6, 12, 24, 36, 60)
SEVERITIES: Final = ("LOW", "LOW", "MEDIUM", "MEDIUM", "HIGH", "CRITICAL")

#: What each service says: the kind of alert, its text, where the family can act.
ALERTS: Final[Mapping[str, tuple[tuple[str, str, str | None], ...]]] = {
    "ai-platform-07": (
        ("BENEFIT_EXPIRY", "A benefit of your family ends this month.", "/benefits/renew"),
        ("PAYMENT_RETURNED", "A payment came back from your bank. Please check the account.", "/profile/bank"),
    ),
    "ai-platform-09": (
        ("NOT_COVERED", "Your family may be entitled to a scheme that it does not use.", "/schemes/suggested"),
        ("DOCUMENT_MISSING", "One document is missing; ಒಂದು ದಾಖಲೆ ಇಲ್ಲ.", "/documents"),
    ),
    "ai-platform-14": (("HARDSHIP_AHEAD", "An office near you offers help in the dry season.", None),),
}


@dataclass(frozen=True)
class Post:
    """A message: who sends what to which route, under which id."""

    sender: str
    route: str
    webhook_id: str
    body: str


class Bodies:
    """An endless series of messages; ``now`` gives aware times. Equal arguments and times give equal messages."""

    def __init__(self, population: Population, seed: int, now: Callable[[], datetime]) -> None:
        self._population = population
        self._rng = Random(seed)  # noqa: S311 reproducible test data, no secret
        self._now = now
        self._sent: list[tuple[Post, dict[str, Any], str]] = []

    def next(self) -> Post:
        """Something new, mostly; a correction of something earlier; or just the same again, as after an answer that was lost."""
        chance = self._rng.random()
        if self._sent and chance < REPEATED_SHARE:
            return self._rng.choice(self._sent)[0]
        if self._sent and chance < REPEATED_SHARE + CORRECTED_SHARE:
            return self._corrected(*self._rng.choice(self._sent))
        return self._forecast() if self._rng.random() < FORECAST_SHARE else self._alert()

    def _corrected(self, post: Post, body: dict[str, Any], time: str) -> Post:
        """The same with a later time; sometimes with an earlier one, which must change nothing."""
        moment = self._now() - (timedelta(days=1) if self._rng.random() < LATE_SHARE else timedelta())
        change = {"scheme_count": self._rng.randrange(9)} if "scheme_count" in body else {"severity": self._severity()}
        return self._remembered(post.sender, post.route, body | change | {time: moment.isoformat()}, time)

    def _forecast(self) -> Post:
        family, rng, now = self._population.draw_family(self._rng), self._rng, self._now()
        counted = sorted({family.draw_scheme(rng).code for _ in range(rng.randrange(4))})
        parts = [{"scheme_code": code, "annual_value": f"{rng.randrange(1000, 60_000)}.00"} for code in counted]
        total = sum(float(part["annual_value"]) for part in parts)
        body = {
            "forecast_id": str(drawn_identifier(rng, now)),
            "family_id": str(family.family_id),
            "horizon_months": rng.choice(HORIZONS),
            "total_annual_value": f"{total:.2f}",
            "scheme_count": len(parts),
            "projections": parts,
            "generated_at": now.isoformat(),
        }
        return self._remembered(FORECASTER, "forecasts", body, "generated_at")

    def _alert(self) -> Post:
        family, rng, now = self._population.draw_family(self._rng), self._rng, self._now()
        sender = rng.choice(sorted(ALERTS))
        kind, message, action = rng.choice(ALERTS[sender])
        body = {
            "alert_id": str(drawn_identifier(rng, now)),
            "source": sender.upper(),
            "family_id": str(family.family_id),
            "alert_type": kind,
            "severity": self._severity(),
            "message": message,
            "action_url": action,
            "created_at": now.isoformat(),
            "expires_at": (now + timedelta(days=rng.randrange(1, 90))).isoformat(),
        }
        return self._remembered(sender, "alerts", body, "created_at")

    def _severity(self) -> str:
        return self._rng.choice(SEVERITIES)

    def _remembered(self, sender: str, route: str, body: dict[str, Any], time: str) -> Post:
        webhook_id = f"msg_{drawn_identifier(self._rng, self._now()).hex}"
        post = Post(sender, route, webhook_id, json.dumps(body, ensure_ascii=False))
        self._sent = [*self._sent[1 - REMEMBERED :], (post, body, time)]
        return post
