"""The reconciliation beside workers and load: what is in flight is no difference, what was damaged is found and made good."""

import json
import subprocess
import sys

import pytest

from demo.history import Sizes
from demo.relay import Plan
from demo.sources import SOURCES
from flows.append_model import AppendFlow
from flows.registry import CAPTURED
from stack.folder import PROJECT_ROOT
from tests.support.chaos import WORKERS
from tests.support.chaos_round import chosen_seed
from tests.support.planted import Planter
from tests.support.platform_load import PlatformLoad
from tests.support.waiting import eventually
from tests.support.workers import supervised
from views.reconciliation import segments

pytestmark = pytest.mark.campaign

FAMILIES = 300
SIZES = Sizes(evaluations=2000, applications=500, documents=600, user_events=0, feedback=0)
# Golden records change as citizens do. Left to themselves they would be deleted, too: missing, while their citizens are verified.
READ = {flow.source.table.qualified for flow in CAPTURED} - {"public.golden_records"}
CHANGING = [source for source in SOURCES if source.table in READ]
RATE = 60.0  # changes a second, some twenty times the peak
SECONDS = 240
UNDER_WAY = "SELECT run FROM sync.reconciliation WHERE state = 'running' AND NOT repairs ORDER BY run DESC LIMIT 1"
FACTS = {flow.name for flow in CAPTURED if isinstance(flow, AppendFlow)}
# Not document_metadata: a document that never was is marked as deleted, as one that was; the oracle knows that it never was.
COMPARED = ("golden_records", "profile_summary", "application_decisions")


@pytest.fixture(scope="module")
def supervisor(installation):
    with supervised(installation, len(WORKERS)) as supervisor:
        installation.settle_all()
        yield supervisor


@pytest.fixture
def reconcile(installation):
    """Run the command and return its exit code and its document."""

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "cli", "reconcile", "run", "--json", *arguments],
            cwd=PROJECT_ROOT, env=installation.environment, capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    return run


@pytest.fixture
def load(installation):
    return lambda seed: PlatformLoad(installation.settings, Plan(installation.population, seed, CHANGING, RATE))


def plant(installation, seed):
    """Damage every target; returns the keys by flow."""
    planted = {}
    for flow in CAPTURED:
        with installation.of(flow.source.table.database).connect() as source, installation.target_of(flow).connect() as target:
            found = Planter(flow, source, target, seed).plant()
        planted[flow.name] = {*found.missing, *found.extra, *found.different}
    return planted


def different(flow):
    return {row["key"]: row for row in flow["rows"] if row["what"] in ("missing", "extra", "different")}


def broken(document):
    return [(flow["flow"], rule) for flow in document["flows"] for rule in flow["violations"]]


@pytest.mark.usefixtures("supervisor")
def test_under_load_nothing_in_flight_is_called_different(reconcile, load, say):
    seed = chosen_seed()
    say(f"SYNC_CHAOS_SEED={seed}")
    with load(seed) as changes:
        code, document = reconcile("--dry-run")
    say(f"{changes.done.total()} changes were committed meanwhile")
    assert [
        (flow["flow"], flow["problem"], flow["rows"]) for flow in document["flows"] if different(flow) or flow["problem"]
    ] == []
    assert broken(document) == []
    assert (code, document["verdict"]) == (0, "equal")
    assert all(flow["compared"] for flow in document["flows"])


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("supervisor")
def test_damage_under_load_is_found_and_repaired_and_a_second_run_repairs_nothing(installation, reconcile, load, say, tmp_path):
    seed = chosen_seed()
    say(f"SYNC_CHAOS_SEED={seed}")
    installation.settle_all()
    with load(seed):
        planted = plant(installation, seed)
        _, document = reconcile()
    found = {flow["flow"]: different(flow) for flow in document["flows"]}
    say(f"of {sum(map(len, planted.values()))} damaged keys {sum(map(len, found.values()))} were found, others healed by events")
    for flow in document["flows"]:
        strange = [row for key, row in found[flow["flow"]].items() if key not in planted[flow["flow"]]]
        assert strange == [], flow["flow"]
        left = [row for row in flow["rows"] if row["outcome"] == "left"]
        assert [row for row in left if flow["flow"] not in FACTS] == [], flow["flow"]
    assert sum(map(len, found.values())) > sum(map(len, planted.values())) / 2, "most of it was there to be found"
    installation.settle_all()
    installation.become_right_all([flow for flow in CAPTURED if flow.name in COMPARED])
    installation.become_right()
    _, again = reconcile()
    assert [flow["flow"] for flow in again["flows"] if flow["repaired"] or (flow["left"] and flow["flow"] not in FACTS)] == []
    page_tells_all(installation, document, tmp_path)


def page_tells_all(installation, document, folder):
    """What the run found is kept, and is a page of its own."""
    page = folder / "report.html"
    installation.command("reconcile", "show", document["run"], "--html", str(page))
    text = page.read_text()
    for flow in document["flows"]:
        assert all(f"{part.name} {part.rows:,}" in text for part in segments(flow))
    assert document["run"] in {run["run"] for run in installation.command("reconcile", "list")}
    assert "http" not in text.replace("http-equiv", ""), "the page needs nothing else"


@pytest.mark.usefixtures("supervisor")
def test_a_run_that_is_killed_goes_on_where_it_was(installation, reconcile):
    installation.settle_all()
    command = [sys.executable, "-m", "cli", "reconcile", "run", "--dry-run"]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=installation.environment, stdout=subprocess.DEVNULL) as process:
        run = eventually(lambda: installation.warehouse.value(UNDER_WAY), "a run is under way", within=30)
        process.kill()
    kept = {flow["flow"]: flow for flow in installation.command("reconcile", "show", run)["flows"]}
    assert "running" in {flow["verdict"] for flow in kept.values()}
    _, document = reconcile("--resume", run)
    assert broken(document) == []
    assert (document["run"], document["verdict"], document["repairs"]) == (run, "equal", False)
    assert document["flows"] != list(kept.values())
    done = {name: flow for name, flow in kept.items() if flow["finished"]}
    assert {flow["flow"]: flow for flow in document["flows"] if flow["flow"] in done} == done
