"""How the effect of a probe is looked for: one index look-up per probe that is not visible yet."""

from bench.peer import Peer
from bench.probes import Connection, Probe, Watch
from flows.model import RankedFlow


def hints_watch(flow: RankedFlow) -> Watch:
    """Look for the probes among the product's rows."""
    table, group = flow.target.table.qualified, flow.ranking.group
    statement = f"SELECT explanation FROM {table} WHERE {group} = ANY(%s::uuid[]) AND explanation = ANY(%s)"  # noqa: S608

    def watch(connection: Connection, probes: list[Probe]) -> set[str]:
        parameters = ([probe.family for probe in probes], [probe.text for probe in probes])
        return {text for (text,) in connection.execute(statement.encode(), parameters)}

    return watch


def peer_watch(peer: Peer) -> Watch:
    """Look for the probes in a peer's table."""
    table = peer.table
    statement = f"SELECT explanation FROM {table.qualified} WHERE {table.key} = ANY(%s)"  # noqa: S608

    def watch(connection: Connection, probes: list[Probe]) -> set[str]:
        return {text for (text,) in connection.execute(statement.encode(), ([probe.key for probe in probes],))}

    return watch
