"""What only a real connection shows: slow, silent, broken and too many clients."""

import asyncio
import inspect
import json
import time

import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from callbacks.connection import GuardedConnection
from flows.ml_alerts import ALERT_CALLBACK
from tests.support.callbacks import Sender, body_of, until

# Seconds: the application's deadline, and that of the connection.
READ, CUT = 0.2, 0.4
PATIENCE = 10.0


async def everything(reader):
    """All bytes until the other side closes, which it must do."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def one_answer(reader):
    async with asyncio.timeout(PATIENCE):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        (length,) = [int(line.partition(":")[2]) for line in head.splitlines() if line.startswith("content-length")]
        return int(head.split()[1]), json.loads(await reader.readexactly(length))


async def trickle(writer, data, pause):
    """Send byte by byte until the other side has had enough."""
    for byte in data:
        writer.write(bytes([byte]))
        try:
            await writer.drain()
        except ConnectionError:
            return
        await asyncio.sleep(pause)


async def test_a_body_that_trickles_in_is_answered_at_the_deadline(listening, publisher):
    body = body_of(ALERT_CALLBACK)
    head, _, rest = Sender().request(body).partition(b"\r\n\r\n")
    async with listening(read_timeout=READ) as dial:
        reader, writer = await dial()
        writer.write(head + b"\r\n\r\n")
        slow = asyncio.create_task(trickle(writer, rest, 0.02))
        status, document = await one_answer(reader)
        assert await everything(reader) == b""
        slow.cancel()
    assert (status, document["type"]) == (408, "urn:sync:problem:too-slow")
    assert publisher.records == []


@pytest.mark.parametrize(
    "sent", [b"", b"P", b"POST /callbacks/alerts HTTP/1.1\r\nhost: x\r\n"], ids=["nothing", "a byte", "half a head"]
)
async def test_who_sends_no_whole_head_is_cut_off(listening, sent):
    async with listening(seconds=CUT) as dial:
        reader, writer = await dial()
        began = time.monotonic()
        writer.write(sent)
        assert await everything(reader) == b""
        assert time.monotonic() - began >= CUT * 0.9


async def test_a_head_that_trickles_in_is_cut_off(listening):
    async with listening(seconds=CUT) as dial:
        reader, writer = await dial()
        slow = asyncio.create_task(trickle(writer, Sender().request("{}"), 0.02))
        assert await everything(reader) == b""
        slow.cancel()


async def test_who_was_refused_and_sends_on_is_cut_off(listening):
    head = b"POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"
    async with listening(seconds=CUT) as dial:
        reader, writer = await dial()
        writer.write(head)
        status, _ = await one_answer(reader)
        slow = asyncio.create_task(trickle(writer, b"x" * 1000, 0.02))
        assert await everything(reader) == b""
        slow.cancel()
    assert status == 404


async def test_every_request_of_a_connection_has_a_deadline_of_its_own(listening, publisher):
    async with listening(seconds=CUT, burst=1_000_000) as dial:
        reader, writer = await dial()
        began, answers = time.monotonic(), []
        while time.monotonic() - began < 2 * CUT:
            writer.write(Sender().request(body_of(ALERT_CALLBACK)))
            answers.append(await one_answer(reader))
        assert {status for status, _ in answers} == {202}
        writer.write(b"POST")
        assert await everything(reader) == b""


async def test_requests_sent_one_behind_the_other_are_all_answered(listening, publisher):
    async with listening() as dial:
        reader, writer = await dial()
        writer.write(b"".join(Sender().request(body_of(ALERT_CALLBACK)) for _ in range(3)))
        assert [(await one_answer(reader))[0] for _ in range(3)] == [202, 202, 202]
    assert len(publisher.records) == 3


async def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(listening, publisher, caplog):
    caplog.set_level("INFO")
    async with listening() as dial:
        reader, writer = await dial()
        writer.write(Sender().request(body_of(ALERT_CALLBACK))[:-20])
        await writer.drain()
        writer.close()
        assert await everything(reader) == b""
        await until(lambda: "gone /callbacks/alerts" in caplog.text)
    assert publisher.records == []


@pytest.mark.parametrize(
    "sent", [b"hello\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 2**17]
)
async def test_what_is_not_http_is_a_problem_too(listening, sent):
    async with listening() as dial:
        reader, writer = await dial()
        writer.write(sent)
        status, document = await one_answer(reader)
        assert await everything(reader) == b""
    assert (status, document["type"]) == (400, "urn:sync:problem:malformed-request")


async def test_one_connection_too_many_is_closed_and_the_others_live_on(listening):
    async with listening(max_connections=2) as dial:
        first, second = [await dial() for _ in range(2)]
        for reader, writer in (first, second):
            writer.write(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
            assert (await one_answer(reader))[0] == 200
        reader, _ = await dial()
        assert await everything(reader) == b""
        first[1].write(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await one_answer(first[0]))[0] == 200


def test_uvicorn_still_has_what_the_guard_overrides_and_reads():
    overridden = {name for name in vars(GuardedConnection) if not name.startswith("_")} - {"seconds", "max_connections"}
    assert overridden == {"connection_made", "connection_lost", "data_received", "on_response_complete", "send_400_response"}
    for name in overridden:
        ours, theirs = (inspect.signature(getattr(kind, name)) for kind in (GuardedConnection, H11Protocol))
        assert list(ours.parameters) == list(theirs.parameters)
