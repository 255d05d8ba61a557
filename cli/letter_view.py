"""How dead letters look: their position and reason in clear, their content masked."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import msgspec
from rich.console import RenderableType

from cli.output import show, table
from flows.model import Flow
from schemas.redaction import Content, redact_record
from sinks.operations.letters import Letter, Payload, opened
from sinks.payload_cipher import PayloadCipher
from views.formatting import both_zones


def content_of(payload: Payload, flow: Flow, cipher: PayloadCipher) -> Content:
    """Open the payload and mask it; raises ``InvalidToken`` when no key fits."""
    record = opened(payload, cipher)
    return redact_record(record.key, record.value, record.headers, flow)


def letters_table(letters: Sequence[Letter]) -> RenderableType:
    """Build a table with one row for each letter."""
    columns = ("id", "flow", "position", "reason", "row", "status", "attempts", "since", "detail")
    rows = [
        (
            *(str(each.id), each.flow, position(each), each.reason, each.row_key),
            *(each.status, each.attempts, both_zones(each.created_at), each.detail),
        )
        for each in letters
    ]
    return table("Dead letters", columns, rows)


def print_letter(letter: Letter, content: Content, *, as_json: bool) -> None:
    """Print one letter whole."""
    facts = [("flow", letter.flow), ("position", position(letter)), ("row", letter.row_key), ("reason", letter.reason)]
    facts += [("detail", letter.detail), ("status", f"{letter.status}, attempt {letter.attempts}")]
    facts += [("since", both_zones(letter.created_at)), ("record written", both_zones(letter.record_time))]
    if letter.closed_at is not None:
        facts.append(("closed", f"{both_zones(letter.closed_at)} by {letter.closed_by}: {letter.close_reason}"))
    facts += [(name, _pretty(part)) for name, part in asdict(content).items()]
    document = {**asdict(letter), "content": content}
    show(document, table(f"Dead letter {letter.id}", ("", ""), facts), as_json=as_json)


def position(letter: Letter) -> str:
    """Name the record."""
    return f"{letter.topic}[{letter.partition}] @ {letter.offset}"


def _pretty(part: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(part), indent=2).decode()
