"""Which program listens at a port of this device? From the kernel's tables (Linux). Standard library only.

A loopback address proves where a connection ends and nothing more: `ssh -L` listens there, too. Run as a script
(`python -I -S listener.py`) it answers for a worker that may not look at other processes: for each line `IP PORT` on stdin
one line of JSON on stdout, `{"names": [...], "certain": true}` or `null`. It has no network and starts nothing.
"""

import contextlib
import json
import re
import struct
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

LISTEN = "0A"  # TCP_LISTEN, include/net/tcp_states.h
PROC = Path("/proc")


def who_listens(ip: str, port: int, proc: Path = PROC) -> dict[str, object] | None:
    """The names of the program that listens there; None if it cannot be found out.

    Not certain: only the user that it runs as is known, and the names are those of all programs of that user (none for
    root's). `mentions`: programs of anybody whose command line names the port, where it is not certain.
    """
    rows = list(_listening(ip, port, proc))
    if not rows:
        return None
    inodes, users = {inode for inode, _ in rows}, {uid for _, uid in rows} - {0}
    names: set[str] = set()
    same_user: set[str] = set()
    mentions: set[str] = set()
    for process in _processes(proc):
        if inodes & _sockets(process):
            names |= _names(process)
        elif not names:
            if users and _uid(process) in users:
                same_user |= _names(process)
            if re.search(rf"(?<!\d){port}(?!\d)", _command_line(process)):
                mentions |= _names(process)
    if names:
        return {"names": sorted(names), "certain": True, "mentions": []}
    return {"names": sorted(same_user), "certain": False, "mentions": sorted(mentions)}


def nobody_listens(ip: str, port: int, proc: Path = PROC) -> bool | None:
    """Whether the kernel's table has no listener that this address may reach; None where there is none to read."""
    return not any(_listening(ip, port, proc)) if (proc / "self" / "net" / "tcp").is_file() else None


def _listening(ip: str, port: int, proc: Path) -> Iterator[tuple[str, int]]:
    """Socket inode and user of each listener that a connection to this address may reach."""
    wanted = _unmapped(ip_address(ip))
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (proc / "self" / "net" / table).read_text().splitlines()[1:]:
                columns = line.split()
                text, _, hexadecimal = columns[1].partition(":")
                if columns[3] != LISTEN or int(hexadecimal, 16) != port:
                    continue
                words = [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]
                local = _unmapped(ip_address(struct.pack(f"={len(words)}I", *words)))
                # One that listens on :: takes IPv4, too, unless it was told not to.
                if local == wanted or (
                    local.is_unspecified and (local.version == wanted.version or table == "tcp6")
                ):
                    yield columns[9], int(columns[7])


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv4-mapped one."""
    return getattr(address, "ipv4_mapped", None) or address


def _processes(proc: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from (entry for entry in proc.iterdir() if entry.name.isdigit())


def _sockets(process: Path) -> set[str]:
    """Inodes of a process's sockets; none where this user may not look."""
    found = set()
    with contextlib.suppress(OSError):
        for fd in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if match := re.fullmatch(r"socket:\[(\d+)\]", str(fd.readlink())):
                    found.add(match[1])
    return found


def _names(process: Path) -> set[str]:
    """What a process is called: by the kernel, by its file, and by the first words of its command line."""
    found = set()
    with contextlib.suppress(OSError):
        found.add((process / "comm").read_text("utf-8", "replace").strip())
    with contextlib.suppress(OSError):
        found.add((process / "exe").readlink().name)
    with contextlib.suppress(OSError):
        words = (process / "cmdline").read_bytes()[:4096].split(b"\0")[:3]
        found |= {
            Path(word.decode("utf-8", "replace")).name for word in words if word and not word.startswith(b"-")
        }
    return {name.lower()[:60] for name in found if name}


def _command_line(process: Path) -> str:
    with contextlib.suppress(OSError):
        return (process / "cmdline").read_bytes()[:4096].decode("utf-8", "replace")
    return ""


def _uid(process: Path) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (process / "status").read_text("utf-8", "replace").splitlines():
            if line.startswith("Uid:"):
                return int(line.split()[1])
    return -1


def main() -> None:
    # As a script of its own it finds the walls only by being told where the package is; they need nothing else of it.
    package = str(Path(__file__).parents[3])
    sys.path.append(package)
    from earmark.locality.confinement import calls, process, seccomp

    if sys.platform == "darwin":
        from earmark.locality.confinement.macos import applying, profile
    sys.path.remove(package)
    process.harden_process()
    process.die_with_parent()
    if sys.platform == "darwin":
        with contextlib.suppress(OSError):
            applying.apply(profile.looking())
    with contextlib.suppress(OSError):
        seccomp.allow_only(calls.LISTENER)
    for line in sys.stdin:
        answer = None
        with contextlib.suppress(ValueError, OSError):
            ip, port = line.split()
            answer = who_listens(ip, int(port))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
