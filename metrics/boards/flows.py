"""What an operator looks at first: how late the flows are, what they carry, what waits."""

from __future__ import annotations

from typing import Final

from metrics import catalogue as m
from metrics.boards.model import Board, Panel
from metrics.boards.promql import CHOSEN, newest, rate, share, slowest, total

_PARTITION: Final = "flow, topic, partition"
_STOPPED: Final = newest(m.FLOW_STATE, "flow", 'state="stopped"')
_PAUSED: Final = newest(m.FLOW_STATE, "flow", 'state="paused"')
_BAD: Final = rate(m.EVENTS_TOTAL, "flow", f'{CHOSEN}, outcome="dead_lettered"')
_UNREAD: Final = f"count by (flow) ({newest(m.OWNED, _PARTITION, CHOSEN)} == 0)"
_LETTERS: Final = newest(m.DEAD_LETTERS, "flow, reason")
_ALIVE: Final = newest(m.WORKERS, "state", 'state="alive"')

_NOW: Final = (
    Panel("Stopped flows", "They wait for a decision.", "short", {"": f"sum({_STOPPED})"}, now=True),
    Panel("Paused flows", "By an operator.", "short", {"": f"sum({_PAUSED})"}, now=True),
    Panel("Greatest lag", "Of all partitions.", "s", {"": f"max({m.LAG_SECONDS.name})"}, now=True),
    Panel("Open dead letters", "Of all flows; nothing where none is.", "short", {"": f"sum({_LETTERS})"}, now=True),
    Panel("Workers", "That have reported within 10 s.", "short", {"": _ALIVE}, now=True),
    Panel("Maintenance", "1: batch jobs rest.", "short", {"": f"max({m.MAINTENANCE.name})"}, now=True),
)

_LATE: Final = (
    Panel("Lag", m.LAG_SECONDS.meaning, "s", {"{{flow}}": newest(m.LAG_SECONDS, "flow", CHOSEN)}),
    Panel(
        "Commit to visible, slowest percent",
        m.EVENT_AGE.meaning,
        "s",
        {"{{flow}}": slowest(m.EVENT_AGE, "flow", CHOSEN), "{{flow}}: objective": newest(m.OBJECTIVE, "flow", CHOSEN)},
    ),
    Panel("Lag in records", m.LAG_RECORDS.meaning, "short", {"{{flow}}": total(m.LAG_RECORDS, "flow", CHOSEN)}),
)

_CARRIED: Final = (
    Panel("Events", "Settled a second.", "cps", {"{{flow}}": rate(m.EVENTS_TOTAL, "flow", CHOSEN)}),
    Panel("Outcomes", "What became of them, a second.", "cps", {"{{outcome}}": rate(m.EVENTS_TOTAL, "outcome", CHOSEN)}),
    Panel(
        "Share of dead letters",
        "People are told beyond 1 %.",
        "percentunit",
        {"{{flow}}": share(_BAD, rate(m.EVENTS_TOTAL, "flow", CHOSEN))},
    ),
)

_WAITING: Final = (
    Panel(
        "Open dead letters",
        m.DEAD_LETTERS.meaning,
        "short",
        {"{{flow}}: {{reason}}": newest(m.DEAD_LETTERS, "flow, reason", CHOSEN)},
    ),
    Panel("Parked keys", m.PARKED.meaning, "short", {"{{flow}}": newest(m.PARKED, "flow", CHOSEN)}),
    Panel("Partitions without a reader", "None but for seconds.", "short", {"{{flow}}": _UNREAD}),
)

FLOWS: Final = Board(
    "smart-sync-flows",
    "Smart sync: flows",
    (("Now", _NOW), ("How late", _LATE), ("How much", _CARRIED), ("What waits", _WAITING)),
    flows=m.OBJECTIVE.name,
)
