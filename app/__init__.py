"""The application: ``faust -A app worker``. Importing this package connects to nothing; ``app.app`` is made on first use."""

from __future__ import annotations

from typing import Any

from app.allocator import keep_one_heap
from app.composition import create_app
from settings import ConfigurationError, load_settings


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(name)
    keep_one_heap()
    try:
        settings = load_settings()
    except ConfigurationError as error:
        raise SystemExit(f"error: {error}") from None
    globals()["app"] = create_app(settings)
    return globals()["app"]
