"""Programs that tests need of a Debian package whose service they do not: the package is unpacked, not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stack.errors import MissingToolError
from stack.folder import DEFAULT_STATE
from stack.machine import INSTALL_SECONDS, Tool

#: Checks and tries out rules of alerts. Installed, the package would start a server that listens to everybody.
PROMTOOL: Final = Tool("promtool", "prometheus")
#: The server itself, of the same package, for a campaign that has alerts fire.
PROMETHEUS: Final = Tool("prometheus", PROMTOOL.package)
DEFAULT_TOOLS: Final = DEFAULT_STATE / "tools"


def find(tool: Tool, folder: Path = DEFAULT_TOOLS) -> Path | None:
    """Where the program is: in PATH, or unpacked in the folder; ``None`` when it is nowhere."""
    installed = shutil.which(tool.program)
    unpacked = folder / "usr" / "bin" / tool.program
    return Path(installed) if installed else unpacked if unpacked.exists() else None


def ensure_unpacked(tool: Tool, progress: Callable[[str], None], folder: Path = DEFAULT_TOOLS) -> None:
    """Unpack what is missing. Needs apt-get, but nobody's rights; MissingToolError says what to install where there is none."""
    if find(tool, folder) is not None:
        return
    if shutil.which("apt-get") is None:
        raise MissingToolError(f"{tool.program} not found: install it first (Debian: package {tool.package})")
    progress(f"unpacking {tool.package} into {folder}")
    with tempfile.TemporaryDirectory() as fetched:
        _download(tool.package, Path(fetched))
        (package,) = Path(fetched).glob("*.deb")
        folder.mkdir(parents=True, exist_ok=True)
        _run(["dpkg-deb", "-x", str(package), str(folder)])


def _download(package: str, into: Path) -> None:
    """Where the lists are missing or old, and we may, fetch them first."""
    download = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package]
    try:
        _run(download, into)
    except MissingToolError:
        if os.geteuid() != 0:
            raise
        _run(["apt-get", "-qq", "update"])
        _run(download, into)


def _run(command: list[str], folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    if done.returncode != 0:
        raise MissingToolError(f"{' '.join(command)} failed: {done.stderr.strip()}")
