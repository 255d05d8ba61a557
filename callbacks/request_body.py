"""Reading the body: not more than the limit, and not for longer than the deadline."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from callbacks.problems import Problem, ProblemError
from callbacks.signed_headers import too_large


async def read_body(request: Request, max_bytes: int, seconds: float) -> bytes:
    """Raises :class:`ProblemError` (408, 413), or ``ClientDisconnect`` when the sender goes away before the end."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > max_bytes:
                    raise too_large(max_bytes)
    except TimeoutError:
        detail = f"The whole request must arrive within {seconds:g} seconds."
        raise ProblemError(Problem.TOO_SLOW, detail, headers={"Connection": "close"}) from None
    return bytes(body)
