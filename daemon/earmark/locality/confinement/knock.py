"""Does anything listen there? Run as a script of its own (`python -I -S knock.py HOST:PORT ...`), standard library only.

The daemon opens no sockets itself, and starting a whole summary worker each minute to find nobody at home would
cost more than the daemon does. Exit status 0: somebody listens; 1: nobody does. Nothing is sent.
"""

import socket
import sys

SECONDS = 1.0


def answers(address: str) -> bool:
    """True if a TCP connection to `host:port` (IPv6 in brackets) is accepted."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS):
            return True
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(0 if any(answers(address) for address in sys.argv[1:]) else 1)
