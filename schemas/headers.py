"""Names of record headers."""

from typing import Final

# Carried by a record that replays a dead letter: the letter's id in decimal.
REPLAY_HEADER: Final = "sync-dead-letter-id"

# Ours, on a record that came by a callback: the sender's id of the message, the sender, and when we received it, in microseconds
# since 1970, UTC, in decimal.
WEBHOOK_ID_HEADER: Final = "webhook-id"
SENDER_HEADER: Final = "webhook-sender"
RECEIVED_HEADER: Final = "sync-received-at"

# Debezium's, on the two records of a row whose message key changed.
NEW_KEY_HEADER: Final = "__debezium.newkey"
OLD_KEY_HEADER: Final = "__debezium.oldkey"

# Debezium's, on every record: which connector wrote it.
CONTEXT_HEADERS: Final = tuple(
    f"__debezium.context.{name}" for name in ("connectorLogicalName", "connectorName", "taskId", "runId")
)
