"""The settings of this process as people may see them: secrets are told as set or not set, addresses without logins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretBytes, SecretStr

from settings import Settings
from views.records import ShownSetting

NOT_SET: Final = "not set"
_SEPARATOR: Final = "__"


def shown_settings(settings: Settings) -> list[ShownSetting]:
    """Every variable in the order of the sections, with what it means."""
    return list(_shown(settings, "SYNC_"))


def _shown(section: BaseModel, prefix: str) -> Iterator[ShownSetting]:
    for name, field in type(section).model_fields.items():
        value, variable = getattr(section, name), f"{prefix}{name.upper()}"
        if isinstance(value, BaseModel):
            yield from _shown(value, variable + _SEPARATOR)
        else:
            yield ShownSetting(variable, _text(value), field.description or "")


def _text(value: Any) -> str:
    if value is None or value == "":
        return NOT_SET
    if isinstance(value, SecretStr | SecretBytes):
        return "set, not shown" if value.get_secret_value() else NOT_SET
    text = str(value)
    return _address(text) if "://" in text else text


def _address(url: str) -> str:
    """Without login, query and fragment: each may hold a token. What cannot be taken apart is not shown."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        place = f"[{host}]" if ":" in host else host
        return urlunsplit((parts.scheme, place if parts.port is None else f"{place}:{parts.port}", parts.path, "", ""))
    except ValueError:
        return "set, not shown"
