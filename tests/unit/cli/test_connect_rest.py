import httpx
import pytest

from cli import connect_rest
from cli.connect_rest import ConnectRest
from sinks.operations.audit import RefusedError

TRACE = 'org.postgresql.util.PSQLException: ERROR: invalid input "Asha Rao"\n\tat io.debezium.Nowhere\nCaused by: secret'


def rest(answer):
    """Kafka Connect that gives one answer to everything."""
    return ConnectRest(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://connect"))


def test_of_a_trace_the_first_line_is_shown_without_values():
    failed = {"state": "FAILED", "worker_id": "here", "trace": TRACE}
    answer = httpx.Response(200, json={"connector": failed, "tasks": [{"id": 0, **failed}]})
    status = rest(lambda _: answer).status("sync_warehouse")
    assert status.trace == status.tasks[0].trace == "org.postgresql.util.PSQLException: ERROR: invalid input …"


def test_while_connect_rebalances_it_is_asked_again(monkeypatch):
    monkeypatch.setattr(connect_rest, "PAUSE", 0)
    expected = httpx.Response(500, json={"message": "Request cannot be completed because a rebalance is expected"})
    answers = [httpx.Response(409), expected, httpx.Response(503), httpx.Response(204)]
    rest(lambda _: answers.pop(0)).stop("sync_warehouse")
    assert answers == []


@pytest.mark.parametrize("act", [ConnectRest.restart, ConnectRest.stop, ConnectRest.resume])
def test_a_connector_that_does_not_exist_is_refused_with_what_to_do(act):
    with pytest.raises(RefusedError, match="there is no connector sync_warehouse; `python -m cli connect apply` makes it"):
        act(rest(lambda _: httpx.Response(404)), "sync_warehouse")


def test_offsets_that_connect_goes_on_refusing_are_told_with_its_reason():
    refusal = httpx.Response(400, json={"message": "must be in the STOPPED state"})
    with pytest.raises(RefusedError, match=r"answers 400 .*: must be in the STOPPED state"):
        rest(lambda _: refusal).delete_offsets("sync_warehouse", timeout=0)
