import os
from pathlib import Path

import pytest

from stack.errors import MissingToolError
from stack.unpacked import PROMTOOL, ensure_unpacked, find


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """The only folder in PATH, apart from the shell's; a test puts stand-ins for the machine's programs there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(programs: Path, name: str, script: str) -> None:
    file = programs / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


UNPACK = '/bin/mkdir -p "$3/usr/bin" && : > "$3/usr/bin/promtool"'


def test_the_program_of_a_package_is_unpacked_and_found(programs, tmp_path):
    put(programs, "apt-get", ": > prometheus_1.deb")
    put(programs, "dpkg-deb", UNPACK)
    told: list[str] = []
    ensure_unpacked(PROMTOOL, told.append, tmp_path / "tools")
    assert find(PROMTOOL, tmp_path / "tools") == tmp_path / "tools/usr/bin/promtool"
    assert told == [f"unpacking prometheus into {tmp_path / 'tools'}"]


def test_what_is_in_path_is_taken_and_nothing_is_fetched(programs, tmp_path):
    put(programs, "promtool", "")
    told: list[str] = []
    ensure_unpacked(PROMTOOL, told.append, tmp_path / "tools")
    assert find(PROMTOOL, tmp_path / "tools") == programs / "promtool"
    assert told == []


def test_root_fetches_the_lists_where_the_package_is_not_in_them(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    lists = tmp_path / "lists"
    put(programs, "apt-get", f'case "$*" in *update) : > {lists};; *) [ -e {lists} ] && : > prometheus_1.deb;; esac')
    put(programs, "dpkg-deb", UNPACK)
    ensure_unpacked(PROMTOOL, print, tmp_path / "tools")
    assert find(PROMTOOL, tmp_path / "tools") is not None


def test_a_download_that_fails_says_why(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    put(programs, "apt-get", "echo 'E: no network' >&2; exit 100")
    with pytest.raises(MissingToolError, match="download prometheus failed: E: no network"):
        ensure_unpacked(PROMTOOL, print, tmp_path / "tools")


def test_where_there_is_no_apt_get_the_package_is_named(programs, tmp_path):
    with pytest.raises(MissingToolError, match=r"promtool not found: install it first \(Debian: package prometheus\)"):
        ensure_unpacked(PROMTOOL, print, tmp_path / "tools")
