import asyncio
import inspect
from typing import Any

import pytest
from faust.transport.drivers import aiokafka
from mode.threads import QueueServiceThread, ServiceThread

from streams import transport
from streams.transport import ConsumerThreadEnded, SparingThread


class Queue:
    """What is called waits here for its answer."""

    def __init__(self):
        self.answers = []
        self.called = asyncio.Event()

    async def call(self, answer, *_):
        self.answers.append(answer)
        self.called.set()
        return answer


async def work():
    """Named in errors."""


@pytest.fixture
async def thread(monkeypatch):
    monkeypatch.setattr(transport, "LOOK_SECONDS", 0.01)
    found: Any = SparingThread.__new__(SparingThread)
    found._shutdown, found._method_queue = asyncio.Event(), Queue()
    found.parent_loop = asyncio.get_running_loop()
    return found


async def asked(thread):
    """A call under way, and its answer."""
    call = asyncio.ensure_future(thread.call_thread(work))
    await thread.method_queue.called.wait()
    return call, thread.method_queue.answers[-1]


async def test_an_answer_is_handed_on_however_late(thread):
    call, answer = await asked(thread)
    await asyncio.wait([call], timeout=0.05)
    assert not call.done()
    answer.set_result(7)
    assert await call == 7


async def test_an_error_is_handed_on(thread):
    call, answer = await asked(thread)
    answer.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await call


async def test_a_thread_that_ends_without_an_answer_is_waited_for_no_more(thread):
    call, answer = await asked(thread)
    thread._shutdown.set()
    with pytest.raises(ConsumerThreadEnded, match="work: the consumer's thread has ended"):
        await asyncio.wait_for(call, 5)
    assert answer.cancelled()


async def test_a_thread_that_has_ended_is_asked_nothing(thread):
    thread._shutdown.set()
    with pytest.raises(ConsumerThreadEnded):
        await thread.call_thread(work)
    assert not thread.method_queue.answers


async def test_who_gives_up_takes_the_question_back(thread):
    call, answer = await asked(thread)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert answer.cancelled()


def test_a_thread_still_says_that_it_has_ended_and_faust_knows_the_error():
    assert "self.set_shutdown()" in inspect.getsource(ServiceThread._shutdown_thread)
    assert "self._shutdown.set" in inspect.getsource(ServiceThread.set_shutdown)
    assert "self.method_queue.call(" in inspect.getsource(QueueServiceThread.call_thread)
    assert issubclass(ConsumerThreadEnded, aiokafka.Consumer.consumer_stopped_errors)
