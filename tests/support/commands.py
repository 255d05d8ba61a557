"""Operator commands, run as an operator runs them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from stack.folder import PROJECT_ROOT

SECONDS = 90


class CommandFailed(AssertionError):
    """A command ended with another exit code than 0; the message is what it told."""


def run_command(environment: Mapping[str, str], *arguments: str) -> Any:
    """Return the JSON document that a command prints; CommandFailed with its message otherwise."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments, "--json"],
        cwd=PROJECT_ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(arguments)}: exit code {done.returncode}: {done.stderr}{done.stdout}")
    return json.loads(done.stdout)
