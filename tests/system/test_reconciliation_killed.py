"""The weekly reconciliation whose worker is killed in the middle: another worker goes on, and no row is repaired twice."""

from collections import Counter
from contextlib import contextmanager

import pytest

from batch_timers.jobs import WEEKLY
from demo.history import Sizes
from flows.document_metadata import DOCUMENT_METADATA as FLOW
from tests.support.kafka import end_offsets
from tests.support.platform import Platform
from tests.support.waiting import eventually
from tests.support.workers import Workers

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(400)]

JOB = f"{WEEKLY}:{FLOW.name}"
FAMILIES = 60
SIZES = Sizes(evaluations=100, applications=20, documents=300, user_events=0, feedback=0)
RANGE_ROWS = 50
HURRIED = {"SYNC_BATCH__RANGE_ROWS": str(RANGE_ROWS), "SYNC_BATCH__LEASE": "5", "SYNC_BATCH__LOOK_INTERVAL": "0.5"}
WITHIN = 120.0
KEYS = "SELECT document_id::text FROM public.document_metadata ORDER BY 1"
DAMAGE = "UPDATE public.document_metadata SET file_name = 'damaged' WHERE document_id = ANY(%s::uuid[])"
# Every write of a row by somebody, whether or not it changes anything.
WRITTEN = """
CREATE TABLE public.written (document_id uuid);
CREATE FUNCTION public.note_written() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN INSERT INTO public.written VALUES (NEW.document_id); RETURN NEW; END $$;
CREATE TRIGGER written AFTER INSERT OR UPDATE ON public.document_metadata FOR EACH ROW EXECUTE FUNCTION public.note_written();
"""


@pytest.fixture(scope="module")
def installation(stack):
    platform = Platform(stack)
    platform.fill(FAMILIES, SIZES)
    platform.environment |= HURRIED
    platform.install()
    yield platform
    platform.close()


@pytest.fixture
def workers(installation):
    workers = Workers(installation)
    workers.start("worker-1", "worker-2")
    installation.settle_all()
    yield workers
    workers.kill_all()


@pytest.fixture
def damaged(installation, workers):
    """Keys of rows that are damaged: in the first range, in the fourth, and in the last."""
    keys = [key for (key,) in installation.warehouse.rows(KEYS)]
    chosen = [keys[RANGE_ROWS // 2], keys[RANGE_ROWS * 7 // 2], keys[-3]]
    assert len(keys) > RANGE_ROWS * 5, "the last is in another range"
    installation.warehouse.rows(DAMAGE, (chosen,))
    installation.warehouse.rows(WRITTEN)
    return chosen


@contextmanager
def held(installation, key):
    """Nobody can repair the row while the block runs."""
    with installation.warehouse.connect() as somebody:
        somebody.execute("BEGIN")
        somebody.execute("SELECT FROM document_metadata WHERE document_id = %s FOR UPDATE", (key,))
        yield
        somebody.execute("ROLLBACK")


def told(installation):
    """How many repairs were sent to the lanes."""
    return sum(end for (topic, _), end in end_offsets(installation.settings.kafka, FLOW).items() if topic != FLOW.topic)


def run_of(installation):
    return installation.command("jobs", "show", JOB)


def taken_from(installation, owner):
    """The run once another worker has it."""

    def taken():
        run = run_of(installation)
        return run if run["state"] == "running" and run["owner"] not in (None, owner) else None

    return eventually(taken, "another worker has the run", within=WITHIN)


def test_another_worker_goes_on_at_the_next_chunk_and_no_row_is_repaired_twice(installation, workers, damaged):
    before = told(installation)
    with held(installation, damaged[1]):
        installation.command("jobs", "run", JOB, "--force")
        eventually(lambda: told(installation) == before + 2, "the second repair is under way", within=WITHIN)
        killed = run_of(installation)
        assert (killed["state"], killed["rows_written"], killed["rows_read"]) == ("running", 1, 3 * RANGE_ROWS)
        workers[killed["owner"]].kill()
        taken = taken_from(installation, killed["owner"])
        assert taken["rows_read"] == killed["rows_read"], "what was compared is not compared again"
    eventually(lambda: run_of(installation)["state"] == "succeeded", "the run has ended", within=WITHIN)
    ended, total = run_of(installation), installation.warehouse.value("SELECT count(*) FROM document_metadata")
    assert (ended["rows_read"], ended["rows_failed"]) == (total, 0)
    assert told(installation) == before + len(damaged)
    written = Counter(key for (key,) in installation.warehouse.rows("SELECT document_id::text FROM public.written"))
    assert written == dict.fromkeys(damaged, 1)
    report_is_whole(installation, ended, damaged, total)
    installation.become_right_all([FLOW])


def report_is_whole(installation, run, damaged, total):
    """Both workers' ranges stand in one report; of the step that was killed it has what was still wrong afterwards."""
    name = run["scheduled_for"].replace("-", "").replace(":", "")[:15]
    (flow,) = installation.command("reconcile", "show", f"{name}Z-{WEEKLY}")["flows"]
    assert (flow["flow"], flow["verdict"], flow["compared"]) == (FLOW.name, "repaired", total)
    assert {row["key"]: row["outcome"] for row in flow["rows"]} == dict.fromkeys([damaged[0], damaged[2]], "repaired")
