"""Begin a connector anew whose replication slot is lost.

No restart mends that. A new slot begins with a snapshot, which fills what is absent and corrects nothing: what was changed
between the two slots never reached Kafka. So every flow of the source is rebuilt, after the new slot is there.
"""

import time
from dataclasses import dataclass

from cli.connect_rest import PAUSE, ConnectorStatus, ConnectRest
from cli.connector_problems import connector_problems
from cli.databases import Databases
from flows.registry import flows_from
from flows.replication import replication_name
from flows.tables import Database
from settings import PROGRAM
from sinks.operations.audit import RefusedError, record
from sinks.operations.flow_control import FlowStatus, resync
from sinks.operations.slots import Slot, replication_slot


@dataclass(frozen=True)
class Order:
    """Who wants a connector begun anew and why. ``force``: whatever its slot; ``timeout``: seconds for each wait."""

    actor: str
    reason: str
    force: bool
    timeout: float


@dataclass(frozen=True)
class Reset:
    """How the connector does now, and the flows that are rebuilt."""

    connector: ConnectorStatus
    rebuilds: list[FlowStatus]


def reset_connector(rest: ConnectRest, sessions: Databases, source: Database, order: Order) -> Reset:
    """Stop the connector, delete its offsets, resume it, wait for its slot and have the flows rebuilt; drops nothing else.

    Raises :class:`RefusedError` before anything is changed while the old slot stands, and afterwards when the connector
    does not read in time: the rebuilds are then still to be asked for.
    """
    name = replication_name(source)
    if not order.force:
        _refuse_while_there(source, name, replication_slot(sessions[source], name))
    targets = dict.fromkeys(flow.target.table.database for flow in flows_from(source))
    for target in targets:
        record(sessions[target], order.actor, "reset connector", name, order.reason)
    _forget_position(rest, name, order.timeout)
    status = _wait_until_reading(rest, sessions, source, order.timeout)
    flows = flows_from(source)
    return Reset(status, [resync(sessions[flow.target.table.database], flow, order.actor, order.reason) for flow in flows])


def _refuse_while_there(source: Database, name: str, slot: Slot | None) -> None:
    if slot is None:
        return
    if slot.lost:
        raise RefusedError(
            f"slot {name} is lost but still there, and no new one can be made beside it: in the {source.value} database, as a"
            f" role with REPLICATION, `SELECT pg_drop_replication_slot('{name}')`; then this command again"
        )
    raise RefusedError(
        f"slot {name} is not lost (wal_status: {slot.wal_status}): a connector that has failed is mended by `{PROGRAM} connect"
        " restart`; --force begins anew all the same"
    )


def _forget_position(rest: ConnectRest, name: str, timeout: float) -> None:
    """Whatever comes between, the connector is not left stopped."""
    rest.stop(name)
    try:
        rest.delete_offsets(name, timeout)
    finally:
        rest.resume(name)


def _wait_until_reading(rest: ConnectRest, sessions: Databases, source: Database, timeout: float) -> ConnectorStatus:
    """A rebuild that reads the source before the slot is there would miss what is committed between."""
    name, deadline = replication_name(source), time.monotonic() + timeout
    while True:
        status, slot = rest.status(name), replication_slot(sessions[source], name)
        if status.running and slot is not None and slot.usable:
            return status
        if time.monotonic() > deadline:
            why = ", ".join(connector_problems([status])) or "its slot is not ready"
            again = ", ".join(f"`{PROGRAM} resync {flow.name}`" for flow in flows_from(source))
            raise RefusedError(
                f"{name} was begun anew but does not read yet: {why}; once it does, have its flows rebuilt: {again}"
            )
        time.sleep(PAUSE)
