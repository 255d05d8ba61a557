from pathlib import Path

import pytest

from stack.errors import StackError
from stack.folder import PROJECT_ROOT
from stack.procfile import instance_names, parse_formation, read_procfile


def procfile(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "Procfile"
    file.write_text(text)
    return file


def test_lines_become_process_types_in_their_order(tmp_path):
    types = read_procfile(procfile(tmp_path, "# what runs\nworker: faust -A app worker\n\ndemo: python -m 'de mo' x\n"))
    assert [(kind, process_type.argv) for kind, process_type in types.items()] == [
        ("worker", ("faust", "-A", "app", "worker")),
        ("demo", ("python", "-m", "de mo", "x")),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("worker faust\n", "line 1: 'worker faust' is not of the form"),
        ("worker: a\nworker: b\n", "line 2: worker is defined a second time"),
        ("a: x\nworker: 'unclosed\n", "line 2: No closing quotation"),
        ("worker:\n", "line 1: 'worker:' is not of the form"),
    ],
)
def test_a_line_that_cannot_be_understood_is_named(tmp_path, text, complaint):
    with pytest.raises(StackError, match=complaint):
        read_procfile(procfile(tmp_path, text))


def test_formation_counts_every_type():
    assert parse_formation("worker=2, demo=1") == {"worker": 2, "demo": 1}


@pytest.mark.parametrize("text", ["worker", "worker=", "worker=-1", "=2", "", "worker=1,worker=2", "worker=1,"])
def test_formation_that_is_wrong_is_refused(text):
    with pytest.raises(StackError, match="formation"):
        parse_formation(text)


def test_instances_are_numbered_and_keep_the_order_of_the_procfile(tmp_path):
    types = read_procfile(procfile(tmp_path, "worker: a\ndemo: b\nidle: c\n"))
    assert list(instance_names(types, {"demo": 1, "worker": 2})) == ["worker-1", "worker-2", "demo-1"]


def test_formation_with_an_unknown_type_is_refused(tmp_path):
    types = read_procfile(procfile(tmp_path, "worker: a\n"))
    with pytest.raises(StackError, match="has no demo; it has worker"):
        instance_names(types, {"demo": 1})


def test_the_projects_own_procfile_has_a_worker_the_intake_and_what_the_demo_does():
    assert {"worker", "callbacks", "demo", "posts"} <= read_procfile(PROJECT_ROOT / "Procfile").keys()
