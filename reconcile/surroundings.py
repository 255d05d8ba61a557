"""What the reconciliation of a flow has around it."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconcile.broker import Broker
from reconcile.canonical import Hashing
from reconcile.retained import Retained
from sinks.pool import Begin, Pool, begin


@dataclass(frozen=True)
class Surroundings:
    """The two databases of the flow, the broker, how both databases hash, and what the topic of a callback flow holds.

    ``begin`` begins a transaction of the target; it raises where whoever runs this may not write any more.
    """

    source: Pool
    target: Pool
    broker: Broker
    hashing: Hashing
    retained: Retained | None = None
    begin: Begin = field(default=begin)
