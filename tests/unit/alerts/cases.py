"""What Prometheus sees and whom it then calls: written down from the specification, not from the definitions of the alerts.

Series are in promtool's notation, one value a minute: `61x20` stays at 61, `0+5x20` grows by 5.
"""

from dataclasses import dataclass

GIB = 2**30
HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True)
class Case:
    """At `at` the alert fires for `fires`, a set of labels each; none: it is silent. `step`: between values and between looks."""

    title: str
    series: dict[str, str]
    at: str
    fires: tuple[dict[str, str], ...] = ()
    step: str = "1m"


def fires(title, series, at, step="1m", **labels):
    return Case(title, series, at, (labels,), step)


def silent(title, series, at, step="1m"):
    return Case(title, series, at, (), step)


def of_two_workers(name, labels, values):
    """The same fact as two workers tell it: it is one alert."""
    return {f'{name}{{{labels}, instance="{worker}"}}': values for worker in ("a:6066", "b:6066")}


def events(flow, good, bad):
    return {
        f'sync_events_total{{flow="{flow}", outcome="applied", instance="a"}}': good,
        f'sync_events_total{{flow="{flow}", outcome="dead_lettered", instance="a"}}': bad,
    }


def lag(seconds):
    return of_two_workers("sync_partition_lag_seconds", 'flow="feed", topic="t", partition="3"', f"{seconds}x20")


def job(name, value, more=""):
    return of_two_workers(name, f'batch_job="nightly"{more}', value)


def slot(share):
    return of_two_workers("sync_slot_limit_ratio", 'database="warehouse"', f"{share}x20")


def ages(fast, slow):
    """Changes a minute that were visible within 5 s, and that took up to 10 s."""
    return {
        'sync_event_age_seconds_bucket{flow="feed", le="5"}': f"0+{fast}x40",
        'sync_event_age_seconds_bucket{flow="feed", le="10"}': f"0+{fast + slow}x40",
        'sync_event_age_seconds_bucket{flow="feed", le="+Inf"}': f"0+{fast + slow}x40",
        'sync_flow_objective_seconds{flow="feed"}': "5x40",
    }


def rates(last_week, now):
    """Events an hour, a value every half hour, for a week and then."""
    behind = last_week * 7 * 24
    values = f"0+{last_week / 2:g}x{7 * 24 * 2} {behind + now / 2:g}+{now / 2:g}x10"
    return {'sync_events_total{flow="feed", outcome="applied"}': values}


def succeeded(seconds_since_1970, since=0):
    """Of a job that runs every hour for ten minutes at most. promtool's clock begins in 1970."""
    return {
        **job("sync_job_last_success_timestamp_seconds", f"{seconds_since_1970}x300"),
        **job("sync_job_since_timestamp_seconds", f"{since}x300"),
        **job("sync_job_period_seconds", f"{HOUR}x300"),
        **job("sync_job_expected_seconds", "600x300"),
    }


def state(name, labels, value):
    return of_two_workers(name, f'{labels}, state="{value}"', "1x90")


PAUSED = {'sync_flow_state{flow="feed", state="paused"}': "1x20"}
FEED = {"flow": "feed"}
NIGHTLY = {"batch_job": "nightly"}
WAREHOUSE = {"database": "warehouse"}
CONNECTOR = {"connector": "sync_warehouse"}

