"""A worker's folder and its changelog are copies: lost, damaged or out of date, they are made good by themselves."""

import shutil

import pytest

from tests.support.damage import damage_bookkeeping, damage_tables, delete
from tests.support.kafka import delete_topics
from tests.support.workers import supervised

DAMAGES = {"deleted": delete, "damaged in its tables": damage_tables, "damaged in its bookkeeping": damage_bookkeeping}
# Each life of the worker heals one partition at least.
HEALING_SECONDS = 120.0


@pytest.fixture
def worker(installation, workers):
    """The only worker, its tables in files and in logs, the target right, whatever the test before left."""
    worker = workers["worker-1"]
    workers.start(worker.name)
    if not list(worker.data.rglob("*.sst")):
        worker.terminate()
        workers.start(worker.name)  # opening the databases turns their logs into files
    if not installation.compare().equal:
        resync(installation)
    installation.change(200)
    installation.become_right()
    return worker


def resync(installation):
    installation.rebuilt(installation.command("resync", installation.flow.name)["resync"])


@pytest.mark.parametrize(
    "damage", [name if name == "deleted" else pytest.param(name, marks=pytest.mark.campaign) for name in DAMAGES]
)
def test_a_folder_that_suffers_while_the_worker_is_down_heals(installation, workers, worker, damage):
    worker.kill()
    DAMAGES[damage](worker.data)
    installation.change(200)
    with supervised(installation, 1) as supervisor:
        installation.touch_every_family()
        installation.become_right(within=HEALING_SECONDS)
        installation.becomes_all_right()
        (status,) = supervisor.status
        assert status.restarts <= installation.flow.partitions, "each life heals one partition at least: no crash loop"


@pytest.mark.campaign
def test_an_old_copy_of_the_folder_that_is_put_back_catches_up(installation, workers, worker, tmp_path):
    assert worker.terminate() == 0
    shutil.copytree(worker.data, tmp_path / "old")
    workers.start("worker-1")
    installation.change(500)
    installation.become_right()
    assert worker.terminate() == 0
    shutil.rmtree(worker.data)
    shutil.copytree(tmp_path / "old", worker.data)
    installation.change(200)
    workers.start("worker-1")
    installation.touch_every_family()
    installation.becomes_all_right()


@pytest.mark.campaign
@pytest.mark.parametrize("folder", ["kept", "lost as well"])
def test_a_changelog_that_is_lost_is_made_anew(installation, workers, worker, folder):
    assert worker.terminate() == 0
    delete_topics(installation.settings.kafka, lambda topic: topic.endswith("-changelog"))
    if folder != "kept":
        delete(worker.data)
    installation.change(200)
    workers.start("worker-1")
    installation.touch_every_family()
    installation.becomes_all_right()
    assert worker.terminate() == 0
    delete(worker.data)  # now the changelog alone must have everything
    workers.start("worker-1")
    installation.touch_every_family()
    installation.becomes_all_right()


@pytest.mark.campaign
def test_candidates_that_are_out_of_step_with_the_target_are_rebuilt_by_a_resync(installation, worker):
    installation.citizen.rows("DELETE FROM eligibility_hints WHERE rank = 1")
    resync(installation)
    installation.touch_every_family()
    installation.becomes_all_right()
