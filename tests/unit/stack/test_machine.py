import os
from pathlib import Path

import pytest

from stack.errors import MissingToolError
from stack.machine import JAVA, MAVEN, ensure_tools, require_java


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """The only folder in PATH; a test puts stand-ins for the machine's programs there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    require_java.cache_clear()
    yield tmp_path
    require_java.cache_clear()


def put(programs: Path, name: str, script: str) -> None:
    file = programs / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def java_that_says(programs: Path, version: str) -> None:
    put(programs, "java", f"echo '    java.specification.version = {version}' >&2")


def test_what_is_missing_is_named_in_one_line_for_a_user(programs, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingToolError) as refusal:
        ensure_tools([JAVA, MAVEN], print)
    assert str(refusal.value) == (
        "java and mvn not found: install them first (Debian: apt-get install default-jre-headless maven; Java 17 or newer)"
    )


def test_root_on_debian_installs_what_is_missing_and_only_that(programs, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    java_that_says(programs, "17")
    put(programs, "apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {programs}/asked')
    told: list[str] = []
    ensure_tools([JAVA, MAVEN], told.append)
    assert told == ["installing maven with apt-get"]
    assert (programs / "asked").read_text().splitlines() == [
        "noninteractive -qq update",
        "noninteractive -qq install --yes --no-install-recommends maven",
    ]


def test_a_failing_installation_says_why(programs, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    put(programs, "apt-get", "echo 'E: no network' >&2; exit 100")
    with pytest.raises(MissingToolError, match="apt-get update failed: E: no network"):
        ensure_tools([JAVA], print)


def test_nothing_is_installed_when_nothing_is_missing(programs, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    java_that_says(programs, "17")
    told: list[str] = []
    ensure_tools([JAVA], told.append)
    assert told == []


@pytest.mark.parametrize("version", ["17", "21"])
def test_a_java_that_is_new_enough_is_taken(programs, version):
    java_that_says(programs, version)
    assert require_java() == str(programs / "java")


@pytest.mark.parametrize("version", ["1.8", "11"])
def test_an_old_java_is_refused(programs, version):
    java_that_says(programs, version)
    with pytest.raises(MissingToolError, match=r"is Java (1|11); Kafka 4 needs Java 17 or newer"):
        require_java()
