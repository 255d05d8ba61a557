"""Whoever adds a command says whether it changes something."""

import typer

from cli.app import app
from cli.audited import DEEDS

#: Commands that change nothing, and those whose changes are kept elsewhere or are nobody's.
QUIET = {
    "status", "watch", "check-schema", "keygen", "callbacks keygen", "token new", "token list", "audit list", "connect status",
    "dead-letters list", "dead-letters show", "parked list", "review list", "reconcile list", "reconcile show", "jobs list",
    "jobs plan", "jobs history", "jobs show", "maintenance show",
    "up",  # the local stack
    "migrate",  # sync.migration keeps it
    "connect keep",  # a service: nobody acts
    "callbacks send",  # what a sender posts is the sender's
}  # fmt: skip


def leaves(command, path=()):
    if children := getattr(command, "commands", None):
        for name, child in children.items():
            yield from leaves(child, (*path, name))
    else:
        yield " ".join(path), command


COMMANDS = dict(leaves(typer.main.get_command(app)))


def test_every_command_is_in_the_list_of_deeds_or_changes_nothing():
    assert COMMANDS.keys() == DEEDS.keys() | QUIET
    assert DEEDS.keys() & QUIET == set()


def test_what_a_deed_is_about_and_its_flag_are_parameters_of_its_command():
    for path, deed in DEEDS.items():
        given = {parameter.name for parameter in COMMANDS[path].params}
        assert set(deed.about) <= given, path
        assert deed.looks is None or deed.looks[0] in given, path


def test_a_reason_can_be_given_for_whatever_is_done_elsewhere():
    for path, deed in DEEDS.items():
        if deed.elsewhere:
            assert "reason" in {parameter.name for parameter in COMMANDS[path].params}, path


def test_the_audit_never_names_whom_a_purge_is_about():
    assert DEEDS["subject purge"].about == ()
