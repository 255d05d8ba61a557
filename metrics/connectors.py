"""How the connectors do, from Kafka Connect's own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows.registry import flows_from
from flows.replication import replication_name
from flows.tables import Database
from metrics import catalogue
from metrics.samples import Samples

MISSING: Final = "missing"
STATES: Final = ("running", "paused", "stopped", "failed", "unassigned", "restarting", MISSING)


@dataclass(frozen=True)
class Connector:
    """States in Connect's words, in lower case."""

    state: str
    tasks: Sequence[str]


def connectors(answer: Mapping[str, Any]) -> dict[str, Connector]:
    """Read the answer of ``GET /connectors?expand=status``: those that the flows need, also missing ones."""
    names = [replication_name(database) for database in Database if flows_from(database)]
    return {name: _connector(answer[name]["status"]) if name in answer else Connector(MISSING, ()) for name in names}


def connector_samples(facts: Mapping[str, Connector], _: float) -> Samples:
    """States of connectors and numbers of tasks."""
    samples = Samples()
    for name, connector in facts.items():
        samples.one_hot(catalogue.CONNECTOR_STATE, STATES, connector.state, name)
        tasks = Counter(connector.tasks)
        for state in STATES[:-1]:
            samples.set(catalogue.CONNECTOR_TASKS, tasks[state], name, state)
    return samples


def _connector(status: Mapping[str, Any]) -> Connector:
    return Connector(status["connector"]["state"].lower(), [task["state"].lower() for task in status["tasks"]])
