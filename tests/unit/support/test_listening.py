"""The port scan finds what it must find."""

import os
import socket
from contextlib import closing
from ipaddress import ip_address

import pytest

from tests.support.listening import listeners


@pytest.mark.parametrize(
    ("family", "address", "loopback_only"),
    [
        (socket.AF_INET, "127.0.0.1", True),
        (socket.AF_INET, "0.0.0.0", False),  # noqa: S104 that it would be seen is what is tested
        (socket.AF_INET6, "::1", True),
        (socket.AF_INET6, "::ffff:127.0.0.1", True),
        (socket.AF_INET6, "::", False),
    ],
)
def test_who_listens_is_found_and_where(family, address, loopback_only):
    with closing(socket.socket(family)) as listening:
        listening.bind((address, 0))
        listening.listen()
        port = listening.getsockname()[1]
        (found,) = [each for each in listeners([os.getpid()]) if each.port == port]
        assert (found.pid, found.address, found.loopback_only) == (os.getpid(), ip_address(address), loopback_only)


def test_what_is_bound_and_does_not_listen_is_no_listener():
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        assert bound.getsockname()[1] not in {each.port for each in listeners([os.getpid()])}


def test_a_process_that_has_ended_listens_nowhere():
    assert listeners([2**22 + 1]) == []
