"""Where the intake of the local stack is, and the keys that its senders sign with."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from settings import ConfigurationError, Environment, Section, load


class Sender(Section):
    """A service's keys, the newest first. What it may do is the intake's affair."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    keys: tuple[SecretStr, ...]


class Intake(Section):
    """The part of the intake's settings that its senders need."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    host: str = "127.0.0.1"
    port: int = 6070
    senders: Annotated[dict[str, Sender], NoDecode] = Field(default={})

    @field_validator("senders", mode="before")
    @classmethod
    def _senders_are_json(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value


class PosterSettings(Environment):
    """What the demo reads of the environment for its posts."""

    callbacks: Intake = Intake()


def intake() -> tuple[str, dict[str, str]]:
    """The intake's address and each sender's key; raises :class:`ConfigurationError`."""
    found = load(PosterSettings).callbacks
    if not found.senders:
        raise ConfigurationError(["SYNC_CALLBACKS__SENDERS is not set: nobody may post"])
    return f"http://{found.host}:{found.port}", {name: each.keys[0].get_secret_value() for name, each in found.senders.items()}
