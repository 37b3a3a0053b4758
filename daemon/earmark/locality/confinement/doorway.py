"""The worker's side of the door: connections are asked for, not made.

`lead_through` makes the whole process use it, whoever opens a socket: the libraries all come by way of
`socket.create_connection`, and what they would reach without it the system refuses.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from earmark.errors import PrivacyError
from earmark.locality.confinement.door import ANSWER, REQUEST

DOOR = Path(__file__).with_name("door.py")
PATIENCE = 5.0
"""Seconds to wait for a connection where the caller does not say."""

AddressAndPort = tuple[str, int]

_getaddrinfo = socket.getaddrinfo


def this_device(ip: str, port: int, line: socket.socket) -> socket.socket:
    """The connection, if one to a loopback address begins at one, too, as within one machine. PrivacyError where it does
    not: then a rule of this machine's routing leads it to another one. Nothing was sent yet.
    """
    ends = [ip_address(end.partition("%")[0]) for end in (ip, line.getsockname()[0])]
    there, here = (getattr(end, "ipv4_mapped", None) or end for end in ends)
    if there.is_loopback and not here.is_loopback and not here.is_unspecified:
        line.close()
        raise PrivacyError(
            f"{ip} port {port} is another machine by a rule of this one's routing (`ip rule` shows it), and nothing was "
            "sent; remove the rule, or name that machine itself with privacy = 'lan' or 'cloud'"
        )
    return line


def dial(ip: str, port: int, timeout: float) -> socket.socket:
    """A connection to this address. Raises OSError, and PrivacyError as `this_device` does."""
    return this_device(ip, port, socket.create_connection((ip, port), timeout=timeout))


@dataclass
class Doorway:
    """A door process that opens these addresses (IP literal, port) and no others. One request at a time."""

    addresses: tuple[AddressAndPort, ...]
    process: subprocess.Popen[bytes] | None = None
    _line: socket.socket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def connect(self, address: tuple[Any, ...], timeout: float | None = None) -> socket.socket:
        """A connected socket, with `timeout` set. Raises PermissionError for any address but the pinned ones, PrivacyError
        for a loopback address that is another machine by this one's routes.
        """
        pair = (str(address[0]).strip("[]"), int(address[1]))
        if self._line is None or pair not in self.addresses:
            raise PermissionError(
                errno.EACCES,
                f"{pair[0]} port {pair[1]} is not the address that was checked; nothing was sent",
            )
        patience = PATIENCE if timeout is None else timeout
        with self._lock:
            self._line.sendall(REQUEST.pack(self.addresses.index(pair), max(1, int(patience * 1000))))
            data, fds, _, _ = socket.recv_fds(self._line, ANSWER.size, 1)
        status = ANSWER.unpack(data)[0] if len(data) == ANSWER.size else errno.EPIPE
        if status or not fds:
            for fd in fds:
                os.close(fd)
            if status == errno.ETIMEDOUT:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            raise OSError(status or errno.EPIPE, os.strerror(status or errno.EPIPE))
        line = socket.socket(fileno=fds[0])
        line.settimeout(timeout)
        return this_device(pair[0], pair[1], line)

    def close(self) -> None:
        """Let the door process go."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self.process is not None:
            self.process.wait(5)


def open_doorway(addresses: Sequence[AddressAndPort]) -> Doorway:
    """Start the door process for these addresses; none starts nothing. Call it before the network is given up.

    Raises OSError if it does not come up.
    """
    if not addresses:
        return Doorway(())
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        named = [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip, port in addresses]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(DOOR), str(theirs.fileno()), *named],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={},
            pass_fds=(theirs.fileno(),),
        )
    ours.settimeout(30)
    if ours.recv(ANSWER.size) != ANSWER.pack(0):
        raise OSError(errno.EPIPE, "the door process did not come up")
    ours.settimeout(None)
    return Doorway(tuple(addresses), process, ours)


@dataclass
class Remembered:
    """A resolver that asks the system until it is told to stop, and then knows only what it was told before.

    With the network given up nobody can be asked; and an answer that changes later must not matter.
    """

    known: dict[tuple[str, int], list[tuple[Any, ...]]] = field(default_factory=dict)
    asking: bool = True

    def __call__(self, host: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
        if (host, port) not in self.known:
            if not self.asking:
                raise OSError(errno.EACCES, f"{host} was not looked up before the network was given up")
            self.known[host, port] = [tuple(row) for row in _getaddrinfo(host, port, **options)]
        return self.known[host, port]


def lead_through(doorway: Doorway, resolver: Remembered) -> None:
    """From now on every connection of this process is asked of the door, and names are what they were before.

    For worker processes only. There is no way back.
    """

    def create_connection(
        address: tuple[Any, ...], timeout: Any = None, source_address: Any = None, *, all_errors: bool = False
    ) -> socket.socket:
        del source_address, all_errors
        return doorway.connect(address, timeout if isinstance(timeout, int | float) else None)

    resolver.asking = False
    socket.create_connection = create_connection
    socket.getaddrinfo = resolver  # type: ignore[assignment]
