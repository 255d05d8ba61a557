"""What can go wrong with the local stack; every message says what was wrong, where, and what to do."""

from pathlib import Path

QUOTED_LOG_LINES = 15


class StackError(Exception):
    """The local stack cannot go on; the message is meant for the person at the terminal."""


class MissingToolError(StackError):
    """A program that the stack needs is not installed and could not be installed."""


class NotReadyError(StackError):
    """A part ended, or did not answer, before its deadline; the message quotes the end of its log."""

    def __init__(self, problem: str, log: Path) -> None:
        super().__init__(f"{problem}. The last lines of {log}:\n{last_lines(log)}")


def last_lines(log: Path, count: int = QUOTED_LOG_LINES) -> str:
    """Return the last `count` lines of a log, indented, or a remark that there are none."""
    if not log.exists():
        return "    (no such file)"
    lines = log.read_text(errors="replace").splitlines()[-count:]
    return "\n".join(f"    {line}" for line in lines) or "    (empty)"
