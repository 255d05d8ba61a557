"""The sender's side: the headers of one attempt to post a message."""

from __future__ import annotations

from datetime import datetime

from standardwebhooks import Webhook

from callbacks.signed_headers import ID, JSON, SENDER, SIGNATURE, TIMESTAMP


def sign(body: str, *, sender: str, key: str, webhook_id: str, now: datetime) -> dict[str, str]:
    """All headers that the intake asks for. ``now`` is aware; the key is as in the settings."""
    return {
        "content-type": JSON,
        SENDER: sender,
        ID: webhook_id,
        TIMESTAMP: str(int(now.timestamp())),
        SIGNATURE: Webhook(key).sign(webhook_id, now, body),
    }