CASES: dict[str, list[Case]] = {
    "SyncFlowStopped": [
        fires("a flow has stopped itself", state("sync_flow_state", 'flow="feed"', "stopped"), "0m", **FEED),
        silent("it runs", state("sync_flow_state", 'flow="feed"', "running"), "5m"),
        silent("it has gone on", {'sync_flow_state{flow="feed", state="stopped"}': "1 1 0 0"}, "3m"),
    ],
    "SyncFlowPaused": [
        fires("for an hour", state("sync_flow_state", 'flow="feed"', "paused"), "61m", **FEED),
        silent("for less", state("sync_flow_state", 'flow="feed"', "paused"), "59m"),
    ],
    "SyncLag": [
        fires("61 s for more than a minute", lag(61), "2m", **FEED),
        silent("60 s", lag(60), "10m"),
        silent("for a moment", {'sync_partition_lag_seconds{flow="feed", topic="t", partition="0"}': "90 0x9"}, "2m"),
        silent("an operator has paused the flow", lag(400) | PAUSED, "10m"),
        fires(
            "another flow is paused",
            lag(61) | {'sync_flow_state{flow="other", state="paused"}': "1x20"},
            "5m",
            **FEED,
        ),
    ],
    "SyncLagCritical": [
        fires("301 s for more than a minute", lag(301), "2m", **FEED),
        silent("300 s", lag(300), "10m"),
        silent("an operator has paused the flow", lag(400) | PAUSED, "10m"),
    ],
    "SyncObjectiveMissed": [
        fires("2 % are too slow for ten minutes", ages(980, 20), "17m", **FEED),
        silent("half a percent is", ages(995, 5), "30m"),
        silent("for a few minutes", ages(980, 20), "6m"),
    ],
    "SyncErrorRate": [
        fires("11 of 1000", events("feed", "0+989x30", "0+11x30"), "20m", **FEED),
        silent("10 of 1000", events("feed", "0+990x30", "0+10x30"), "20m"),
        silent("nothing happens", events("feed", "7x30", "3x30"), "20m"),
    ],
    "SyncDeadLetters": [
        fires(
            "1001 of two kinds, told by two workers",
            of_two_workers("sync_dead_letters_open", 'flow="feed", reason="wrong_type"', "1000x5")
            | of_two_workers("sync_dead_letters_open", 'flow="feed", reason="out_of_range"', "1x5"),
            "0m",
            **FEED,
        ),
        silent("1000", of_two_workers("sync_dead_letters_open", 'flow="feed", reason="wrong_type"', "1000x5"), "5m"),
    ],
    "SyncRateDrop": [
        fires("49 % of last week", rates(1200, 588), "170h", step="30m", **FEED),
        silent("51 % of last week", rates(1200, 612), "170h", step="30m"),
        silent("99 an hour last week", rates(99, 0), "170h", step="30m"),
        fires("102 an hour last week and none now", rates(102, 0), "170h", step="30m", **FEED),
        fires(
            "nobody even tells how many",
            {'sync_events_total{flow="feed", outcome="applied"}': f"0+600x{7 * 24 * 2}"},
            "170h",
            step="30m",
            **FEED,
        ),
    ],
    "SyncUpstreamLoss": [
        fires("the slot is gone", {'sync_upstream_loss{flow="feed", kind="slot"}': "1x9"}, "0m", **FEED, kind="slot"),
        silent("it was made good", {'sync_upstream_loss{flow="feed", kind="slot"}': "1 1 0x9"}, "5m"),
        silent("none", {'sync_upstream_loss{flow="feed", kind="slot"}': "0x9"}, "5m"),
    ],
    "SyncJobFailed": [
        fires("at once", job("sync_job_last_result", "1x9", ', result="failed"'), "0m", **NIGHTLY),
        silent("the next run succeeded", job("sync_job_last_result", "1 1 0x9", ', result="failed"'), "4m"),
        silent("it succeeded", job("sync_job_last_result", "1x9", ', result="succeeded"'), "4m"),
    ],
    "SyncJobLate": [
        fires("901 s after its time", job("sync_job_late_seconds", "901x9"), "0m", **NIGHTLY),
        silent("900 s after its time", job("sync_job_late_seconds", "900x9"), "9m"),
    ],
    "SyncJobNoSuccess": [
        fires("two periods and a run's time, and a quarter of an hour", succeeded(0), "148m", **NIGHTLY),
        silent("two periods", succeeded(0), "121m"),
        silent("an hour ago", succeeded(HOUR * 3), "240m"),
        fires(
            "never yet, since it is known",
            {name: values for name, values in succeeded(0, since=0).items() if "success" not in name},
            "148m",
            **NIGHTLY,
        ),
        silent(
            "never yet, but it is new",
            {name: values for name, values in succeeded(0, since=2 * HOUR).items() if "success" not in name},
            "148m",
        ),
    ],
    "SyncJobSlow": [
        fires(
            "1201 s instead of 600",
            job("sync_job_duration_seconds", "1201x9") | job("sync_job_expected_seconds", "600x9"),
            "0m",
            **NIGHTLY,
        ),
        silent(
            "1200 s instead of 600",
            job("sync_job_duration_seconds", "1200x9") | job("sync_job_expected_seconds", "600x9"),
            "9m",
        ),
    ],
    "SyncJobVolume": [
        *[
            Case(
                f"{read} rows instead of 1000",
                job("sync_job_rows", f"{read}x9", ', rows="read"') | job("sync_job_expected_rows", "1000x9"),
                "5m",
                (NIGHTLY,) if called else (),
            )
            for read, called in [(499, True), (500, False), (1000, False), (1500, False), (1501, True)]
        ],
        silent("nobody says how many", job("sync_job_rows", "7x9", ', rows="read"'), "5m"),
    ],
    "SyncJobSuccessRate": [
        fires(
            "98 of 100",
            job("sync_job_runs_week", "98x9", ', result="succeeded"') | job("sync_job_runs_week", "2x9", ', result="failed"'),
            "0m",
            **NIGHTLY,
        ),
        silent(
            "99 of 100",
            job("sync_job_runs_week", "99x9", ', result="succeeded"') | job("sync_job_runs_week", "1x9", ', result="failed"'),
            "9m",
        ),
        silent(
            "what was superseded is no failure",
            job("sync_job_runs_week", "7x9", ', result="succeeded"')
            | job("sync_job_runs_week", "0x9", ', result="failed"')
            | job("sync_job_runs_week", "70x9", ', result="superseded"'),
            "9m",
        ),
    ],
    "SyncEventsMissed": [
        fires("one row", job("sync_job_rows", "1x9", ', rows="missed"'), "0m", **NIGHTLY),
        silent("none", job("sync_job_rows", "0x9", ', rows="missed"'), "9m"),
    ],
    "SyncMaintenanceOverrun": [
        fires(
            "since more than two hours", of_two_workers("sync_maintenance_since_timestamp_seconds", 'job="w"', "0x200"), "122m"
        ),
        silent("for two hours", of_two_workers("sync_maintenance_since_timestamp_seconds", 'job="w"', "0x200"), "120m"),
        silent("it has ended", {"sync_maintenance_since_timestamp_seconds": "0x125 _x60"}, "150m"),
    ],
    "SyncMismatchFound": [
        fires(
            "one row is missing",
            of_two_workers("sync_reconciliation_differences", 'flow="feed", difference="missing"', "1x9"),
            "0m",
            **FEED,
        ),
        silent("none", of_two_workers("sync_reconciliation_differences", 'flow="feed", difference="extra"', "0x9"), "9m"),
    ],
    "SyncMismatchLeft": [
        fires("one row", of_two_workers("sync_reconciliation_unrepaired_rows", 'flow="feed"', "1x9"), "0m", **FEED),
        silent("none", of_two_workers("sync_reconciliation_unrepaired_rows", 'flow="feed"', "0x9"), "9m"),
    ],
    "SyncReconciliationUndecided": [
        fires("it could not tell", state("sync_reconciliation_state", 'flow="feed"', "undecided"), "0m", **FEED),
        silent("it is done", state("sync_reconciliation_state", 'flow="feed"', "done"), "9m"),
    ],
    "SyncConnectorDown": [
        *[
            fires(how, state("sync_connector_state", 'connector="sync_warehouse"', how), "3m", **CONNECTOR)
            for how in ("failed", "missing", "paused", "stopped", "unassigned")
        ],
        *[
            silent(how, state("sync_connector_state", 'connector="sync_warehouse"', how), "30m")
            for how in ("running", "restarting")
        ],
        silent("for a minute", state("sync_connector_state", 'connector="sync_warehouse"', "failed"), "1m"),
    ],
    "SyncConnectorTaskFailed": [
        fires("its task", state("sync_connector_tasks", 'connector="sync_warehouse"', "failed"), "3m", **CONNECTOR),
        silent("it runs", state("sync_connector_tasks", 'connector="sync_warehouse"', "running"), "9m"),
        silent("it was restarted", {'sync_connector_tasks{connector="sync_warehouse", state="failed"}': "1 0x9"}, "5m"),
    ],
    "SyncHeartbeatSilent": [
        fires("for 61 s", of_two_workers("sync_heartbeat_age_seconds", 'database="warehouse"', "61x9"), "2m", **WAREHOUSE),
        silent("for 60 s", of_two_workers("sync_heartbeat_age_seconds", 'database="warehouse"', "60x9"), "9m"),
        fires(
            "none has ever come",
            {'sync_slot_active{database="warehouse"}': "0x9", 'sync_slot_active{database="citizen"}': "1x9"}
            | {'sync_heartbeat_age_seconds{database="citizen"}': "3x9"},
            "5m",
            **WAREHOUSE,
        ),
    ],
    "SyncSlotHalf": [fires("0.5", slot(0.5), "2m", **WAREHOUSE), silent("0.49", slot(0.49), "9m")],
    "SyncSlotNearlyLost": [fires("0.8", slot(0.8), "0m", **WAREHOUSE), silent("0.79", slot(0.79), "9m")],
    "SyncSlotRetains": [
        fires(
            "more than 10 GiB",
            of_two_workers("sync_slot_retained_bytes", 'database="warehouse"', f"{10 * GIB + 1}x9"),
            "2m",
            **WAREHOUSE,
        ),
        silent("10 GiB", of_two_workers("sync_slot_retained_bytes", 'database="warehouse"', f"{10 * GIB}x9"), "9m"),
    ],
    "SyncSlotLost": [
        *[fires(how, state("sync_slot_state", 'database="warehouse"', how), "2m", **WAREHOUSE) for how in ("lost", "missing")],
        *[silent(how, state("sync_slot_state", 'database="warehouse"', how), "9m") for how in ("reserved", "extended")],
    ],
    "SyncNoWorker": [
        fires(
            "both are down", {'up{job="sync-worker", instance="a"}': "0x9", 'up{job="sync-worker", instance="b"}': "0x9"}, "2m"
        ),
        fires("Prometheus knows of none", {'up{job="another"}': "1x9"}, "2m"),
        silent("one is left", {'up{job="sync-worker", instance="a"}': "0x9", 'up{job="sync-worker", instance="b"}': "1x9"}, "9m"),
    ],
    "SyncNoCallbacks": [
        fires("it is down", {'up{job="sync-callbacks", instance="a"}': "0x9"}, "2m"),
        fires("Prometheus knows of none", {'up{job="sync-worker"}': "1x9"}, "2m"),
        silent("it answers", {'up{job="sync-callbacks", instance="a"}': "1x9"}, "9m"),
    ],
    "SyncTargetDown": [
        fires(
            "one of two",
            {'up{job="sync-worker", instance="a"}': "0x9", 'up{job="sync-worker", instance="b"}': "1x9"},
            "3m",
            job="sync-worker",
            instance="a",
        ),
        silent("somebody else's", {'up{job="another", instance="a"}': "0x9"}, "9m"),
        silent("it was restarted", {'up{job="sync-worker", instance="a"}': "0 1x9"}, "5m"),
    ],
    "SyncPartitionUnowned": [
        fires(
            "one of two",
            of_two_workers("sync_partition_owned", 'flow="feed", topic="t", partition="0"', "1x9")
            | of_two_workers("sync_partition_owned", 'flow="feed", topic="t", partition="1"', "0x9"),
            "3m",
            **FEED,
        ),
        silent(
            "a worker has not looked again yet",
            {
                'sync_partition_owned{flow="feed", topic="t", partition="1", instance="a"}': "0x9",
                'sync_partition_owned{flow="feed", topic="t", partition="1", instance="b"}': "1x9",
            },
            "9m",
        ),
        silent("a rebalance", {'sync_partition_owned{flow="feed", topic="t", partition="1"}': "0 1x9"}, "5m"),
    ],
    "SyncWorkerNotReady": [
        fires(
            "for ten minutes",
            {'sync_worker_ready{instance="a"}': "0x20", 'sync_worker_ready{instance="b"}': "1x20"},
            "11m",
            instance="a",
        ),
        silent("while it recovers", {'sync_worker_ready{instance="a"}': "0x8 1x9"}, "12m"),
    ],
    "SyncCallbacksNotReady": [
        fires("none is", {'sync_callbacks_ready{instance="a"}': "0x9", 'sync_callbacks_ready{instance="b"}': "0x9"}, "3m"),
        silent("one is", {'sync_callbacks_ready{instance="a"}': "0x9", 'sync_callbacks_ready{instance="b"}': "1x9"}, "9m"),
    ],
    "SyncBlind": [
        fires("no worker can", of_two_workers("sync_collector_up", 'source="kafka"', "0x9"), "3m", source="kafka"),
        silent(
            "one can",
            {
                'sync_collector_up{source="kafka", instance="a"}': "0x9",
                'sync_collector_up{source="kafka", instance="b"}': "1x9",
            },
            "9m",
        ),
    ],
}

#: What maintenance brings with it: databases, brokers and connectors away, batch jobs at rest, event flows waiting.
SILENT_IN_MAINTENANCE = {
    "SyncFlowPaused",
    "SyncLag",
    "SyncLagCritical",
    "SyncObjectiveMissed",
    "SyncRateDrop",
    "SyncJobLate",
    "SyncJobNoSuccess",
    "SyncJobSlow",
    "SyncConnectorDown",
    "SyncConnectorTaskFailed",
    "SyncHeartbeatSilent",
    "SyncWorkerNotReady",
    "SyncBlind",
}
CRITICAL = {
    "SyncFlowStopped",
    "SyncLagCritical",
    "SyncUpstreamLoss",
    "SyncJobFailed",
    "SyncJobNoSuccess",
    "SyncMismatchLeft",
    "SyncConnectorDown",
    "SyncConnectorTaskFailed",
    "SyncHeartbeatSilent",
    "SyncSlotNearlyLost",
    "SyncSlotLost",
    "SyncNoWorker",
    "SyncNoCallbacks",
    "SyncPartitionUnowned",
    "SyncCallbacksNotReady",
}
