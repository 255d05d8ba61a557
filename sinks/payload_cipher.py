"""Encryption of payloads at rest in the database: keys come from the environment, the newest one encrypts."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec
from cryptography.fernet import Fernet, MultiFernet
from pydantic import SecretStr

Headers = Sequence[tuple[str, bytes]]


class PayloadCipher:
    """Encrypts with the first key, decrypts with any."""

    def __init__(self, keys: SecretStr) -> None:
        self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.get_secret_value().split(",")])

    def encrypt(self, payload: bytes | None) -> bytes | None:
        """A Fernet token, or ``None`` for what is absent."""
        return None if payload is None else self._fernet.encrypt(payload)

    def decrypt(self, token: bytes | None) -> bytes | None:
        """The original bytes; raises ``cryptography.fernet.InvalidToken`` when no key fits."""
        return None if token is None else self._fernet.decrypt(token)

    def encrypted(self, key: bytes | None, value: bytes | None, headers: Headers) -> dict[str, str | None]:
        """A record's parts by the names of the columns that hold them, as ASCII."""
        parts = {"record_key": self.encrypt(key), "record_value": self.encrypt(value), "headers": self.encrypt_headers(headers)}
        return {name: None if token is None else token.decode("ascii") for name, token in parts.items()}

    def encrypt_headers(self, headers: Headers) -> bytes | None:
        """Record headers as one token: a JSON list of [name, base64 value]."""
        pairs = [(name, base64.b64encode(value or b"").decode()) for name, value in headers]
        return self.encrypt(msgspec.json.encode(pairs))

    def decrypt_headers(self, token: bytes | None) -> list[tuple[str, bytes]]:
        """The headers of a token made by :meth:`encrypt_headers`."""
        payload = self.decrypt(token)
        pairs: list[tuple[str, str]] = msgspec.json.decode(payload) if payload else []
        return [(name, base64.b64decode(value)) for name, value in pairs]
