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
from sinks.operations.positions import rewind

AcceptTruncate = Annotated[
    bool, typer.Option("--accept-truncate", help="Rebuild the target of a flow whose source was truncated.")
]
PartitionOption = Annotated[int, typer.Option("--partition", min=0, help="The partition to read again.")]
FromOffset = Annotated[int, typer.Option("--from-offset", min=0, help="The first offset to read again.")]
Topic = Annotated[str | None, typer.Option("--topic", help="One of the flow's topics; by default that of its source.")]


def pause(flow: FlowName, *, reason: Reason = None, as_json: Json = False) -> None:
    """Pause a flow on every worker. It stays paused, also across restarts, until it is resumed."""
    with databases(load_settings()) as sessions:
        _show(flow_control.pause(sessions[flow.target.table.database], flow, actor(), reason), as_json=as_json)


def resume(flow: FlowName, *, accept_truncate: AcceptTruncate = False, as_json: Json = False) -> None:
    """Let a paused or stopped flow run again, from where it was."""
    with databases(load_settings()) as sessions:
        session = sessions[flow.target.table.database]
        _show(flow_control.resume(session, flow, actor(), accept_truncate=accept_truncate), as_json=as_json)


def resync(flow: FlowName, *, reason: Reason = None, as_json: Json = False) -> None:
    """Have every partition of a flow rebuilt from its source."""
    with databases(load_settings()) as sessions:
        _show(flow_control.resync(sessions[flow.target.table.database], flow, actor(), reason), as_json=as_json)


def replay(
    flow: FlowName, *, partition: PartitionOption, from_offset: FromOffset, topic: Topic = None, as_json: Json = False
) -> None:
    """Have a partition read again from an offset on. Rows that are newer in the target stay as they are."""
    settings = load_settings()
    topic = _topic(flow, topic)
    if partition >= flow.partitions:
        raise typer.BadParameter(f"{flow.name} has partitions 0 to {flow.partitions - 1}", param_hint="--partition")
    ranges = asyncio.run(log_ranges(settings.kafka, [(topic, partition)]))
    if (topic, partition) not in ranges:
        raise RefusedError(f"the broker has no {topic}[{partition}]; `{PROGRAM} connect apply` creates the flows' topics")
    with databases(settings) as sessions:
        log = ranges[topic, partition]
        session = sessions[flow.target.table.database]
        again = rewind(session, flow, topic, partition, offset=from_offset, log=log, actor=actor())
    document = {"flow": flow.name, "topic": topic, "partition": partition, "from_offset": from_offset, "records": again}
    show(document, f"{flow.name} reads {again:,} records of {topic}[{partition}] again", as_json=as_json)


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
