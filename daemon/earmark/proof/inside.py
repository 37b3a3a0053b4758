"""Tries to leave, from inside: `python -m earmark.proof.inside`, one JSON request on stdin, one JSON answer on stdout.

The process first does to itself exactly what the real worker does, by the same functions, and then tries everything that
must not work. Attempts go to a listener that the asking process holds open, so that what got out is seen there too.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from earmark.locality.confinement import door
from earmark.locality.confinement.macos import services
from earmark.locality.confinement.macos.walls import harmless_program
from earmark.locality.confinement.one_address import confine
from earmark.locality.confinement.process import harden_process, is_dumpable
from earmark.locality.confinement.sandbox import Mode, shut_the_doors
from earmark.locality.confinement.sockets import open_families

CONNECT = "connect to another program of this device"
OUTSIDE = "connect to an address outside"
DATAGRAM = "send a datagram"
IPV6 = "use IPv6"
UNIX = "talk to another program's unix socket"
PROGRAM = "start a program"
SERVICE = "ask a service of the system"
READ = "read another file of yours"
WRITE = "write a file"

UNTOLD = "nobody can tell"
"""Of an attempt whose answer says neither that it was possible nor that it was refused."""

DOCUMENTATION = "192.0.2.1"
"""RFC 5737: nobody is there, so that even a failed proof reaches nobody."""


def become(worker: str, asked: dict[str, Any]) -> tuple[str, ...]:
    """Shut the doors as this worker does."""
    mode: Mode = asked["mode"]
    readable = [Path(p) for p in asked["readable"]]
    if worker == "transcription":
        harden_process()
        return shut_the_doors(readable, Path(asked["model_dir"]) if asked["model_dir"] else None, mode)
    if worker == "summarization":
        return confine(f"http://127.0.0.1:{asked['endpoint']}/v1", "device", (), (), readable, mode)
    if worker == "door":
        door.confine([("127.0.0.1", asked["endpoint"])])
        return ()
    from earmark.models.download import confine_download

    return confine_download(Path(asked["writable"]))


def attempts(asked: dict[str, Any], system: str = sys.platform) -> dict[str, Callable[[], Any]]:
    """What is tried, by name. macOS has services besides, and refuses no socket, only what is done with it."""
    trap = ("127.0.0.1", int(asked["trap"]))

    def datagram() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.sendto(b"earmark", trap)

    def outside() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
            line.settimeout(1.0)
            line.connect((DOCUMENTATION, 443))

    def ipv6() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as line:
            if system == "darwin":
                line.settimeout(1.0)
                line.connect(("::1", trap[1]))

    def unix() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(asked["unix"])

    def write() -> None:
        Path(asked["write"]).write_text("x")

    found: dict[str, Callable[[], Any]] = {
        CONNECT: lambda: socket.create_connection(trap, timeout=2.0).close(),
        OUTSIDE: outside,
        DATAGRAM: datagram,
        IPV6: ipv6,
        UNIX: unix,
        PROGRAM: lambda: subprocess.run([harmless_program()], check=True),
        READ: lambda: Path(asked["secret"]).read_bytes(),
        WRITE: write,
    }
    return found | ({SERVICE: lambda: ask_a_service(services.looked_up())} if system == "darwin" else {})


def ask_a_service(answer: int | None) -> None:
    """What launchd answered, as an attempt ends. Raises OSError; LookupError where it says neither yes nor no."""
    if answer == services.REFUSED:
        raise PermissionError(errno.EPERM, "refused")
    if answer != services.FOUND:
        raise LookupError(answer)


def outcome(act: Callable[[], Any]) -> str:
    """The name of the error that stopped it, or "possible"."""
    try:
        act()
    except LookupError:
        return UNTOLD
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return "possible"


def main() -> int:
    asked = json.loads(sys.stdin.readline())
    given = open_families()
    enforced = become(asked["worker"], asked)
    answer = {
        "enforced": enforced,
        "sockets": None if given is None else sorted(given | (open_families() or set())),
        "attempts": {name: outcome(act) for name, act in attempts(asked).items()},
        "dumpable": is_dumpable(),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "environment": sorted(os.environ),
        "offline": os.environ.get("HF_HUB_OFFLINE") == "1",
    }
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
