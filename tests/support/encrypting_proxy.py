"""PostgreSQL's TLS in front of a server that was built without it: who does not ask for TLS is turned away."""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from stack.ports import LOOPBACK
from tests.support.certificates import Certificate

# The first message of a client: its length, and a number instead of a protocol version.
_TLS_WANTED = (8).to_bytes(4) + (80877103).to_bytes(4)
_GSS_WANTED = (8).to_bytes(4) + (80877104).to_bytes(4)


@contextmanager
def encrypted(port: int, certificate: Certificate) -> Iterator[int]:
    """Answer with TLS at another port while the block runs; that port is handed out."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)
    loop, ready, ports = asyncio.new_event_loop(), Event(), list[int]()

    async def serve() -> None:
        server = await asyncio.start_server(lambda *ends: _converse(*ends, port, context), LOOPBACK, 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    serving = loop.create_task(serve())
    thread = Thread(target=_run, args=(loop, serving), name="encrypting proxy", daemon=True)
    thread.start()
    ready.wait()
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(serving.cancel)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, serving: "asyncio.Task[None]") -> None:
    with suppress(asyncio.CancelledError):
        loop.run_until_complete(serving)
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def _converse(reader: StreamReader, writer: StreamWriter, port: int, context: ssl.SSLContext) -> None:
    with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
        if await _agreed(reader, writer):
            await writer.start_tls(context)
            from_server, to_server = await asyncio.open_connection(LOOPBACK, port)
            await asyncio.gather(_pass_on(reader, to_server), _pass_on(from_server, writer))
    writer.close()


async def _agreed(reader: StreamReader, writer: StreamWriter) -> bool:
    """Whether the client asks for TLS; GSS, which it may try first, it cannot have."""
    while (wanted := await reader.readexactly(8)) == _GSS_WANTED:
        writer.write(b"N")
    if wanted == _TLS_WANTED:
        writer.write(b"S")
    return wanted == _TLS_WANTED


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    try:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
