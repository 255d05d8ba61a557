from pathlib import Path
from tempfile import gettempdir

import pytest

from stack.folder import StateFolder
from stack.outside_home import outside_home
from stack.postgres_home import ensure_home, reachable, remove_home
from stack.unix_user import UnixUser


@pytest.fixture
def outside(tmp_path, monkeypatch):
    outside = tmp_path / "outside"
    monkeypatch.setattr("stack.outside_home.OUTSIDE", outside)
    return outside


@pytest.fixture
def as_root(monkeypatch):
    monkeypatch.setattr("stack.postgres_home.postgres_user", lambda: UnixUser(65534, 65534))


@pytest.fixture
def as_user(monkeypatch):
    monkeypatch.setattr("stack.postgres_home.postgres_user", lambda: None)


@pytest.fixture
def closed_folder(tmp_path):
    """A state folder where only its owner may go, like one under /root."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = StateFolder(closed / "state")
    folder.create()
    return folder


def test_a_closed_folder_above_makes_everything_below_unreachable(closed_folder):
    assert not reachable(closed_folder.root)
    assert reachable(Path(gettempdir()))


def test_a_user_needs_neither_copies_nor_places_outside(closed_folder, outside, as_user):
    home = ensure_home(closed_folder)
    assert home.data == closed_folder.postgresql
    assert "site-packages" in str(home.programs)
    assert not outside.exists()


def test_data_of_root_moves_outside_when_the_state_folder_is_closed(closed_folder, outside, as_root):
    home = ensure_home(closed_folder)
    assert home.data.parent == outside
    assert closed_folder.postgresql.resolve() == home.data
    assert ensure_home(closed_folder) == home


def test_programs_that_cannot_be_reached_are_copied_readable_to_all(closed_folder, outside, as_root, monkeypatch):
    monkeypatch.setattr("stack.postgres_home.reachable", lambda _path: False)
    programs = ensure_home(closed_folder).programs
    assert programs.is_relative_to(outside)
    assert (programs / "postgres").stat().st_mode & 0o005 == 0o005


def test_removing_leaves_nothing_outside(closed_folder, outside, as_root):
    ensure_home(closed_folder)
    remove_home(closed_folder)
    assert list(outside.iterdir()) == []
    assert not closed_folder.postgresql.is_symlink()


def test_what_a_deleted_state_folder_left_outside_is_removed_by_the_next_one(tmp_path, outside):
    gone, present = tmp_path / "gone", tmp_path / "present"
    present.mkdir()
    (outside_home(gone) / "data").mkdir()
    kept = outside_home(present)
    assert list(outside.iterdir()) == [kept]
