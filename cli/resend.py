"""Send a dead letter through its flow again: the original bytes, key and partition, on the flow's command topic."""

import asyncio

from cli.broker import OutgoingRecord, send
from cli.letter_lookup import flow_of
from flows.model import Flow
from schemas.headers import OFFSET_HEADER, REPLAY_HEADER
from settings import Settings
from sinks.operations.connection import Connection
from sinks.operations.letters import Letter, Payload, sending_again
from sinks.payload_cipher import PayloadCipher


def send_again(session: Connection, letter: Letter, settings: Settings, actor: str, reason: str | None = None) -> None:
    """Send it and mark it as replayed; raises ``KafkaError`` with the letter still open."""
    with sending_again(session, letter, actor, reason) as payload:
        record = again(letter, flow_of(letter), payload, PayloadCipher(settings.payload_keys))
        asyncio.run(send(settings.kafka, record))


def again(letter: Letter, flow: Flow, payload: Payload, cipher: PayloadCipher) -> OutgoingRecord:
    """Build the record: as it was, with headers that name the letter and the offset that it had (earlier ones are replaced)."""
    ours = {REPLAY_HEADER: letter.id} | ({OFFSET_HEADER: letter.offset} if letter.topic == flow.topic else {})
    headers = [(name, value) for name, value in cipher.decrypt_headers(payload.headers) if name not in ours]
    return OutgoingRecord(
        flow.command_topic,
        letter.partition,
        cipher.decrypt(payload.record_key),
        cipher.decrypt(payload.record_value),
        [*headers, *((name, str(number).encode()) for name, number in ours.items())],
    )
