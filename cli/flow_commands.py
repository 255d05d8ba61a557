"""`pause`, `resume`, `resync` and `replay`: what operators do with a whole flow or a range of it."""

import asyncio
from typing import Annotated

import typer

from cli.broker import log_ranges
from cli.databases import databases
from cli.options import FlowName, Json, Reason, actor
from cli.output import show, table
from flows.model import Flow
from settings import PROGRAM, load_settings
from sinks.operations import flow_control
from sinks.operations.audit import RefusedError
from sinks.operations.flow_control import FlowStatus
from sinks.operations.positions import positions, rewind

AcceptTruncate = Annotated[
    bool, typer.Option("--accept-truncate", help="Rebuild the target of a flow whose source was truncated.")
]
PartitionOption = Annotated[int | None, typer.Option("--partition", min=0, help="The partition to read again.")]
FromOffset = Annotated[int | None, typer.Option("--from-offset", min=0, help="The first offset to read again.")]
Everything = Annotated[bool, typer.Option("--all", help="All partitions, from where their logs begin.")]
Topic = Annotated[str | None, typer.Option("--topic", help="One of the flow's topics; by default that of its source.")]


def pause(flow: FlowName, *, reason: Reason = None, as_json: Json = False) -> None:
    """Pause a flow on every worker. It stays paused, also across restarts, until it is resumed."""
    with databases(load_settings()) as sessions:
        _show(flow_control.pause(sessions[flow.target.table.database], flow, actor(), reason), as_json=as_json)


def resume(flow: FlowName, *, accept_truncate: AcceptTruncate = False, reason: Reason = None, as_json: Json = False) -> None:
    """Let a paused or stopped flow run again, from where it was."""
    with databases(load_settings()) as sessions:
        session = sessions[flow.target.table.database]
        _show(flow_control.resume(session, flow, actor(), reason, accept_truncate=accept_truncate), as_json=as_json)


def resync(flow: FlowName, *, reason: Reason = None, as_json: Json = False) -> None:
    """Have every partition of a flow rebuilt from its source."""
    with databases(load_settings()) as sessions:
        _show(flow_control.resync(sessions[flow.target.table.database], flow, actor(), reason), as_json=as_json)


def replay(  # noqa: PLR0913 each is an option of the command
    flow: FlowName,
    *,
    partition: PartitionOption = None,
    from_offset: FromOffset = None,
    everything: Everything = False,
    topic: Topic = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Have a partition read again from an offset on, or all of them. Rows that are newer in the target stay as they are."""
    settings = load_settings()
    topic = _topic(flow, topic)
    _one_way(flow, partition, from_offset, everything=everything)
    numbers = range(flow.partitions) if partition is None else [partition]
    logs = asyncio.run(log_ranges(settings.kafka, [(topic, number) for number in numbers]))
    if not logs:
        raise RefusedError(f"the broker has no {topic}; `{PROGRAM} connect apply` creates the flows' topics")
    with databases(settings) as sessions:
        session = sessions[flow.target.table.database]
        known = {found.partition for found in positions(session, flow) if found.topic == topic}
        again = {
            number: rewind(
                session,
                flow,
                topic,
                number,
                offset=log.start if from_offset is None else from_offset,
                log=log,
                actor=actor(),
                reason=reason,
            )
            for (_, number), log in logs.items()
            if partition is not None or number in known
        }
    records = sum(again.values())
    which = f"all partitions of {topic}" if partition is None else f"{topic}[{partition}]"
    document = {"flow": flow.name, "topic": topic, "records": records, "partitions": again}
    show(document, f"{flow.name} reads {records:,} records of {which} again", as_json=as_json)


def _one_way(flow: Flow, partition: int | None, from_offset: int | None, *, everything: bool) -> None:
    """Refuse what is neither one partition from an offset on nor everything."""
    if everything is (partition is not None) or (partition is None) is not (from_offset is None):
        raise typer.BadParameter("say --partition and --from-offset, or --all", param_hint="--partition")
    if partition is not None and partition >= flow.partitions:
        raise typer.BadParameter(f"{flow.name} has partitions 0 to {flow.partitions - 1}", param_hint="--partition")


def _topic(flow: Flow, topic: str | None) -> str:
    if topic is not None and topic not in flow.topics:
        raise typer.BadParameter(f"{flow.name} reads {' and '.join(flow.topics)}", param_hint="--topic")
    return topic or flow.topic


def _show(status: FlowStatus, *, as_json: bool) -> None:
    columns = ("flow", "state", "reason", "rebuilds asked for")
    show(status, table("Flow", columns, [(status.flow, status.state, status.reason, status.resync)]), as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (pause, resume, resync, replay):
        app.command()(command)
