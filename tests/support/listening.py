"""Who listens where: the kernel's own tables of sockets, and which of them the processes of a tree hold."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import psutil

PROC = Path("/proc")
TABLES = ("tcp", "tcp6")
LISTEN = "0A"
WORD = 4


@dataclass(frozen=True)
class Listener:
    """A socket of a process that waits for connections."""

    pid: int
    address: IPv4Address | IPv6Address
    port: int

    @property
    def loopback_only(self) -> bool:
        """Whether nobody else than this machine can reach it. Java binds to 127.0.0.1 as IPv6 spells it."""
        mapped = self.address.ipv4_mapped if isinstance(self.address, IPv6Address) else None
        return (mapped or self.address).is_loopback


def own_tree() -> list[int]:
    """This process and all that descend from it."""
    own = psutil.Process()
    return [own.pid, *(child.pid for child in own.children(recursive=True))]


def listeners(pids: Iterable[int]) -> list[Listener]:
    """The sockets on which these processes listen."""
    bound = dict(_bound())
    return [Listener(pid, *bound[inode]) for pid in pids for inode in _sockets(pid) if inode in bound]


def _bound() -> Iterator[tuple[str, tuple[IPv4Address | IPv6Address, int]]]:
    """Inode → address and port of every socket of this machine that listens."""
    for table in TABLES:
        for line in (PROC / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN:
                address, port = fields[1].split(":")
                yield fields[9], (_address(address), int(port, 16))


def _address(text: str) -> IPv4Address | IPv6Address:
    """The kernel writes words of four bytes, each in the order of this machine."""
    words = [int(text[start : start + 2 * WORD], 16) for start in range(0, len(text), 2 * WORD)]
    return ip_address(b"".join(socket.ntohl(word).to_bytes(WORD, "big") for word in words))


def _sockets(pid: int) -> set[str]:
    """Inodes of the sockets that a process holds; none of one that has ended."""
    found = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError):
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    found.add(target[len("socket:[") : -1])
    return found
