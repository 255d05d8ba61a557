"""Whom the notifier tells what. And that it sees what Prometheus sees: it is shown the same series."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from alerts.judgement import Kind, judge
from alerts.registry import ALERTS
from metrics import catalogue
from metrics.catalogue import METRICS
from metrics.samples import Samples
from tests.unit.alerts.cases import CASES, SILENT_IN_MAINTENANCE

ALERT = {alert.name: alert for alert in ALERTS}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
REPEAT = timedelta(hours=4)
SERIES = re.compile(r"(\w+)(?:\{(.*)\})?")
CONSTANT = re.compile(r"([\d.]+)x\d+")


class Memory:
    """What is remembered from round to round, as the database would."""

    def __init__(self):
        self.states = {}

    def round(self, samples, at, *, arrives=True):
        judged = judge(ALERTS, samples, self.states.values(), at, REPEAT)
        for state in judged.begun:
            self.states[state.alert, state.labels] = state
        for state in judged.over:
            del self.states[state.alert, state.labels]
        for notice in judged.notices if arrives else ():
            key = (notice.before.alert, notice.before.labels)
            self.states[key] = notice.after
            if notice.after is None:
                del self.states[key]
        return [(notice.kind, notice.alert.name, dict(notice.before.labels)) for notice in judged.notices], judged.notices


def lag(seconds, flow="feed", partition="0"):
    samples = Samples()
    samples.set(catalogue.LAG_SECONDS, seconds, flow, "topic", partition)
    return samples


LATE = (Kind.FIRING, "SyncLag", {"flow": "feed"})
IN_TIME = (Kind.RESOLVED, "SyncLag", {"flow": "feed"})


def test_people_are_told_once_when_it_has_lasted_long_enough():
    memory = Memory()
    assert memory.round(lag(90), NOON)[0] == []
    assert memory.round(lag(90), NOON + MINUTE)[0] == [LATE]
    assert memory.round(lag(90), NOON + 2 * MINUTE)[0] == []


def test_what_ends_before_it_has_lasted_long_enough_is_not_told():
    memory = Memory()
    memory.round(lag(90), NOON)
    assert memory.round(lag(0), NOON + MINUTE / 2)[0] == []
    assert memory.round(lag(90), NOON + MINUTE)[0] == []
    assert memory.states["SyncLag", (("flow", "feed"),)].since == NOON + MINUTE


def test_people_are_told_once_when_it_is_over():
    memory = Memory()
    memory.round(lag(90), NOON)
    memory.round(lag(90), NOON + MINUTE)
    assert memory.round(lag(1), NOON + 2 * MINUTE)[0] == [IN_TIME]
    assert memory.round(lag(1), NOON + 3 * MINUTE)[0] == []
    assert memory.states == {}


def test_people_are_told_again_after_hours_and_not_before():
    memory = Memory()
    memory.round(lag(90), NOON)
    memory.round(lag(90), NOON + MINUTE)
    assert memory.round(lag(90), NOON + MINUTE + REPEAT - timedelta(seconds=1))[0] == []
    assert memory.round(lag(90), NOON + MINUTE + REPEAT)[0] == [LATE]


def test_a_message_that_does_not_arrive_is_tried_again_under_the_same_id():
    memory = Memory()
    memory.round(lag(90), NOON)
    _, (first,) = memory.round(lag(90), NOON + MINUTE, arrives=False)
    _, (second,) = memory.round(lag(90), NOON + 2 * MINUTE)
    assert first.webhook_id == second.webhook_id
    _, (again,) = memory.round(lag(90), NOON + 2 * MINUTE + REPEAT)
    assert again.webhook_id != first.webhook_id


def test_nothing_is_called_over_while_something_cannot_be_asked():
    memory = Memory()
    memory.round(lag(90), NOON)
    memory.round(lag(90), NOON + MINUTE)
    blind = Samples()
    blind.set(catalogue.COLLECTOR_UP, 0, "kafka")
    assert memory.round(blind, NOON + 2 * MINUTE)[0] == []
    seen = lag(0)
    seen.set(catalogue.COLLECTOR_UP, 1, "kafka")
    assert memory.round(seen, NOON + 2 * MINUTE)[0] == [IN_TIME]


def test_partitions_of_a_flow_are_one_alert_and_flows_are_not():
    samples = lag(90)
    samples.update(lag(400, partition="1"))
    samples.update(lag(90, flow="other"))
    memory = Memory()
    memory.round(samples, NOON)
    told = memory.round(samples, NOON + MINUTE)[0]
    assert sorted((name, labels["flow"]) for _, name, labels in told) == [
        ("SyncLag", "feed"),
        ("SyncLag", "other"),
        ("SyncLagCritical", "feed"),
    ]


def test_what_another_release_has_told_is_forgotten_without_a_word():
    memory = Memory()
    memory.round(lag(90), NOON)
    (state,) = [state for (name, _), state in memory.states.items() if name == "SyncLag"]
    judged = judge([ALERT["SyncDeadLetters"]], Samples(), [state], NOON + HOUR, REPEAT)
    assert (list(judged.over), list(judged.notices)) == ([state], [])


def seconds_of(at):
    return int(at[:-1]) * {"m": 60, "h": 3600}[at[-1]]


def samples_of(case):
    """What one worker knows where several tell the same; ``None`` where a series moves."""
    samples = Samples()
    for series, values in case.series.items():
        name, labels = SERIES.fullmatch(series).groups()
        value = CONSTANT.fullmatch(values)
        metric = METRICS.get(name)
        if metric is None or value is None:
            return None
        found = dict(re.findall(r'(\w+)="([^"]*)"', labels or ""))
        samples.set(metric, float(value[1]), *(found[label] for label in metric.labels))
    return samples


#: What only Prometheus looks for: a series that is not there.
NOT_SEEN = {"none has ever come"}


def shown():
    for name, cases in CASES.items():
        for case in cases if ALERT[name].comparison else ():
            samples = samples_of(case)
            if samples is not None and case.title not in NOT_SEEN and seconds_of(case.at) >= ALERT[name].lasting.total_seconds():
                yield pytest.param(ALERT[name], samples, case, id=f"{name}: {case.title}")


@pytest.mark.parametrize(("alert", "samples", "case"), list(shown()))
def test_the_notifier_sees_what_prometheus_sees(alert, samples, case):
    found = alert.of(samples, seconds_of(case.at))
    assert sorted(map(dict, found), key=str) == sorted(case.fires, key=str)


@pytest.mark.parametrize("name", sorted({param.values[0].name for param in shown()}))
def test_maintenance_silences_the_notifier_as_it_silences_prometheus(name):
    _, samples, case = next(param.values for param in shown() if param.values[0].name == name and param.values[2].fires)
    samples.set(catalogue.MAINTENANCE, 1)
    assert bool(ALERT[name].of(samples, seconds_of(case.at))) is (name not in SILENT_IN_MAINTENANCE)


def test_everything_that_the_notifier_covers_is_compared_with_prometheus():
    covered = {alert.name for alert in ALERTS if alert.comparison}
    assert covered - {param.values[0].name for param in shown()} == set()
