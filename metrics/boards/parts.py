"""The parts that flows need: sources, connectors, workers, the intake of callbacks."""

from __future__ import annotations

from typing import Final

from metrics import catalogue as m
from metrics.boards.model import Board, Panel
from metrics.boards.promql import newest, rate, slowest

_HERE: Final = "{{instance}} {{database}}"
_STATES: Final = newest(m.CONNECTOR_STATE, "connector, state")
_TASKS: Final = newest(m.CONNECTOR_TASKS, "connector, state")
_SLOTS: Final = newest(m.SLOT_STATE, "database, state")

_SOURCES: Final = (
    Panel("Heartbeat", m.HEARTBEAT_AGE.meaning, "s", {"{{database}}": newest(m.HEARTBEAT_AGE, "database")}),
    Panel("WAL retained", m.SLOT_RETAINED.meaning, "bytes", {"{{database}}": newest(m.SLOT_RETAINED, "database")}),
    Panel("Share of the slot's limit", m.SLOT_SHARE.meaning, "percentunit", {"{{database}}": newest(m.SLOT_SHARE, "database")}),
)

_CONNECTORS: Final = (
    Panel("Connectors", m.CONNECTOR_STATE.meaning, "short", {"{{connector}}: {{state}}": f"{_STATES} > 0"}),
    Panel("Tasks", m.CONNECTOR_TASKS.meaning, "short", {"{{connector}}: {{state}}": _TASKS}),
    Panel("Slots", m.SLOT_STATE.meaning, "short", {"{{database}}: {{state}}": f"{_SLOTS} > 0"}),
)

_WORKERS: Final = (
    Panel("Memory", m.MEMORY.meaning, "bytes", {"{{instance}}": m.MEMORY.name}),
    Panel("Event loop held up", m.LOOP_DELAY.meaning, "s", {"{{instance}}": m.LOOP_DELAY.name}),
    Panel(
        "Connections",
        "In use, and tasks that wait for one.",
        "short",
        {_HERE: m.POOL_IN_USE.name, _HERE + ": waiting": m.POOL_WAITING.name},
    ),
)

_LANES: Final = (
    Panel("Partitions", m.LANES.meaning, "short", {"{{flow}}: {{state}}": f"sum by (flow, state) ({m.LANES.name}) > 0"}),
    Panel("Tables on disk", m.ROCKSDB.meaning, "bytes", {"{{instance}} {{table}}": m.ROCKSDB.name}),
    Panel("What can be asked", m.COLLECTOR_UP.meaning, "short", {"{{source}}": newest(m.COLLECTOR_UP, "source")}),
)

_CALLBACKS: Final = (
    Panel(
        "Answered",
        m.CALLBACKS_TOTAL.meaning,
        "reqps",
        {"{{callback}}: {{outcome}}": rate(m.CALLBACKS_TOTAL, "callback, outcome")},
    ),
    Panel(
        "Time to the answer, slowest percent",
        m.CALLBACK_SECONDS.meaning,
        "s",
        {"{{callback}}": slowest(m.CALLBACK_SECONDS, "callback")},
    ),
)

PARTS: Final = Board(
    "smart-sync-parts",
    "Smart sync: sources, workers, callbacks",
    (
        ("Sources", _SOURCES),
        ("Connectors", _CONNECTORS),
        ("Workers", _WORKERS),
        ("Lanes and tables", _LANES),
        ("Callbacks", _CALLBACKS),
    ),
)
