"""Every table of the schema ``sync`` and what its texts, ids and bytes say of people. The one list that erasure goes by.

A test compares it with the catalog: a table or a column that is new is refused until it stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from flows.batch_registry import ALL_FLOWS
from flows.identity import Identity
from flows.personal import follows_deletes


class Holds(Enum):
    """What a column holds that is no id: nothing of a person, a source row's primary key, words that may quote ids, a record."""

    NOTHING = "nothing"
    ROW_KEY = "row key"
    WORDS = "words"
    RECORD = "record"


class Remedy(StrEnum):
    """How a person leaves a table.

    ``SOURCE``: the platform deletes its row. ``FLOW``: the row goes when the flow applies the delete of its source row.
    ``DELETE``: the row is deleted. ``REDACT``: ids in it are replaced. ``EMPTY``: the line stays, what is personal in it goes.
    ``RELEASE``: the row is deleted and the ledger told. ``TELL``: only the administrator of the database may change it.
    """

    SOURCE = "source"
    FLOW = "flow"
    DELETE = "delete"
    REDACT = "redact"
    EMPTY = "empty"
    RELEASE = "release"
    TELL = "tell"


@dataclass(frozen=True)
class Store:
    """A table of ours. ``only``: an SQL condition on its row ``t``; what it leaves out is erased later, or by another way."""

    table: str
    columns: Mapping[str, Identity | Holds]
    remedy: Remedy | None = None
    only: str | None = None


def _plain(*names: str) -> dict[str, Identity | Holds]:
    return dict.fromkeys(names, Holds.NOTHING)


_RECORD: Final = dict.fromkeys(("record_key", "record_value", "headers"), Holds.RECORD)

# A version that lives guards a row that stands, and its delete is still to come; not so where no delete ever comes.
_UNFOLLOWED: Final = ", ".join(f"'{flow.name}'" for flow in ALL_FLOWS if not follows_deletes(flow))

STORES: Final = (
    Store("migration", _plain("name", "checksum")),
    Store("ledger", _plain("flow", "topic", "owner")),
    Store("flow_state", _plain("flow", "state", "changed_by") | {"reason": Holds.WORDS}, Remedy.REDACT),
    Store(
        "dead_letter",
        _plain("flow", "topic", "reason", "detail", "status", "closed_by", "close_reason")
        | {"row_key": Holds.ROW_KEY, **_RECORD},
        Remedy.EMPTY,
    ),
    Store("parked", _plain("flow", "topic", "reference", "state") | {"row_key": Holds.ROW_KEY, **_RECORD}, Remedy.RELEASE),
    Store("worker", _plain("name", "web_url", "state")),
    Store(
        "audit",
        _plain("actor", "action", "subject", "role", "origin", "result", "problem") | {"reason": Holds.WORDS},
        Remedy.TELL,
    ),
    Store("heartbeat", {}),
    Store("source", _plain("name")),
    Store(
        "row_version",
        _plain("flow") | {"key": Holds.ROW_KEY},
        Remedy.DELETE,
        only=f"(t.deleted OR t.flow IN ({_UNFOLLOWED}))",
    ),
    Store("scheme_map", _plain("scheme_id", "scheme_code")),
    Store("backfilled_fact", _plain("flow", "state") | {"row_key": Holds.ROW_KEY}, Remedy.DELETE),
    Store("golden_write", _plain("columns") | {"gr_id": Identity.GOLDEN_RECORD}, Remedy.DELETE),
    Store("person_link", {"citizen_id": Identity.CITIZEN, "gr_id": Identity.GOLDEN_RECORD}, Remedy.DELETE),
    Store("unlinked", _plain("flow") | {"citizen_id": Identity.CITIZEN, "key": Holds.ROW_KEY}, Remedy.DELETE),
    Store(
        "review_queue",
        _plain("flow", "kind", "reason") | {"citizen_id": Identity.CITIZEN, "gr_id": Identity.GOLDEN_RECORD},
        Remedy.DELETE,
    ),
    Store(
        "profile_member",
        _plain("profile_id", "content") | {"gr_id": Identity.GOLDEN_RECORD, "family_id": Identity.FAMILY},
        Remedy.FLOW,
    ),
    Store("family", {"family_id": Identity.FAMILY}, Remedy.DELETE),
    Store("profile_moved", {"gr_id": Identity.GOLDEN_RECORD}, Remedy.DELETE),
    Store(
        "job_run",
        _plain("job", "lane", "state", "requested_by", "owner", "yields_to")
        | dict.fromkeys(("reason", "parameters", "cursor"), Holds.WORDS),
        Remedy.REDACT,
        only="t.ended_at IS NOT NULL",
    ),
    Store("job_control", _plain("job", "changed_by") | {"reason": Holds.WORDS}, Remedy.REDACT),
    Store("maintenance", _plain("asked_by") | {"reason": Holds.WORDS}, Remedy.REDACT),
    Store("job_missed", _plain("what") | {"key": Holds.ROW_KEY}, Remedy.DELETE),
    Store("watermark", _plain("job")),
    Store("unresolved", _plain("flow", "reference") | {"key": Holds.ROW_KEY}, Remedy.DELETE),
    Store(
        "reconciliation",
        _plain("run", "flow", "state") | dict.fromkeys(("key_from", "key_to", "problem", "progress"), Holds.WORDS),
        Remedy.REDACT,
        only="t.state <> 'running'",
    ),
    Store("upstream_loss", _plain("flow", "kind", "detail", "found_by", "resolved_by")),
    Store("flow_sample", _plain("flow")),
    Store("notifier", _plain("owner")),
    Store("alert", _plain("alert", "labels")),
    # Is about people, and ends with the erasure itself.
    Store("erasure", _plain("begun_by", "reason", "person")),
)
