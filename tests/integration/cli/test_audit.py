"""`audit` on both real databases, and what stands in its lines."""

import os

import psycopg
import pytest

from cli.databases import Identity, databases
from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.tables import Database
from sinks.operations import flow_control
from sinks.operations.audit import RefusedError, record, record_undone

FLOW = ELIGIBILITY_HINTS


def test_a_deed_of_a_command_says_who_in_what_role_from_where_and_why(migrated, sync, answer):
    assert sync("pause", FLOW.name, "--reason", "disk swap").exit_code == 0
    (entry,) = answer("audit", "list")
    assert entry["at"].endswith("+00:00")
    assert (entry["database"], entry["action"], entry["subject"], entry["reason"]) == ("citizen", "pause", FLOW.name, "disk swap")
    assert (entry["role"], entry["origin"], entry["result"], entry["problem"]) == ("shell", os.uname().nodename, "done", None)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("jobs", "run", "scheme_master", "--force"), "forced: asked by the ministry"),
        (("jobs", "pause"), "asked by the ministry"),
        (("jobs", "resume", "scheme_master"), "asked by the ministry"),
        (("maintenance", "start"), "asked by the ministry"),
    ],
)
def test_a_reason_that_was_given_is_kept(migrated, sync, answer, command, reason):
    assert sync(*command, "--reason", "asked by the ministry").exit_code == 0
    assert answer("audit", "list")[0]["reason"] == reason


def test_entries_of_both_databases_stand_newest_first_and_can_be_chosen(migrated, sync, answer):
    sync("jobs", "pause")
    sync("jobs", "resume")
    both = answer("audit", "list")
    assert [(entry["action"], entry["database"]) for entry in both] == [
        ("resume job", "citizen"),
        ("resume job", "warehouse"),
        ("pause job", "citizen"),
        ("pause job", "warehouse"),
    ]
    assert answer("audit", "list", "--limit", 1) == both[:1]
    assert answer("audit", "list", "--action", "pause job") == both[2:]
    assert answer("audit", "list", "--since", both[1]["at"]) == both[:2]
    assert answer("audit", "list", "--actor", "nobody") == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("connect", "restart", "--reason", "stuck"), ("restart connectors", "all", "stuck", "failed")),
        (("connect", "apply"), ("apply connectors", "all", None, "failed")),
        (("review", "close", "7", "--reason", "seen"), ("close review", "7", "seen", "refused")),
        (("jobs", "cancel", "scheme_master"), ("cancel run", "scheme_master", None, "refused")),
        (("dead-letters", "replay", "3"), ("replay dead letter", "3", None, "refused")),
    ],
)
def test_what_a_command_could_not_do_stands_in_the_audit_with_what_the_operator_was_told(
    migrated, sync, shell, answer, command, expected
):
    shell.setenv("SYNC_CONNECT__URL", "http://127.0.0.1:9")
    done = sync(*command)
    assert done.exit_code == 1
    (entry,) = answer("audit", "list")
    assert (entry["action"], entry["subject"], entry["reason"], entry["result"]) == expected
    assert entry["problem"] in done.stderr
    assert (entry["role"], entry["origin"]) == ("shell", os.uname().nodename)


def test_what_is_done_elsewhere_than_in_the_databases_is_kept_too_and_a_look_is_not(migrated, topics, sync, answer):
    assert sync("reconcile", "run", "scheme_map", "--dry-run", "--patience", "0").exit_code == 0
    assert answer("audit", "list") == []
    assert sync("reconcile", "run", "scheme_map", "--patience", "0", "--reason", "after the restore").exit_code == 0
    (entry,) = answer("audit", "list")
    found = (entry["action"], entry["subject"], entry["reason"], entry["result"])
    assert found == ("reconcile", "scheme_map", "after the restore", "done")


def test_where_the_database_is_away_the_operator_is_told_of_the_trouble_and_not_of_the_audit(migrated, sync, shell):
    shell.setenv("SYNC_CITIZEN__PORT", "9")
    refused = sync("pause", FLOW.name)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: the database cannot be used")


def test_another_identity_of_the_session_is_in_whatever_it_writes(migrated, settings, answer):
    with databases(settings, Identity("operator", "10.0.0.7")) as sessions:
        flow_control.pause(sessions[Database.CITIZEN], FLOW, "asha", "disk swap")
    (entry,) = answer("audit", "list")
    assert (entry["actor"], entry["role"], entry["origin"]) == ("asha", "operator", "10.0.0.7")


def test_what_was_refused_or_failed_is_told_from_what_was_done(migrated, settings, answer):
    with databases(settings) as sessions:
        session = sessions[Database.CITIZEN]
        record(session, "asha", "pause", FLOW.name)
        record_undone(session, "asha", "pause", FLOW.name, reason="again", why=RefusedError("it is stopped already"))
        record_undone(session, "asha", "pause", FLOW.name, reason=None, why=OSError("no answer"))
    found = [(entry["result"], entry["problem"], entry["reason"]) for entry in answer("audit", "list")]
    assert found == [("failed", "no answer", None), ("refused", "it is stopped already", "again"), ("done", None, None)]
    assert [entry["result"] for entry in answer("audit", "list", "--result", "refused")] == ["refused"]


@pytest.mark.parametrize("statement", ["UPDATE sync.audit SET reason = 'x'", "DELETE FROM sync.audit", "TRUNCATE sync.audit"])
@pytest.mark.parametrize("name", ["warehouse", "citizen"])
def test_the_role_that_workers_and_commands_have_can_only_add(migrated, session_of, name, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session_of(name, "").execute(statement)
