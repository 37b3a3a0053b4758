"""The door: opens the one connection that the summarization worker may have, and hands it over. Knows nothing else.

Run as a script of its own (`python -I -S door.py FD HOST:PORT...`), standard library only. The worker, which holds the
words and reads the server's answers, cannot open any connection itself (seccomp). It asks here by the number of an
address on this command line; the connected socket is passed back (SCM_RIGHTS), so that no word ever comes through here.
The system holds this process to TCP and, where it has Landlock 4 or macOS's sandbox, to these ports, without any file.

A request is `!HI`: index of the address, patience in milliseconds. The answer is one `!i`: 0 with a socket, or an errno.
It leaves when the worker does: the descriptor then reaches its end.
"""

import array  # noqa: F401 - `socket` loads these two when it first passes a descriptor on, or is given a name, and could not
import contextlib
import encodings.idna  # noqa: F401 - behind the walls, where Python has them as files of their own
import errno
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

REQUEST, ANSWER = struct.Struct("!HI"), struct.Struct("!i")


def address_of(text: str) -> tuple[str, int]:
    """`host:port` with an IP literal (IPv6 in brackets) as a pair."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def open_one(address: tuple[str, int], seconds: float) -> tuple[int, socket.socket | None]:
    """A connection, or the errno of why there is none. The family follows from the literal: nothing is looked up."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        line = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        return error.errno or errno.EACCES, None
    try:
        line.settimeout(seconds)
        line.connect(address)
        line.settimeout(None)
    except TimeoutError:
        line.close()
        return errno.ETIMEDOUT, None
    except OSError as error:
        line.close()
        return error.errno or errno.EIO, None
    return 0, line


def serve(asked: socket.socket, addresses: Sequence[tuple[str, int]]) -> None:
    """Answer requests until the other end is gone."""
    while request := asked.recv(REQUEST.size, socket.MSG_WAITALL):
        if len(request) < REQUEST.size:
            return
        index, patience = REQUEST.unpack(request)
        status, line = open_one(addresses[index], patience / 1000) if index < len(addresses) else (13, None)
        if line is None:
            asked.sendall(ANSWER.pack(status))
            continue
        with line:
            socket.send_fds(asked, [ANSWER.pack(0)], [line.fileno()])


def confine(addresses: Sequence[tuple[str, int]]) -> None:
    """Give up everything but TCP to the ports of these addresses, as far as the system can be told."""
    # As a script of its own it finds the walls only by being told where the package is; they need nothing else of it.
    package = str(Path(__file__).parents[3])
    sys.path.append(package)
    from earmark.locality.confinement import calls, landlock, process, seccomp

    if sys.platform == "darwin":
        from earmark.locality.confinement.macos import applying, profile
    sys.path.remove(package)
    process.harden_process()
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):
            applying.apply(profile.connecting(addresses))
    with contextlib.suppress(OSError):
        landlock.restrict((), (), ports=[port for _, port in addresses])
    with contextlib.suppress(OSError):
        seccomp.allow_only(calls.DOOR)


def main(arguments: Sequence[str]) -> int:
    addresses = [address_of(text) for text in arguments[1:]]
    asked = socket.socket(fileno=int(arguments[0]))
    asked.setblocking(True)
    confine(addresses)
    asked.sendall(ANSWER.pack(0))  # the walls stand
    with contextlib.suppress(OSError):
        serve(asked, addresses)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
