"""How each kind of flow is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from flows.append_model import AppendFlow
from flows.match_model import MatchFlow
from flows.model import CapturedFlow, RankedFlow
from flows.row_model import MirrorFlow
from flows.summary_model import SummaryFlow
from reconcile.canonical import Hashing
from reconcile.comparison import Comparison
from reconcile.kinds.append import compare_append
from reconcile.kinds.match import compare_match
from reconcile.kinds.mirror import compare_mirror
from reconcile.kinds.ranked import compare_ranked
from reconcile.kinds.summary import compare_summary

_KINDS: Final[Mapping[type[CapturedFlow], Callable[[Any, Hashing], Comparison]]] = MappingProxyType(
    {
        RankedFlow: compare_ranked,
        MirrorFlow: compare_mirror,
        MatchFlow: compare_match,
        AppendFlow: compare_append,
        SummaryFlow: compare_summary,
    }
)


def comparison_of(flow: CapturedFlow, hashing: Hashing) -> Comparison:
    """How a flow is compared; TypeError for a kind that nobody compares."""
    make = _KINDS.get(type(flow))
    if make is None:
        raise TypeError(f"flow {flow.name}: nobody compares a {type(flow).__name__}")
    return make(flow, hashing)
