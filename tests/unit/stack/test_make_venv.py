import shutil
import subprocess

import pytest

from stack.folder import PROJECT_ROOT

SCRIPT = PROJECT_ROOT / "stack" / "make_venv.sh"


@pytest.fixture
def make_venv(tmp_path):
    """Run the script in an empty folder on a machine whose only programs are those of `programs`."""

    def run(python: str, *programs: str) -> subprocess.CompletedProcess[str]:
        for program in ("id", *programs):
            (tmp_path / program).symlink_to(shutil.which(program))
        bash = shutil.which("bash")
        assert bash is not None
        environment = {"PATH": str(tmp_path), "PYTHON": python}
        return subprocess.run(
            [bash, SCRIPT], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    return run


def test_a_missing_python_is_named_in_one_line(make_venv, tmp_path):
    done = make_venv("python3.11")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        (
            "error: python3.11 with its venv module is missing: install it first"
            " (Debian 12: apt-get install python3.11 python3.11-venv), or set PYTHON"
        )
    ]
    assert not (tmp_path / ".venv").exists()


def test_another_version_of_python_is_refused_in_one_line(make_venv, tmp_path):
    other = tmp_path / "other-python"
    other.write_text('#!/bin/sh\ncase "$2" in "import ensurepip") exit 0;; *) exit 1;; esac\n')
    other.chmod(0o755)
    done = make_venv(str(other))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"error: {other} is not Python 3.11: set PYTHON to one that is"]
