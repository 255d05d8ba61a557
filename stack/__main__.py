"""Set-up and removal of the local stack, for the Makefile: `python -m stack setup`, `setup-tests`, `clean`."""

import sys
from collections.abc import Callable

from stack.errors import StackError
from stack.folder import DEFAULT_STATE
from stack.jars import DEFAULT_JARS, Jars
from stack.local import LocalStack
from stack.machine import CHROMIUM, JAVA, ensure_tools, require_java
from stack.unpacked import PROMTOOL, ensure_unpacked

USAGE_ERROR = 2


def setup() -> None:
    """Install or name what is missing, and fetch the jars."""
    ensure_tools([JAVA], _tell)
    require_java()
    Jars(DEFAULT_JARS).ensure(_tell)


def setup_tests() -> None:
    """What the tests need besides."""
    ensure_tools([CHROMIUM], _tell)
    ensure_unpacked(PROMTOOL, _tell)


def clean() -> None:
    """Stop and delete the local stack of this project folder."""
    LocalStack(DEFAULT_STATE).remove()


COMMANDS: dict[str, Callable[[], None]] = {"setup": setup, "setup-tests": setup_tests, "clean": clean}


def main(arguments: list[str]) -> int:
    """Run one command and return the exit code."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        _tell(f"usage: python -m stack {'|'.join(COMMANDS)}")
        return USAGE_ERROR
    try:
        COMMANDS[arguments[0]]()
    except StackError as error:
        _tell(f"error: {error}")
        return 1
    return 0


def _tell(message: str) -> None:
    sys.stderr.write(f"{message}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
