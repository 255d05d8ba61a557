"""The Procfile: which processes the product consists of, and how many of each a formation wants."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError

LINE = re.compile(r"(?P<kind>[A-Za-z][A-Za-z0-9_-]*):\s*(?P<command>\S.*)")
WANTED = re.compile(r"(?P<kind>[A-Za-z][A-Za-z0-9_-]*)=(?P<count>\d+)")


@dataclass(frozen=True)
class ProcessType:
    """One line of the Procfile. The command is run as it stands, without a shell."""

    kind: str
    argv: tuple[str, ...]


def read_procfile(file: Path) -> dict[str, ProcessType]:
    """Return the process types in the order of `file`; StackError names the line that cannot be understood."""
    types: dict[str, ProcessType] = {}
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        parsed = _parse_line(text, f"{file}, line {number}")
        if parsed.kind in types:
            raise StackError(f"{file}, line {number}: {parsed.kind} is defined a second time; give it another name")
        types[parsed.kind] = parsed
    return types


def parse_formation(text: str) -> dict[str, int]:
    """Return how many processes of each type `worker=2,demo=1` asks for; StackError names the part that is wrong."""
    formation: dict[str, int] = {}
    for part in text.split(","):
        wanted = WANTED.fullmatch(part.strip())
        if wanted is None:
            raise StackError(f"formation {text!r}: {part.strip()!r} is not of the form worker=2")
        if wanted["kind"] in formation:
            raise StackError(f"formation {text!r} names {wanted['kind']} twice")
        formation[wanted["kind"]] = int(wanted["count"])
    return formation


def instance_names(types: Mapping[str, ProcessType], formation: Mapping[str, int]) -> dict[str, ProcessType]:
    """Return worker-1, worker-2, … with their types, in the order of the Procfile; StackError for an unknown type."""
    unknown = sorted(formation.keys() - types.keys())
    if unknown:
        raise StackError(f"the Procfile has no {', '.join(unknown)}; it has {', '.join(types)}")
    return {
        f"{kind}-{number}": process_type
        for kind, process_type in types.items()
        for number in range(1, formation.get(kind, 0) + 1)
    }


def _parse_line(text: str, place: str) -> ProcessType:
    line = LINE.fullmatch(text)
    if line is None:
        raise StackError(f"{place}: {text!r} is not of the form `name: command`")
    try:
        return ProcessType(line["kind"], tuple(shlex.split(line["command"])))
    except ValueError as error:
        raise StackError(f"{place}: {error} in {line['command']!r}") from None
