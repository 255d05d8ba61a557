"""Alerts of batch jobs, maintenance and the reconciliation. Periods, estimates and volumes are the definitions', as metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from alerts import wording
from alerts.condition import Comparison, Expression, Reading
from alerts.model import IN_MAINTENANCE, Alert, Severity
from batch_timers.closures import MAINTENANCE
from metrics import catalogue as m
from settings import Alerts

DURATION_FACTOR: Final = 2.0
VOLUME_SHARE: Final = 0.5
FAILED_SHARE: Final = 0.01
#: How long maintenance lasts by the calendar.
WINDOW: Final = timedelta(hours=MAINTENANCE[1].hour - MAINTENANCE[0].hour)

_JOB: Final = ("batch_job",)
_EACH: Final = "max by (batch_job)"
_LAST_SUCCESS: Final = f"({_EACH} ({m.JOB_LAST_SUCCESS.name}) or {_EACH} ({m.JOB_SINCE.name}))"
_ENDED: Final = f'sum by (batch_job) (max by (batch_job, result) ({m.JOB_WEEK.name}{{result=~"succeeded|failed"}}))'
_READ_SHARE: Final = f'{_EACH} ({m.JOB_ROWS.name}{{rows="read"}}) / {_EACH} ({m.JOB_VOLUME.name})'


def jobs(limits: Alerts) -> tuple[Alert, ...]:
    """In the order of their runbooks."""
    return (
        Alert(
            name="SyncJobFailed",
            severity=Severity.CRITICAL,
            condition=Comparison(Reading(m.JOB_LAST_RESULT, _JOB, {"result": ("failed",)}), ">", 0),
            says="The last run of batch job {batch_job} failed: its rows are not synchronised until a run succeeds.",
        ),
        Alert(
            name="SyncJobLate",
            severity=Severity.WARNING,
            condition=Comparison(Reading(m.JOB_LATE, _JOB), ">", limits.job_late),
            says=f"Batch job {{batch_job}} should have started more than {wording.time(limits.job_late)} ago and has not.",
            quiet_while=(IN_MAINTENANCE,),
        ),
        Alert(
            name="SyncJobNoSuccess",
            severity=Severity.CRITICAL,
            condition=Expression(
                f"time() - {_LAST_SUCCESS} > {limits.job_periods:g} * {_EACH} ({m.JOB_PERIOD.name})"
                f" + {limits.patience:g} * {_EACH} ({m.JOB_EXPECTED.name})"
            ),
            says=f"Batch job {{batch_job}} has not succeeded for {limits.job_periods:g} of its periods: its target gets old.",
            lasting=timedelta(minutes=15),
            quiet_while=(IN_MAINTENANCE,),
        ),
        Alert(
            name="SyncJobSlow",
            severity=Severity.WARNING,
            condition=Comparison(Reading(m.JOB_DURATION, _JOB), ">", Reading(m.JOB_EXPECTED, _JOB), DURATION_FACTOR),
            says="Batch job {batch_job} takes, or took, more than twice as long as it should.",
            quiet_while=(IN_MAINTENANCE,),
        ),
        Alert(
            name="SyncJobVolume",
            severity=Severity.WARNING,
            condition=Expression(f"abs({_READ_SHARE} - 1) > {VOLUME_SHARE:g}"),
            says="The last run of batch job {batch_job} read less than half, or more than one and a half times, of the usual"
            " rows.",
        ),
        Alert(
            name="SyncJobSuccessRate",
            severity=Severity.WARNING,
            condition=Expression(f'{_EACH} ({m.JOB_WEEK.name}{{result="failed"}}) / {_ENDED} > {FAILED_SHARE:g}'),
            says="Less than 99 % of the runs of batch job {batch_job} succeeded in the last seven days.",
        ),
        Alert(
            name="SyncEventsMissed",
            severity=Severity.WARNING,
            condition=Comparison(Reading(m.JOB_ROWS, _JOB, {"rows": ("missed",)}), ">", 0),
            says="Batch job {batch_job} put rows right whose events had not come: the event path lost something.",
        ),
        Alert(
            name="SyncMaintenanceOverrun",
            severity=Severity.WARNING,
            condition=Comparison(Reading(m.MAINTENANCE_SINCE, age=True), ">", WINDOW.total_seconds()),
            says="Maintenance has gone on for longer than its two hours: batch jobs rest and many alerts are silent.",
            lasting=timedelta(minutes=1),
        ),
    )


RECONCILIATION: Final = (
    Alert(
        name="SyncMismatchFound",
        severity=Severity.WARNING,
        condition=Comparison(Reading(m.DIFFERENCES, ("flow",), total=True), ">", 0),
        says="The last reconciliation found rows of flow {flow} that differed from their source.",
    ),
    Alert(
        name="SyncMismatchLeft",
        severity=Severity.CRITICAL,
        condition=Comparison(Reading(m.UNREPAIRED, ("flow",)), ">", 0),
        says="Rows of flow {flow} differ from their source and the reconciliation could not repair them.",
    ),
    Alert(
        name="SyncReconciliationUndecided",
        severity=Severity.WARNING,
        condition=Comparison(Reading(m.RECONCILIATION_STATE, ("flow",), {"state": ("undecided",)}), ">", 0),
        says="The last reconciliation of flow {flow} could not decide whether rows differ.",
    ),
)
