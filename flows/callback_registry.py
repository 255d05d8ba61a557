"""All callbacks. A route exists when its callback stands here."""

from __future__ import annotations

from typing import Final

from flows.benefit_forecasts import FORECAST_CALLBACK
from flows.callback_model import Callback
from flows.ml_alerts import ALERT_CALLBACK

CALLBACKS: Final[tuple[Callback, ...]] = (FORECAST_CALLBACK, ALERT_CALLBACK)


def callback_named(route: str) -> Callback:
    """The callback of that route; raises ``KeyError`` whose message lists the routes that exist."""
    for callback in CALLBACKS:
        if callback.route == route:
            return callback
    raise KeyError(f"no route {route!r}; there are: {', '.join(callback.route for callback in CALLBACKS)}")
