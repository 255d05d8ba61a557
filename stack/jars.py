"""The Java parts, fetched once by Maven from the pinned pom files beside this module."""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError
from stack.folder import DEFAULT_STATE
from stack.machine import JAVA, MAVEN, ensure_tools

POMS = Path(__file__).parent / "jars"
DEFAULT_JARS = DEFAULT_STATE / "jars"
FETCH_SECONDS = 600


@dataclass(frozen=True)
class Jars:
    """The jars of the present pom files, in a cache folder that may hold those of earlier ones too."""

    cache: Path

    @property
    def root(self) -> Path:
        """The folder of exactly these jars."""
        return self.cache / _fingerprint()

    @property
    def kafka_classpath(self) -> str:
        """Class path of the broker, of its tools and of Connect."""
        return str(self.root / "kafka" / "*")

    @property
    def plugins(self) -> Path:
        """Connect's plugin path: one folder per connector."""
        return self.root / "plugins"

    def ensure(self, progress: Callable[[str], None]) -> None:
        """Fetch them unless they are there; MissingToolError or StackError says why they cannot be fetched."""
        if self.root.exists():
            return
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second process waits here and then finds them fetched
            if not self.root.exists():
                _fetch(self.root, progress)


def _fetch(target: Path, progress: Callable[[str], None]) -> None:
    ensure_tools([JAVA, MAVEN], progress)
    progress("fetching Kafka, Connect and Debezium with Maven")
    draft = target.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    workspace = draft / "poms"  # a copy: Maven writes beside the pom files, and the source tree stays clean
    shutil.copytree(POMS, workspace)
    _run_maven(workspace, draft)
    shutil.rmtree(workspace)
    draft.replace(target)


def _run_maven(workspace: Path, target: Path) -> None:
    done = subprocess.run(
        ["mvn", "--batch-mode", "--quiet", "--strict-checksums", "package", f"-Djars.directory={target}"],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
        timeout=FETCH_SECONDS,
    )
    if done.returncode != 0:
        raise StackError(f"Maven could not fetch the jars of {POMS}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for pom in sorted(POMS.rglob("pom.xml")):
        digest.update(pom.read_bytes())
    return digest.hexdigest()[:16]
