"""Tokens, who is known by them, and how often somebody may try."""

import hashlib
import logging
import os
import re
from datetime import timedelta

import pytest

from tests.unit.views.world import NOON
from views.attempts import MOST, WITHIN, Attempts
from views.operators import Role, Roster, new_token


class Clock:
    now = NOON

    def __call__(self):
        return self.now


def test_a_token_is_new_each_time_and_only_its_hash_is_kept():
    token, operator = new_token("asha", Role.OPERATOR)
    other, _ = new_token("asha", Role.OPERATOR)
    assert token != other
    assert re.fullmatch(r"[\w-]{43}", token)
    assert operator.line == f"asha:operator:{hashlib.sha256(token.encode()).hexdigest()}"
    assert token not in operator.line


@pytest.mark.parametrize("name", ["", "a:b", "a,b", "a b", "a\n", "x" * 65, "ä"])
def test_a_name_that_no_line_can_hold_is_refused(name):
    with pytest.raises(ValueError, match="1 to 64 letters"):
        new_token(name, Role.ADMIN)


def test_operators_of_the_setting_and_of_the_file_are_known_by_their_tokens(tmp_path):
    (asha, line), (bina, other) = new_token("asha", Role.OPERATOR), new_token("bina", Role.ADMIN)
    file = tmp_path / "operators"
    file.write_text(f"# who may act\n\n  {other.line}  \n")
    roster = Roster(line.line, file)
    assert (roster.whose(asha), roster.whose(bina)) == (line, other)
    assert roster.whose("") is roster.whose(line.digest) is roster.whose(asha + "x") is None


def test_who_is_taken_out_of_the_file_is_known_no_more_without_a_restart(tmp_path):
    (asha, line), file = new_token("asha", Role.OPERATOR), tmp_path / "operators"
    file.write_text(line.line)
    roster = Roster("", file)
    assert roster.still("asha", line.fingerprint) == line
    file.write_text("")
    os.utime(file, ns=(1, 1))
    assert roster.whose(asha) is roster.still("asha", line.fingerprint) is None


def test_a_file_that_cannot_be_read_lets_nobody_in_and_is_told_once(tmp_path, caplog):
    (asha, line), file = new_token("asha", Role.OPERATOR), tmp_path / "operators"
    file.write_text(line.line)
    roster = Roster("", file)
    assert roster.whose(asha)
    file.unlink()
    with caplog.at_level(logging.WARNING):
        assert roster.whose(asha) is roster.whose(asha) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    file.write_text(line.line)
    assert roster.whose(asha)


@pytest.mark.parametrize("wrong", ["asha", "asha:owner:" + "a" * 64, "asha:operator:hunter2", ":admin:" + "a" * 64])
def test_a_line_that_is_wrong_lets_nobody_in_and_is_not_quoted(wrong, caplog):
    token, line = new_token("bina", Role.ADMIN)
    roster = Roster(f"{wrong},{line.line}")
    assert roster.operators() == (line,)
    assert roster.whose(token) == line
    assert "SYNC_WEB__OPERATORS: line 1" in caplog.text
    assert wrong not in caplog.text


def test_an_admin_may_what_an_operator_may_and_not_the_other_way():
    assert [Role.ADMIN.may(role) for role in Role] == [True, True]
    assert [Role.OPERATOR.may(role) for role in Role] == [True, False]


def test_who_has_failed_too_often_waits_and_nobody_else_does():
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(MOST):
        assert attempts.wait("10.0.0.7") == 0
        attempts.failed("10.0.0.7")
    assert attempts.wait("10.0.0.8") == 0
    clock.now += timedelta(seconds=10)
    assert attempts.wait("10.0.0.7") == WITHIN.total_seconds() - 10 + 1
    clock.now += WITHIN
    assert attempts.wait("10.0.0.7") == 0


def test_what_is_remembered_of_failures_is_bounded():
    attempts = Attempts(Clock())
    for number in range(5000):
        attempts.failed(str(number))
    assert len(attempts._failures) == 1000
