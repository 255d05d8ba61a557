"""Names of record headers, and the numbers that some of them hold."""

from collections.abc import Iterable
from typing import Final

Headers = Iterable[tuple[str, bytes]]

# Carried by a record that replays a dead letter: the letter's id, and the offset that the record had in the topic of the flow's
# source. Both in decimal.
REPLAY_HEADER: Final = "sync-dead-letter-id"
OFFSET_HEADER: Final = "sync-offset"

# Ours, on a record of a command topic that has no value: the owner forgets what it keeps of removed rows of the record's key.
FORGET_HEADER: Final = "sync-forget"

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

_MOST_DIGITS: Final = 18  # more may be more than the 64 bits that a column has


def number_in(headers: Headers | None, name: str, otherwise: int) -> int:
    """The number that a header holds; ``otherwise`` where it is missing or holds no number of at most 18 digits."""
    found = dict(headers or ()).get(name)
    return int(found) if found and found.isdigit() and len(found) <= _MOST_DIGITS else otherwise
