"""What differs between the kinds of flow: who applies the records, and what is looked after beside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import faust

from flows.append_model import AppendFlow
from flows.batch_registry import all_flows_into
from flows.callback_model import CallbackFlow
from flows.match_model import MatchFlow
from flows.model import CapturedFlow, Flow, RankedFlow
from flows.reference import ReferringFlow
from flows.registry import FLOWS
from flows.row_model import MirrorFlow
from flows.summary_model import SummaryFlow
from flows.tables import Database
from settings import Worker
from sinks.ledger import Claim
from sinks.parked import ParkedTable
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from sinks.source_identity import FIRST_EPOCH
from streams.append import AppendApplier, AppendWriter
from streams.append_decoding import AppendDecoder
from streams.append_rebuild import AppendRebuilder
from streams.applier import Applier
from streams.callback_decoding import CallbackDecoder
from streams.chunk import Chunk
from streams.expiry import Expiry
from streams.giving_up import GivingUp
from streams.group_commit import GroupCommit
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
from streams.share_breaker import ShareBreaker
from streams.shared_look import SharedLook
from streams.summary import SummaryWriter
from streams.summary_applier import SummaryApplier
from streams.summary_decoding import SummaryDecoder
from streams.summary_moves import Moves
from streams.summary_rebuild import SummaryRebuilder
from streams.summary_upkeep import SummaryUpkeep
from streams.target_only import TargetUpkeep
from streams.topic_rebuild import TopicRebuilder
from streams.unit_of_work import Committed, UnitOfWork
from streams.upkeep import Upkeep
from tables.candidates import CandidateTable

#: A flow's own part of the worker.
Parts = tuple[Applier, Upkeep]


@dataclass(frozen=True)
class Surroundings:
    """What the parts of any flow are made from, beside its definition."""

    app: faust.App
    settings: Worker
    pools: Mapping[Database, Pool]
    cipher: PayloadCipher
    log_reader: LogReader
    breaker: ShareBreaker

    def target(self, flow: Flow) -> Pool:
        """Connections to the database that the flow writes to."""
        return self.pools[flow.target.table.database]

    def ends(self, flow: CapturedFlow) -> tuple[Pool, Pool]:
        """Connections to the database that the flow is captured from, and to its target."""
        return self.pools[flow.source.table.database], self.target(flow)


def parts_of(flow: Flow, around: Surroundings) -> Parts:
    """The parts of a flow; TypeError for a kind that nobody applies."""
    make = _KINDS.get(type(flow))
    if make is None:
        raise TypeError(f"flow {flow.name}: nobody applies a {type(flow).__name__}")
    return make(flow, around)


def apply_of(work: UnitOfWork, applier: Applier) -> Callable[[Claim, Chunk], Awaitable[Committed]]:
    """How lanes have their chunks applied: those of ranked flows in groups where they are small."""
    return GroupCommit(work, applier).apply if isinstance(applier, RankedApplier) else work.apply


def followers_of(flow: MirrorFlow) -> list[SummaryFlow]:
    """Flows whose members refer to the rows of a flow."""
    return [other for other in FLOWS if isinstance(other, SummaryFlow) and other.through == flow]


def _ranked(flow: RankedFlow, around: Surroundings) -> Parts:
    table = CandidateTable.declare(around.app, flow, cache_bytes=around.settings.block_cache_bytes)
    decoder, writer = RankedDecoder(flow, epoch=FIRST_EPOCH), RankedWriter(flow, table)
    rebuilder = Rebuilder(flow, table, *around.ends(flow), writer, decoder)
    upkeep = RankedUpkeep(table, Expiry(flow, table, around.target(flow), writer), rebuilder, around.log_reader)
    return RankedApplier(table, writer, decoder), upkeep


def _mirror(flow: MirrorFlow, around: Surroundings) -> Parts:
    decoder, writer = MirrorDecoder(flow, epoch=FIRST_EPOCH), MirrorWriter(flow, followers_of(flow))
    return MirrorApplier(writer, decoder), TargetUpkeep(MirrorRebuilder(flow, *around.ends(flow), writer, decoder))


def _callback(flow: CallbackFlow, around: Surroundings) -> Parts:
    writer, target = MirrorWriter(flow), around.target(flow)
    return MirrorApplier(writer, CallbackDecoder(flow)), TargetUpkeep(TopicRebuilder(flow, target, around.log_reader, writer))


def _match(flow: MatchFlow, around: Surroundings) -> Parts:
    decoder, writer = MatchDecoder(flow, epoch=FIRST_EPOCH), MatchWriter(flow, all_flows_into(flow.target.table.database))
    return MatchApplier(writer, decoder), TargetUpkeep(MatchRebuilder(flow, *around.ends(flow), writer, decoder))


def _append(flow: AppendFlow, around: Surroundings) -> Parts:
    decoder, deadline = AppendDecoder(flow, epoch=FIRST_EPOCH), around.settings.parking_deadline
    applier = AppendApplier(flow, AppendWriter(flow), _parked(flow, around), decoder, deadline)
    rebuilder = AppendRebuilder(applier, *around.ends(flow))
    return applier, ParkingUpkeep(rebuilder, *_waiting(applier, around))


def _summary(flow: SummaryFlow, around: Surroundings) -> Parts:
    decoder, deadline = SummaryDecoder(flow, epoch=FIRST_EPOCH), around.settings.parking_deadline
    writer = SummaryWriter(flow)
    applier = SummaryApplier(flow, writer, _parked(flow, around), decoder, deadline)
    rebuilder = SummaryRebuilder(flow, *around.ends(flow), writer, decoder)
    moves = Moves(flow, around.target(flow), writer)
    return applier, SummaryUpkeep(rebuilder, *_waiting(applier, around), moves, SharedLook(around.target(flow), moves.due))


def _parked(flow: ReferringFlow, around: Surroundings) -> ParkedTable:
    return ParkedTable(flow.name, flow.reference, flow.reference_source.type, around.cipher)


def _waiting(applier: AppendApplier | SummaryApplier, around: Surroundings) -> tuple[Release, GivingUp, Patience, SharedLook]:
    target = around.target(applier.flow)
    release = Release(applier, target, around.cipher, around.breaker)
    giving_up, patience = GivingUp(applier, target, around.breaker), Patience.within(around.settings.parking_deadline)
    return release, giving_up, patience, SharedLook(target, applier.parked.due)


_KINDS: Final[Mapping[type[Flow], Callable[[Any, Surroundings], Parts]]] = MappingProxyType(
    {
        RankedFlow: _ranked,
        MirrorFlow: _mirror,
        CallbackFlow: _callback,
        MatchFlow: _match,
        AppendFlow: _append,
        SummaryFlow: _summary,
    }
)
