"""Asking a Kafka broker whether it serves requests.

Written on the wire because a client library keeps its own threads, retries and event loop, and the question is one
request. Protocol: https://kafka.apache.org/protocol (Metadata, version 1).
"""

import socket
import struct

METADATA = 3
VERSION = 1
CORRELATION = 1
NO_CLIENT_ID = -1
NO_TOPICS = 0
REQUEST = struct.pack(">hhihi", METADATA, VERSION, CORRELATION, NO_CLIENT_ID, NO_TOPICS)
ANSWER_SECONDS = 2.0
# After the size: correlation id, then the number of brokers that are registered and not fenced.
HEAD = struct.Struct(">iii")


def has_live_broker(host: str, port: int) -> bool:
    """Whether the broker answers and names at least one live broker, so that topics can be made."""
    try:
        with socket.create_connection((host, port), ANSWER_SECONDS) as connection:
            connection.sendall(struct.pack(">i", len(REQUEST)) + REQUEST)
            answer = connection.recv(HEAD.size, socket.MSG_WAITALL)
    except OSError:
        return False
    if len(answer) < HEAD.size:
        return False
    _, _, brokers = HEAD.unpack(answer)
    return bool(brokers > 0)
