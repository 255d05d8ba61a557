"""Values that travel as JSON: many rows, or many keys, are one bound parameter."""

from __future__ import annotations

from typing import Any

import msgspec


def json_text(value: Any) -> str:
    """The text of a JSON parameter; whatever msgspec encodes."""
    return msgspec.json.encode(value).decode()
