"""What differs between the kinds of flow: who applies the records, and what is looked after beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import faust

from flows.append_model import AppendFlow
from flows.batch_registry import all_flows_into
from flows.match_model import MatchFlow
from flows.model import Flow, MirrorFlow, RankedFlow
from flows.registry import FLOWS
from flows.summary_model import SummaryFlow
from settings import Worker
from sinks.parked import ParkedTable
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from sinks.source_identity import FIRST_EPOCH
from streams.append import AppendApplier, AppendWriter
from streams.append_decoding import AppendDecoder
from streams.append_rebuild import AppendRebuilder
from streams.applier import Applier
from streams.expiry import Expiry
from streams.log_reader import LogReader
from streams.match import MatchApplier
from streams.match_decoding import MatchDecoder
from streams.match_rebuild import MatchRebuilder
from streams.match_writer import MatchWriter
from streams.mirror import MirrorApplier, MirrorWriter
from streams.mirror_decoding import MirrorDecoder
from streams.mirror_rebuild import MirrorRebuilder
from streams.parking_upkeep import ParkingUpkeep
from streams.patience import Patience
from streams.ranked import RankedApplier
from streams.ranked_decoding import RankedDecoder
from streams.ranked_upkeep import RankedUpkeep
from streams.ranked_writer import RankedWriter
from streams.rebuild import Rebuilder
from streams.release import Release
from streams.summary import SummaryWriter
from streams.summary_applier import SummaryApplier
from streams.summary_decoding import SummaryDecoder
from streams.summary_moves import Moves
from streams.summary_rebuild import SummaryRebuilder
from streams.summary_upkeep import SummaryUpkeep
from streams.target_only import TargetUpkeep
from streams.upkeep import Upkeep
from tables.candidates import CandidateTable

#: A flow's own part of the worker.
Parts = tuple[Applier, Upkeep]


@dataclass(frozen=True)
class Surroundings:
    """What the parts of a flow are made from, beside its definition."""

    app: faust.App
    settings: Worker
    source: Pool
    target: Pool
    cipher: PayloadCipher
    log_reader: LogReader


def parts_of(flow: Flow, around: Surroundings) -> Parts:
    """The parts of a flow; TypeError for a kind that nobody applies."""
    make = _KINDS.get(type(flow))
    if make is None:
        raise TypeError(f"flow {flow.name}: nobody applies a {type(flow).__name__}")
    return make(flow, around)


def followers_of(flow: MirrorFlow) -> list[SummaryFlow]:
    """Flows whose members refer to the rows of a flow."""
    return [other for other in FLOWS if isinstance(other, SummaryFlow) and other.through == flow]


def _ranked(flow: RankedFlow, around: Surroundings) -> Parts:
    table = CandidateTable.declare(around.app, flow, cache_bytes=around.settings.block_cache_bytes)
    decoder, writer = RankedDecoder(flow, epoch=FIRST_EPOCH), RankedWriter(flow, table)
    rebuilder = Rebuilder(flow, table, around.source, around.target, writer, decoder)
    upkeep = RankedUpkeep(table, Expiry(flow, table, around.target, writer), rebuilder, around.log_reader)
    return RankedApplier(table, writer, decoder), upkeep


def _mirror(flow: MirrorFlow, around: Surroundings) -> Parts:
    decoder, writer = MirrorDecoder(flow, epoch=FIRST_EPOCH), MirrorWriter(flow, followers_of(flow))
    return MirrorApplier(writer, decoder), TargetUpkeep(MirrorRebuilder(flow, around.source, around.target, writer, decoder))


def _match(flow: MatchFlow, around: Surroundings) -> Parts:
    decoder, writer = MatchDecoder(flow, epoch=FIRST_EPOCH), MatchWriter(flow, all_flows_into(flow.target.table.database))
    return MatchApplier(writer, decoder), TargetUpkeep(MatchRebuilder(flow, around.source, around.target, writer, decoder))


def _append(flow: AppendFlow, around: Surroundings) -> Parts:
    decoder, deadline = AppendDecoder(flow, epoch=FIRST_EPOCH), around.settings.parking_deadline
    applier = AppendApplier(flow, AppendWriter(flow), _parked(flow, around), decoder, deadline)
    rebuilder, release = AppendRebuilder(applier, around.source, around.target), _release(applier, around)
    return applier, ParkingUpkeep(rebuilder, release, Patience.within(deadline))


def _summary(flow: SummaryFlow, around: Surroundings) -> Parts:
    decoder, deadline = SummaryDecoder(flow, epoch=FIRST_EPOCH), around.settings.parking_deadline
    writer = SummaryWriter(flow)
    applier = SummaryApplier(flow, writer, _parked(flow, around), decoder, deadline)
    rebuilder = SummaryRebuilder(flow, around.source, around.target, writer, decoder)
    moves, release = Moves(flow, around.target, writer), _release(applier, around)
    return applier, SummaryUpkeep(rebuilder, release, Patience.within(deadline), moves)


def _parked(flow: AppendFlow | SummaryFlow, around: Surroundings) -> ParkedTable:
    return ParkedTable(flow.name, flow.reference, flow.reference_source.type, around.cipher)


def _release(applier: AppendApplier | SummaryApplier, around: Surroundings) -> Release:
    return Release(applier, around.target, around.cipher)


_KINDS: Final[Mapping[type[Flow], Callable[[Any, Surroundings], Parts]]] = MappingProxyType(
    {RankedFlow: _ranked, MirrorFlow: _mirror, MatchFlow: _match, AppendFlow: _append, SummaryFlow: _summary}
)
