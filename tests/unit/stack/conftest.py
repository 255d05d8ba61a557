import json

import pytest

from stack.folder import StateFolder
from stack.process_identity import ProcessIdentity
from stack.process_tree import kill_tree


@pytest.fixture
def folder(tmp_path):
    """A state folder; whatever a test leaves running in it is killed afterwards."""
    folder = StateFolder(tmp_path / "state")
    folder.create()
    yield folder
    for note in folder.pids.glob("*.json"):
        kill_tree(ProcessIdentity(**json.loads(note.read_text())["identity"]))
