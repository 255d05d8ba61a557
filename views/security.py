"""What every answer of the web server obeys: methods, known host names, headers that tell the browser to be strict.

Reading needs no login: the server binds to loopback. A web page elsewhere could still reach it through a name that it points at
127.0.0.1 (DNS rebinding), hence the check of the Host header. Who may send a form says :mod:`views.access`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from views.rendering import STATIC_PREFIX

READING: Final = (hdrs.METH_GET, hdrs.METH_HEAD)

_HOST: Final = re.compile(r"(?:(?P<name>[a-z0-9._-]+)|\[(?P<address>[0-9a-f:.]+)\])(?::[0-9]{1,5})?")
_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "Server": "sync",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: runs for errors and static files too. Figures are never cached, static files are asked for again."""
    response.headers.update(_HEADERS)
    static = request.path.startswith(STATIC_PREFIX)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-cache" if static else "no-store")


def gate(allowed_hosts: Collection[str], forms: Collection[str] = ()) -> Middleware:
    """Refuse what is not meant for us: 421 for a foreign or missing Host, 405 for anything but reading.

    ``forms`` are the routes to which a form may be sent, as they were added.
    """
    names = frozenset(name.lower() for name in allowed_hosts)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_ours(request.headers.getall(hdrs.HOST, []), names):
            raise web.HTTPMisdirectedRequest(text="This server answers to loopback names and to those it was given.")
        resource = request.match_info.route.resource
        allowed = (*READING, hdrs.METH_POST) if resource and resource.canonical in forms else READING
        if request.method not in allowed:
            raise web.HTTPMethodNotAllowed(request.method, allowed, text="These pages can only be read.")
        return await handler(request)

    return check


def _is_ours(hosts: list[str], names: frozenset[str]) -> bool:
    parts = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
    if parts is None:
        return False
    name = parts["name"] or parts["address"]
    return name in names or name == "localhost" or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
