"""A process whose orderly end hangs ends nevertheless, and says so."""

import subprocess
import sys

from app.last_resort import EXIT_CODE
from stack.folder import PROJECT_ROOT

HANGS = "import time\nfrom app.last_resort import end_anyway\nend_anyway(0.2)\ntime.sleep(60)"
ENDS = "from app.last_resort import end_anyway\nend_anyway(60)"


def run(program):
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=False, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=30)


def test_a_process_that_hangs_after_a_crash_is_ended():
    ended = run(HANGS)
    assert ended.returncode == EXIT_CODE
    assert "hangs" in ended.stderr


def test_a_process_that_ends_by_itself_is_not_held_up():
    assert run(ENDS).returncode == 0
