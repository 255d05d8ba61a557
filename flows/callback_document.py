"""What `docs/flows.md` says of callback flows, and of notices."""

from __future__ import annotations

from collections.abc import Iterator

from flows.callback_model import Callback, CallbackFlow
from flows.row_model import Notice


def callback_facts(flow: CallbackFlow) -> Iterator[tuple[str, str]]:
    """Where the rows come from."""
    callback = flow.source
    yield "source", f"signed HTTP callbacks, `POST {callback.path}`, one row per `{callback.key}`: [callbacks](callbacks.md)"


def callback_lines(flow: CallbackFlow) -> Iterator[str]:
    """What stands of several bodies, and what can be read again."""
    callback = flow.source
    yield (
        f"Of all bodies with one `{callback.key}` the one with the latest `{callback.time}` stands, in whatever order they come;"
        " of equal times the later one in the topic. A body that comes again changes nothing."
    )
    yield (
        "There is no source table. `resync` reads the topic again from its beginning and writes what is missing or differs; rows"
        " that are older than the topic stay as they are. What the topic has dropped before it was read is lost: it is named in"
        " the log and in `sync.audit`, counts as `skipped`, and has to be posted again."
    )


def allowed_values(callback: Callback, name: str) -> Iterator[str]:
    """What a field may hold beside its type and bounds."""
    field = callback.field(name)
    if field.values:
        yield f"one of {', '.join(f'`{value}`' for value in field.values)}"
    if field.pattern is not None:
        yield f"matches `{field.pattern}`"


def notice_lines(notice: Notice) -> Iterator[str]:
    """Who is told what, and how often."""
    told = f"and for every change of {_names(notice.watched)} " if notice.watched else ""
    yield (
        f"For every new row {told}a row of type `{notice.type}` in `{notice.table.qualified}`, in the same transaction: the text"
        f" “{notice.message}”, with {_names(notice.metadata)} as `metadata`."
    )
    yield f"Its id is made of {_names(notice.identity)}: nothing is told twice, whatever is read again."


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
