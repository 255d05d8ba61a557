import subprocess

import pytest

from stack.unpacked import PROMTOOL, find


@pytest.fixture(scope="session")
def promtool():
    """Run promtool; answers whether it is content, and what it said."""
    program = find(PROMTOOL)
    assert program, "promtool is missing: python -m stack setup-tests"

    def run(*arguments):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    return run
