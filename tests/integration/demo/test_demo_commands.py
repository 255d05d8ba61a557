import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

PROJECT = Path(__file__).parents[3]


def command(*arguments):
    return [sys.executable, "-m", "demo", *arguments]


def demo(environment, *arguments):
    return subprocess.run(
        command(*arguments), env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def running(environment, *arguments):
    process = subprocess.Popen(
        command(*arguments), env=environment, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def snapshots(cluster):
    with cluster.connect("smart_warehouse") as conn:
        return conn.execute("SELECT max(snapshot_id), count(*) FROM eligibility.eligibility_snapshots").fetchone()


def eventually(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


SMALL = ("--applications", "60", "--documents", "80", "--user-events", "120", "--feedback", "10", "--families", "50")
COUNTS = """
SELECT (SELECT count(*) FROM citizens), (SELECT count(*) FROM service_applications), (SELECT count(*) FROM documents),
       (SELECT count(*) FROM user_events)
"""


def portal(cluster):
    with cluster.connect("smart_citizen") as conn:
        return conn.execute(COUNTS).fetchone()


def test_schema_load_and_trickle_fill_both_databases(environment, databases):
    assert demo(environment, "schema").returncode == 0
    loaded = demo(environment, "load", "--snapshots", "500", *SMALL)
    assert "eligibility.eligibility_snapshots +500" in loaded.stdout
    assert "public.service_applications +60, public.documents +80, public.user_events +120" in loaded.stdout
    assert snapshots(databases) == (500, 500)
    before = portal(databases)
    trickled = demo(environment, "trickle", "--rate", "0", "--changes", "1500", "--families", "50")
    assert "changes: 1,500 in" in trickled.stdout
    assert snapshots(databases)[0] > 700
    assert all(now > then for now, then in zip(portal(databases), before, strict=True))


def test_a_trickle_may_keep_to_one_table(environment, databases):
    demo(environment, "schema")
    demo(environment, "load", "--snapshots", "50", *SMALL)
    before = portal(databases)
    demo(environment, "trickle", "--rate", "0", "--changes", "200", "--families", "50", "--table", "public.documents")
    after = portal(databases)
    assert after[1] == before[1]
    assert after[2] > before[2]
    assert after[3] == before[3]
    refused = demo(environment, "trickle", "--table", "public.schemes")
    assert refused.returncode == 2
    assert "nothing happens to" in refused.stderr


def test_a_second_load_leaves_full_tables_alone_unless_told_to_append_evaluations(environment, databases):
    demo(environment, "schema")
    demo(environment, "load", "--snapshots", "100", *SMALL)
    before = portal(databases)
    again = demo(environment, "load", "--snapshots", "100", *SMALL)
    assert again.returncode == 0
    assert "warehouse: left alone, having rows or nothing to load: eligibility.scheme_master" in again.stdout
    assert "+" not in again.stdout
    appended = demo(environment, "load", "--snapshots", "100", "--append")
    assert "eligibility.eligibility_snapshots +100" in appended.stdout
    assert snapshots(databases) == (200, 200)
    assert portal(databases) == before


@pytest.mark.parametrize("arguments", [("load",), ("trickle", "--changes", "1")])
def test_without_its_tables_a_command_says_how_to_create_them(environment, arguments):
    refused = demo(environment, *arguments)
    assert refused.returncode == 1
    assert "python -m demo schema" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_missing_administrator_is_named(environment):
    del environment["SYNC_WAREHOUSE_ADMIN__USER"]
    refused = demo(environment, "schema")
    assert refused.returncode == 2
    assert "SYNC_WAREHOUSE_ADMIN__USER is not set" in refused.stderr


def test_the_trickle_outlasts_a_crash_of_the_database_and_ends_on_sigterm(environment, databases):
    demo(environment, "schema")
    with running(environment, "trickle", "--rate", "200", "--seed", "7") as process:
        eventually(lambda: snapshots(databases)[1] > 20)
        databases.stop("immediate")
        with pytest.raises(psycopg.OperationalError):
            snapshots(databases)
        databases.start()
        last, _ = snapshots(databases)
        eventually(lambda: snapshots(databases)[0] > last + 20)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    for name in ("warehouse", "citizen"):
        assert output.count(f"{name}: database not usable") == 1
        assert output.count(f"{name}: database usable again") == 1
    assert "changes: " in output
