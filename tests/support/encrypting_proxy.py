"""PostgreSQL's TLS in front of a server that was built without it, in a process of its own.

Who does not ask for TLS is turned away.
"""

import asyncio
import ssl
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from stack.folder import PROJECT_ROOT
from stack.ports import LOOPBACK
from tests.support.certificates import Certificate

# The first message of a client: its length, and a number instead of a protocol version.
_TLS_WANTED = (8).to_bytes(4) + (80877103).to_bytes(4)
_GSS_WANTED = (8).to_bytes(4) + (80877104).to_bytes(4)


@contextmanager
def encrypted(port: int, certificate: Certificate) -> Iterator[int]:
    """Answer with TLS at another port while the block runs; that port is handed out."""
    program = [sys.executable, "-m", __name__, str(port), str(certificate.chain), str(certificate.key)]
    with subprocess.Popen(program, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def _serve(port: int, chain: str, key: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    server = await asyncio.start_server(lambda *ends: _converse(*ends, port, context), LOOPBACK, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _converse(reader: StreamReader, writer: StreamWriter, port: int, context: ssl.SSLContext) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
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


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), *sys.argv[2:]))
