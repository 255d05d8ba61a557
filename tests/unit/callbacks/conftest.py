import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from callbacks.connection import guarded
from callbacks.site import create_application
from flows.ml_alerts import ALERT_CALLBACK
from tests.support.callbacks import FakePublisher, Sender, settings


@pytest.fixture
def publisher():
    return FakePublisher()


@pytest.fixture
def serving(publisher):
    """A client of the application itself, with other settings where a test wants them."""

    @asynccontextmanager
    async def serve(**changes):
        transport = httpx.ASGITransport(create_application(settings(**changes), publisher))
        async with httpx.AsyncClient(transport=transport, base_url="http://intake.example") as client:
            yield client

    return serve


@pytest.fixture
async def client(serving):
    async with serving() as client:
        yield client


@pytest.fixture
def post(client):
    """Post a body as a sender, with changed headers where a test wants them (None: left out)."""

    async def send(body, *, sender=None, callback=ALERT_CALLBACK, signed=None, **headers):
        fields = (sender or Sender()).headers(body if signed is None else signed)
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        present = {name: value for name, value in fields.items() if value is not None}
        return await client.post(callback.path, content=body.encode(), headers=present)

    return send


@pytest.fixture
def listening(publisher):
    """The application behind a real socket, with the guard on its connections; gives what opens one."""

    @asynccontextmanager
    async def listen(*, seconds=5.0, max_connections=100, **changes):
        application = create_application(settings(**changes), publisher)
        limits = guarded(seconds, max_connections)
        config = uvicorn.Config(application, http=limits, ws="none", lifespan="off", log_config=None, access_log=False)
        config.load()
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: config.http_protocol_class(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        opened = []

        async def dial():
            opened.append(await asyncio.open_connection(*server.sockets[0].getsockname()))
            return opened[-1]

        try:
            yield dial
        finally:
            for _, writer in opened:
                writer.close()
            await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)
            for connection in list(state.connections):
                connection.transport.abort()
            server.close()
            await server.wait_closed()
            await asyncio.gather(*state.tasks, return_exceptions=True)

    return listen
