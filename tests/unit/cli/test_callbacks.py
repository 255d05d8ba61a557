"""`callbacks send`: what is signed and posted, what is printed, and what is said when it cannot be."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner

from callbacks.settings import new_signing_key
from cli.app import app

OLD, NEW = new_signing_key(), new_signing_key()
SENDERS = {
    "forecast-service": {"keys": [NEW, OLD], "routes": ["forecasts"]},
    "ai-platform-07": {"keys": [new_signing_key()], "routes": ["alerts"]},
    "ai-platform-09": {"keys": [new_signing_key()], "routes": ["alerts"]},
}
BODY = '{"message": "für alle"}'


@contextmanager
def intake(status, document):
    """A server that answers so and keeps what came."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            requests.append((self.path, dict(self.headers), body))
            answer = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", requests
        server.shutdown()
        thread.join()


@pytest.fixture
def sync(monkeypatch):
    monkeypatch.setenv("SYNC_ENV_FILE", "/dev/null")
    monkeypatch.setenv("SYNC_CALLBACKS__SENDERS", json.dumps(SENDERS))
    return lambda *arguments, **more: CliRunner().invoke(app, ["callbacks", *arguments], **more)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "body.json").write_text(BODY, encoding="utf-8")
    return str(tmp_path / "body.json")


def test_a_body_is_posted_as_it_stands_and_signed_with_the_newest_key(sync, file):
    with intake(202, {"accepted": "msg_1"}) as (url, requests):
        sent = sync("send", "--route", "forecasts", "--file", file, "--id", "msg_1", "--url", url, "--json")
    assert sent.exit_code == 0, sent.output
    ((path, headers, body),) = requests
    assert (path, body.decode()) == ("/callbacks/forecasts", BODY)
    Webhook(NEW).verify(body, headers)
    assert (headers["webhook-sender"], headers["content-type"]) == ("forecast-service", "application/json")
    assert json.loads(sent.stdout) == {
        "webhook_id": "msg_1",
        "sender": "forecast-service",
        "status": 202,
        "answer": {"accepted": "msg_1"},
    }


def test_every_message_has_an_id_of_its_own_and_may_come_from_standard_input(sync):
    with intake(202, {}) as (url, requests):
        for _ in range(2):
            assert sync("send", "--route", "forecasts", "--file", "-", "--url", url, input=BODY).exit_code == 0
    ids = [headers["webhook-id"] for _, headers, _ in requests]
    assert len(set(ids)) == 2


def test_a_refusal_is_shown_and_is_exit_code_1(sync, file):
    with intake(422, {"detail": "See errors", "errors": [{"pointer": "#/severity", "detail": "must be one of"}]}) as (url, _):
        sent = sync("send", "--route", "alerts", "--sender", "ai-platform-07", "--file", file, "--url", url)
    assert sent.exit_code == 1
    assert "#/severity" in sent.stdout


def test_an_answer_of_somebody_else_is_told(sync, file):
    with intake(502, b"<html>") as (url, _):
        sent = sync("send", "--route", "forecasts", "--file", file, "--url", url)
    assert sent.exit_code == 1
    assert "not the intake's" in sent.stdout


@pytest.mark.parametrize(("content", "told"), [(b"\xff", "is not UTF-8"), (None, "No such file")])
def test_a_file_that_cannot_be_read_is_named(sync, tmp_path, content, told):
    file = tmp_path / "body.json"
    if content is not None:
        file.write_bytes(content)
    refused = sync("send", "--route", "forecasts", "--file", str(file), env={"COLUMNS": "300"})
    assert (refused.exit_code, told in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--route", "alerts"), 1, "ai-platform-07, ai-platform-09 may post alerts"),
        (("--route", "alerts", "--sender", "nobody"), 1, "has no sender nobody; it has ai-platform-07"),
        (("--route", "forecasts", "--url", "http://127.0.0.1:9"), 1, "nobody answers at http://127.0.0.1:9/callbacks/forecasts"),
        (("--route", "nonsense"), 2, "forecasts, alerts"),
    ],
)
def test_what_prevents_it_is_told_without_a_key(sync, file, arguments, code, told):
    refused = sync("send", "--file", file, *arguments, env={"COLUMNS": "200"})
    assert refused.exit_code == code
    assert told in refused.stderr
    assert "whsec_" not in refused.output


def test_keygen_prints_a_key_that_signs_and_another_each_time(sync):
    first, second = (sync("keygen").stdout.strip() for _ in range(2))
    assert first != second
    Webhook(first)
