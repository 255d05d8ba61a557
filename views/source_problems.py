"""What is wrong with replication slots, in words that say what to do. For pages and for `status` alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.replication import replication_name
from flows.tables import Database
from views.levels import Level, slot_level
from views.model import Attention

if TYPE_CHECKING:
    from sinks.operations.slots import Retention


def slot_share(slot: Retention) -> float | None:
    """How much of what the server lets it keep a slot has kept, 0 to 1; ``None``: there is no limit."""
    retained, safe = slot.retained_bytes, slot.safe_bytes
    return None if retained is None or safe is None else retained / max(retained + max(safe, 0), 1)


def slot_problem(database: Database, slot: Retention) -> Attention | None:
    """Why a slot needs a look; the text stays the same while it fills."""
    level = slot_level(slot.wal_status, slot_share(slot))
    if level is Level.OK:
        return None
    if slot.wal_status == "lost":
        what = f"is lost: `connect reset {replication_name(database)}` begins anew"
    else:
        what = "is in danger: it keeps much of what it may before it is lost; see what keeps its connector from reading"
    return Attention(level, f"the replication slot of {database.value} {what}", "/connectors")
