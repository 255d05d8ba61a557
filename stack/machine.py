"""Programs that the stack needs from the machine: found, installed by apt (root on Debian), or named in one line."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from stack.errors import MissingToolError

MINIMUM_JAVA = 17
APT_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive"}
INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Tool:
    """A program and the Debian package that brings it."""

    program: str
    package: str


JAVA = Tool("java", "default-jre-headless")
MAVEN = Tool("mvn", "maven")
#: For the browser tests alone.
CHROMIUM = Tool("chromium", "chromium")


def ensure_tools(tools: Sequence[Tool], progress: Callable[[str], None]) -> None:
    """Install what is missing of `tools`; MissingToolError names what could not be installed."""
    missing = [tool for tool in tools if shutil.which(tool.program) is None]
    if not missing:
        return
    packages = [tool.package for tool in missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingToolError(_how_to_install(missing))
    progress(f"installing {', '.join(packages)} with apt-get")
    _apt_get("update")
    _apt_get("install", "--yes", "--no-install-recommends", *packages)


@cache
def require_java() -> str:
    """Return the path of a Java that is new enough, asked once; MissingToolError otherwise."""
    java = shutil.which(JAVA.program)
    if java is None:
        raise MissingToolError(_how_to_install([JAVA]))
    version = _java_version(java)
    if version < MINIMUM_JAVA:
        raise MissingToolError(f"{java} is Java {version}; Kafka 4 needs Java {MINIMUM_JAVA} or newer first in PATH")
    return java


def _java_version(java: str) -> int:
    """Read `java.specification.version`, which is the bare number from Java 9 on (and 1.8 before)."""
    shown = subprocess.run([java, "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=True)
    for line in shown.stderr.splitlines():
        name, _, value = line.strip().partition(" = ")
        if name == "java.specification.version":
            return int(value.split(".")[0])
    raise MissingToolError(f"{java} does not say its version: Java {MINIMUM_JAVA} or newer must come first in PATH")


def _how_to_install(missing: Sequence[Tool]) -> str:
    programs = " and ".join(tool.program for tool in missing)
    packages = " ".join(tool.package for tool in missing)
    return f"{programs} not found: install them first (Debian: apt-get install {packages}; Java {MINIMUM_JAVA} or newer)"


def _apt_get(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", "-qq", *arguments],
        env={**os.environ, **APT_ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_SECONDS,
    )
    if done.returncode != 0:
        raise MissingToolError(f"apt-get {' '.join(arguments)} failed: {done.stderr.strip()}")
