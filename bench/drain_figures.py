"""The drain's runs as figures."""

from collections.abc import Iterable, Sequence

from bench.drain import Drained
from bench.figures import Figure, Goal, Of
from bench.jdbc_sink_with_schemas import JdbcSinkWithSchemas
from bench.ours import Ours
from bench.plain_loop import PlainLoop

# The promise about the sink was made when it read records with schemas (6,000 events/s); the other way is the harder rival.
_GOALS = {JdbcSinkWithSchemas.name: Goal(Of.RATIO, lowest=3.0), PlainLoop.name: Goal(Of.RATIO, lowest=0.4)}


def drain_figures(runs: Sequence[Drained], measure: str = "drain") -> list[Figure]:
    """Compare ours with every peer: rates and CPU. Of several rounds the one with the median rate counts."""
    medians = {name: _median(run for run in runs if run.contender == name) for name in {run.contender for run in runs}}
    ours = medians.pop(Ours.name)
    peers = sorted(medians.values(), key=lambda run: run.rate)
    return [
        *(Figure(measure, "events/s", ours.rate, peer.contender, peer.rate, _GOALS.get(peer.contender)) for peer in peers),
        *(Figure(f"{measure} from start", "events/s", ours.rate_from_start, p.contender, p.rate_from_start) for p in peers),
        *(Figure(f"{measure} CPU", "µs/event", ours.cpu_us, peer.contender, peer.cpu_us) for peer in peers),
    ]


def _median(runs: Iterable[Drained]) -> Drained:
    ordered = sorted(runs, key=lambda run: run.rate)
    return ordered[len(ordered) // 2]
