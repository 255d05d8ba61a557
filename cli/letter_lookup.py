"""Find dead letters over the target databases of all flows. Their numbers are unique in one database only."""

from collections.abc import Sequence
from dataclasses import replace

from cli.databases import Databases
from cli.numbered import exactly
from flows.model import Flow
from flows.registry import FLOWS, flow_named
from sinks.operations import letters
from sinks.operations.audit import RefusedError
from sinks.operations.connection import Connection
from sinks.operations.letters import Letter, Selection


def find_letters(sessions: Databases, flow: Flow | None, selection: Selection) -> list[Letter]:
    """Read the selected letters of a flow, or of all."""
    flows = FLOWS if flow is None else (flow,)
    targets = dict.fromkeys(each.target.table.database for each in flows)
    chosen = replace(selection, flow=flow.name if flow else None)
    return [letter for target in targets for letter in letters.find(sessions[target], chosen)]


def letters_named(sessions: Databases, flow: Flow | None, ids: Sequence[int]) -> list[Letter]:
    """Read exactly these letters; raises :class:`RefusedError` for a number that is unknown or stands for two."""
    found = find_letters(sessions, flow, Selection(ids=ids, limit=2 * len(ids)))
    exactly(ids, [letter.id for letter in found], "dead letter", "dead-letters list")
    return found


def flow_of(letter: Letter) -> Flow:
    """Return the flow of a letter; raises :class:`RefusedError` when it has been removed from the definitions."""
    try:
        return flow_named(letter.flow)
    except KeyError as error:
        raise RefusedError(f"dead letter {letter.id}: {error.args[0]}") from None


def session_of(sessions: Databases, letter: Letter) -> Connection:
    """Return the session with the database that holds the letter."""
    return sessions[flow_of(letter).target.table.database]
