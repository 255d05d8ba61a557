"""Batch jobs and the reconciliation."""

from __future__ import annotations

from typing import Final

from metrics import catalogue as m
from metrics.boards.model import Board, Panel
from metrics.boards.promql import ago, newest, share

_JOB: Final = "batch_job"
_NAME: Final = "{{batch_job}}"
_MISSED: Final = newest(m.JOB_ROWS, _JOB, 'rows="missed"')

_TIMES: Final = (
    Panel("Since the last success", m.JOB_LAST_SUCCESS.meaning, "s", {_NAME: ago(m.JOB_LAST_SUCCESS, _JOB)}),
    Panel(
        "Duration against estimate",
        "People are told beyond 200 %.",
        "percentunit",
        {_NAME: share(newest(m.JOB_DURATION, _JOB), newest(m.JOB_EXPECTED, _JOB))},
    ),
    Panel("Late", m.JOB_LATE.meaning, "s", {_NAME: newest(m.JOB_LATE, _JOB)}),
)

_RUNS: Final = (
    Panel("At work", m.JOB_PROGRESS.meaning, "percentunit", {_NAME: newest(m.JOB_PROGRESS, _JOB)}),
    Panel("Until the next run", m.JOB_NEXT.meaning, "s", {_NAME: f"{newest(m.JOB_NEXT, _JOB)} - time()"}),
    Panel("Runs of a week", m.JOB_WEEK.meaning, "short", {_NAME + ": {{result}}": newest(m.JOB_WEEK, "batch_job, result")}),
)

_ROWS: Final = (
    Panel("Rows of the newest run", m.JOB_ROWS.meaning, "short", {_NAME + ": {{rows}}": newest(m.JOB_ROWS, "batch_job, rows")}),
    Panel("Rows that events had missed", "None: the proof of the event path.", "short", {_NAME: _MISSED}),
)

_COMPARED: Final = (
    Panel("Since the last comparison", m.RECONCILED.meaning, "s", {"{{flow}}": ago(m.RECONCILED, "flow")}),
    Panel(
        "Differences",
        m.DIFFERENCES.meaning,
        "short",
        {"{{flow}}: {{difference}}": newest(m.DIFFERENCES, "flow, difference")},
    ),
    Panel(
        "Repaired and left",
        "Rows put right, and rows that still differ.",
        "short",
        {"{{flow}}: repaired": newest(m.REPAIRED, "flow"), "{{flow}}: left": newest(m.UNREPAIRED, "flow")},
    ),
)

JOBS: Final = Board(
    "smart-sync-jobs",
    "Smart sync: batch jobs and reconciliation",
    (("Batch jobs", _TIMES), ("Runs", _RUNS), ("Rows", _ROWS), ("Reconciliation", _COMPARED)),
)
