"""Does anything listen there? Run as a script of its own (`python -I -S knock.py [--allowed=...] HOST:PORT ...`).

The daemon opens no sockets itself, and starting a whole summary worker each minute to find nobody at home would
cost more than the daemon does. Standard library only. Names are looked up here, and what is connected to is what was
judged: loopback, or what a person allowed (`--allowed=` addresses, or a scope where TLS tells who answers).
Exit status 0: somebody listens; 1: nobody does. Nothing is sent.
"""

import socket
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

SECONDS = 1.0


def answers(address: str, allowed: str = "") -> bool:
    """True if a TCP connection to `host:port` (IPv6 in brackets) is accepted at an address that may be knocked at."""
    host, _, port = address.rpartition(":")
    for ip in permitted(host.strip("[]"), int(port), allowed):
        try:
            with socket.create_connection((ip, int(port)), timeout=SECONDS):
                return True
        except OSError:
            continue
    return False


def permitted(host: str, port: int, allowed: str) -> Iterable[str]:
    """The host's addresses, if each of them is loopback or allowed; one that is not closes the door for all."""
    addresses = judge()
    own = addresses.literal(host)
    try:
        rows = [] if own else socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        rows = []
    found = [own] if own else [addresses.literal(str(row[4][0])) for row in rows]
    within = addresses.WIDTH.get(allowed, 0)
    for ip in found:
        if ip is None:
            return []
        near = addresses.WIDTH[addresses.scope_of(ip)] <= within
        if not near and not addresses.is_among(ip, allowed.split(",")):
            return []
    return [str(ip) for ip in found]


def judge() -> Any:
    """`locality/policy/addresses.py`, which decides how far away an address is."""
    sys.path.append(str(Path(__file__).parent.parent / "policy"))
    import addresses  # type: ignore[import-not-found]

    return addresses


def main(arguments: Sequence[str]) -> int:
    options = [text for text in arguments if text.startswith("--allowed=")]
    allowed = options[0].partition("=")[2] if options else ""
    return 0 if any(answers(text, allowed) for text in arguments if text not in options) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
