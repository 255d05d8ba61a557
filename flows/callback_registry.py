"""All callbacks: a route exists when a flow applies what is posted there."""

from __future__ import annotations

from typing import Final

from flows.callback_model import Callback, CallbackFlow
from flows.registry import FLOWS

CALLBACKS: Final[tuple[Callback, ...]] = tuple(flow.source for flow in FLOWS if isinstance(flow, CallbackFlow))


def callback_named(route: str) -> Callback:
    """The callback of that route; raises ``KeyError`` whose message lists the routes that exist."""
    for callback in CALLBACKS:
        if callback.route == route:
            return callback
    raise KeyError(f"no route {route!r}; there are: {', '.join(callback.route for callback in CALLBACKS)}")
