"""What differs between places for the intake and for those who post to it."""

from __future__ import annotations

import base64
import json
import re
import secrets
from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from flows.callback_registry import CALLBACKS
from settings import KEY_PREFIX, SIGNING_KEY, Environment, Kafka, Log, Section, is_signing_key

NEW_KEY_BYTES: Final = 32

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Sender(Section):
    """Who may post: its signing key, two while it changes them, and the routes that it may use."""

    keys: tuple[SecretStr, ...] = Field(min_length=1, max_length=2)
    routes: frozenset[str] = Field(min_length=1)

    @field_validator("keys")
    @classmethod
    def _keys_are_signing_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(is_signing_key(key.get_secret_value()) for key in value):
            raise ValueError(SIGNING_KEY)
        return value

    @field_validator("routes")
    @classmethod
    def _routes_exist(cls, value: frozenset[str]) -> frozenset[str]:
        existing = {callback.route for callback in CALLBACKS}
        if not value <= existing:
            raise ValueError(f"routes are {', '.join(sorted(existing))}")
        return value


class Callbacks(Section):
    """The intake: where it listens, who may post, and how much."""

    host: str = "127.0.0.1"
    port: int = Field(default=6070, ge=1, le=65535)
    senders: Annotated[dict[str, Sender], NoDecode] = Field(default={}, description="JSON: names with keys and routes")
    rate: float = Field(default=100.0, gt=0, description="requests per second and sender in the long run")
    burst: int = Field(default=200, ge=1, description="requests that a sender may make at once after a pause")
    max_body_bytes: int = Field(default=256 * 2**10, ge=1, le=2**20)
    max_requests: int = Field(default=200, ge=1, description="requests under way at a time; more are answered 503")
    read_timeout: float = Field(default=10.0, gt=0, description="seconds in which a request must have arrived")
    kafka_timeout: float = Field(default=5.0, gt=0, description="seconds to wait for the brokers' acknowledgement")

    @field_validator("senders", mode="before")
    @classmethod
    def _senders_are_json(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError('not JSON of the form {"NAME": {"keys": ["whsec_…"], "routes": ["…"]}}') from None

    @field_validator("senders")
    @classmethod
    def _senders_are_told_apart(cls, value: dict[str, Sender]) -> dict[str, Sender]:
        if not all(_NAME.fullmatch(name) for name in value):
            raise ValueError("a sender's name is 1 to 64 letters, digits, dots, hyphens and underscores")
        keys = [key.get_secret_value() for sender in value.values() for key in sender.keys]
        if len(keys) != len(set(keys)):
            raise ValueError("every key must be its own: with a shared one a sender could pass for another")
        return value


class SenderSettings(Environment):
    """What a sender needs: the address of the intake, its own name and its key."""

    callbacks: Callbacks = Callbacks()


class IntakeSettings(SenderSettings):
    """What the intake needs. It knows no database, and no key of stored payloads."""

    kafka: Kafka
    log: Log = Log()


def new_signing_key() -> str:
    """A key that nobody has yet."""
    return KEY_PREFIX + base64.b64encode(secrets.token_bytes(NEW_KEY_BYTES)).decode()
