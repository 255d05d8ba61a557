"""Where the peers come from: a virtual environment and a Connect plugin of their own, made on first use."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from bench.errors import BenchError
from bench.stage import Say
from stack.folder import PROJECT_ROOT
from stack.machine import JAVA, MAVEN, ensure_tools

HERE = Path(__file__).parent
LOCK = HERE / "requirements-peers.txt"
POM = HERE / "jars" / "pom.xml"
PEER_VENV = PROJECT_ROOT / ".venv-peers"
INSTALL_SECONDS = 900


def peer_python(say: Say) -> Path:
    """Return the interpreter that has the peers that are Python; raises :class:`BenchError` when it cannot be installed."""
    python, marker = PEER_VENV / "bin" / "python", PEER_VENV / f"complete-{_fingerprint(LOCK)}"
    if not marker.exists():
        say(f"making {PEER_VENV.name} from {LOCK.name}")
        _run([sys.executable, "-m", "venv", "--clear", str(PEER_VENV)], PROJECT_ROOT)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        _run([*pip, "--requirement", str(LOCK)], PROJECT_ROOT)
        marker.touch()
    return python


def jdbc_sink_plugins(jars: Path, say: Say) -> Path:
    """Return a Connect plugin path with Debezium's JDBC sink, kept in the folder ``jars``."""
    target = jars.absolute() / f"jdbc-sink-{_fingerprint(POM)}"
    if not target.exists():
        ensure_tools([JAVA, MAVEN], say)
        say("fetching Debezium's JDBC sink with Maven")
        draft = target.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        workspace = draft / "pom"  # a copy: Maven writes beside the pom file, and the source tree stays clean
        shutil.copytree(POM.parent, workspace)
        maven = ["mvn", "--batch-mode", "--quiet", "--strict-checksums", "package"]
        _run([*maven, f"-Djars.directory={draft / 'debezium-connector-jdbc'}"], workspace)
        shutil.rmtree(workspace)
        draft.replace(target)
    return target


def _fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def _run(argv: list[str], directory: Path) -> None:
    done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    if done.returncode != 0:
        raise BenchError(f"`{' '.join(argv)}` ended with code {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
