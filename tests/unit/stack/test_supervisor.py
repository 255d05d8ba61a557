import json
import sys
from pathlib import Path

import pytest

from stack.backoff import Backoff
from stack.errors import StackError
from stack.instance import InstanceStatus
from stack.supervisor import Supervisor
from stack.waiting import wait_until

SECONDS = 10
# Says in its log who it is, then lives until SIGTERM.
TELL = "import json, os, signal; print(json.dumps(dict(os.environ)), flush=True); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.sigwait([2])"


@pytest.fixture
def supervise(tmp_path):
    running: list[Supervisor] = []

    def make(formation: str, *lines: str, say=None) -> Supervisor:
        procfile = tmp_path / "Procfile"
        procfile.write_text("\n".join(lines))
        backoff = Backoff(first=0.05, longest=0.2)
        supervisor = Supervisor(formation, tmp_path / "state", {"SYNC_X": "x"}, procfile=procfile, backoff=backoff, say=say)
        running.append(supervisor)
        return supervisor

    yield make
    for supervisor in running:
        supervisor.stop()


def line(kind: str, program: str) -> str:
    return f'{kind}: python -c "{program}"'


def status(supervisor: Supervisor, name: str) -> InstanceStatus:
    return next(shown for shown in supervisor.status if shown.name == name)


def environment(supervisor: Supervisor, name: str) -> dict[str, str]:
    log = status(supervisor, name).log
    assert wait_until(lambda: log.exists() and log.read_text().endswith("\n"), SECONDS)
    told: dict[str, str] = json.loads(log.read_text().splitlines()[-1])
    return told


def test_every_process_has_a_name_a_folder_and_a_port_of_its_own(supervise, tmp_path):
    supervisor = supervise("worker=2", line("worker", TELL))
    supervisor.start()
    first, second = environment(supervisor, "worker-1"), environment(supervisor, "worker-2")
    assert first["SYNC_X"] == "x"
    assert first["SYNC_WORKER__NAME"] == "worker-1"
    assert first["SYNC_WORKER__DATA_DIR"] == str(tmp_path / "state" / "data" / "worker-1")
    assert first["SYNC_WORKER__WEB_PORT"] != second["SYNC_WORKER__WEB_PORT"]


def test_python_in_the_procfile_is_our_own_interpreter(supervise):
    supervisor = supervise("worker=1", line("worker", "import sys; print(sys.prefix, flush=True)"))
    supervisor.start()
    log = status(supervisor, "worker-1").log
    assert wait_until(lambda: log.read_text().startswith(sys.prefix), SECONDS)


def test_a_killed_process_is_started_again_and_its_neighbour_is_not_touched(supervise):
    supervisor = supervise("worker=2", line("worker", TELL))
    supervisor.start()
    victim, neighbour = status(supervisor, "worker-1").pid, status(supervisor, "worker-2").pid
    supervisor.kill("worker-1")
    assert wait_until(lambda: status(supervisor, "worker-1").pid not in {None, victim}, SECONDS)
    assert status(supervisor, "worker-1").restarts == 1
    assert status(supervisor, "worker-2").pid == neighbour


def test_a_process_that_dies_at_once_is_started_again_with_growing_pauses(supervise):
    said: list[str] = []
    supervisor = supervise("worker=1", line("worker", "raise SystemExit(3)"), say=said.append)
    supervisor.start()
    assert wait_until(lambda: len(said) >= 4, SECONDS)
    supervisor.stop()
    assert [message.split(" (")[0] for message in said[:4]] == [
        f"worker-1 ended with code 3 and starts again in {pause} s" for pause in ("0.05", "0.1", "0.2", "0.2")
    ]


def test_a_stopped_process_stays_down_until_it_is_started(supervise):
    supervisor = supervise("worker=1", line("worker", TELL))
    supervisor.start()
    environment(supervisor, "worker-1")
    supervisor.stop("worker-1")
    assert status(supervisor, "worker-1") == InstanceStatus("worker-1", None, 0, status(supervisor, "worker-1").log)
    supervisor.start("worker-1")
    assert status(supervisor, "worker-1").pid is not None


def test_a_process_that_is_stopped_during_its_pause_does_not_come_back(supervise, tmp_path):
    said: list[str] = []
    supervisor = supervise("worker=1", line("worker", "pass"), say=said.append)
    supervisor.start()
    assert wait_until(lambda: bool(said), SECONDS)
    supervisor.stop()
    assert status(supervisor, "worker-1").pid is None
    assert list((tmp_path / "state" / "pids").iterdir()) == []


def test_a_process_deaf_to_sigterm_is_killed_after_the_grace_time(supervise, monkeypatch):
    monkeypatch.setattr("stack.supervisor.GRACE_SECONDS", 0.3)
    supervisor = supervise("worker=1", line("worker", DEAF))
    supervisor.start()
    log = status(supervisor, "worker-1").log
    assert wait_until(lambda: "deaf" in log.read_text(), SECONDS)
    supervisor.stop()
    assert status(supervisor, "worker-1").pid is None


def test_the_load_is_stopped_before_the_workers(supervise, tmp_path):
    order = tmp_path / "order"
    last_words = (
        "import os, signal, sys\n"
        "def go(*_): open('order', 'a').write(os.environ['SYNC_WORKER__NAME'] + chr(10)); sys.exit()\n"
        "signal.signal(signal.SIGTERM, go); print('ready', flush=True)\nwhile True: signal.pause()\n"
    )
    (tmp_path / "last_words.py").write_text(last_words)
    supervisor = supervise("worker=2,demo=1", "worker: python last_words.py", "demo: python last_words.py")
    supervisor.start()
    assert wait_until(lambda: all("ready" in shown.log.read_text() for shown in supervisor.status), SECONDS)
    supervisor.stop()
    names = order.read_text().split()
    assert names[0] == "demo-1"
    assert set(names[1:]) == {"worker-1", "worker-2"}


def test_the_children_of_a_killed_process_die_with_it(supervise, tmp_path):
    (tmp_path / "parent.py").write_text(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE, start_new_session=True)\n"
        "print(child.pid, flush=True)\nchild.wait()\n"
    )
    supervisor = supervise("worker=1", "worker: python parent.py")
    supervisor.start()
    log = status(supervisor, "worker-1").log
    assert wait_until(lambda: log.read_text().endswith("\n"), SECONDS)
    grandchild = int(log.read_text().split()[0])
    assert _exists(grandchild)
    supervisor.kill("worker-1")
    assert wait_until(lambda: not _exists(grandchild), SECONDS)


def test_an_unknown_name_is_refused(supervise):
    supervisor = supervise("worker=1", line("worker", TELL))
    for action in (supervisor.start, supervisor.kill, supervisor.stop):
        with pytest.raises(StackError, match="no process worker-9 in this formation; it has worker-1"):
            action("worker-9")


def test_a_program_that_does_not_exist_is_named_at_the_start(supervise):
    supervisor = supervise("worker=1", "worker: no-such-program")
    with pytest.raises(StackError, match="'no-such-program' is not in PATH"):
        supervisor.start()


def _exists(pid: int) -> bool:
    """Whether the process is there; an orphan that nobody has reaped yet does not count."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
