"""What is wrong with connectors, in words that say what to do."""

from collections.abc import Iterable, Iterator

from cli.connect_rest import FAILED, MISSING, RUNNING, ConnectorStatus
from settings import PROGRAM

HALTED = ("PAUSED", "STOPPED")
RESTART = f"`{PROGRAM} connect restart` starts it again, Kafka Connect's log has the whole trace"


def connector_problems(connectors: Iterable[ConnectorStatus]) -> list[str]:
    """One line for each connector or task that does not run; empty when all do."""
    return [problem for each in connectors if not each.running for problem in _problems(each)]


def _problems(connector: ConnectorStatus) -> Iterator[str]:
    name, state = f"connector {connector.name}", connector.state
    if state == MISSING:
        yield f"{name} does not exist: `{PROGRAM} connect apply` makes it"
    elif state in HALTED:
        yield f"{name} is {state}: PUT /connectors/{connector.name}/resume at Kafka Connect lets it go on"
    elif state != RUNNING:
        yield _problem(name, state, connector.trace)
    elif not connector.tasks:
        yield f"{name} has no task yet: look again in a minute, then in Kafka Connect's log"
    yield from (
        _problem(f"task {task.id} of {name}", task.state, task.trace)
        for task in connector.tasks
        if task.state not in (RUNNING, state if state in HALTED else RUNNING)
    )


def _problem(what: str, state: str, trace: str | None) -> str:
    if state == FAILED:
        return f"{what} has failed: {trace or 'no cause given'}; {RESTART}"
    return f"{what} is {state}: Kafka Connect is moving it; look again in a minute"
