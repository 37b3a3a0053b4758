"""What a followed process does by which something could get out: noted as acts, and what it wrote is kept."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from earmark.files import hidden_kind
from earmark.proof.running import ptrace, structs
from earmark.proof.running.calls import (
    ACCESS_LIST,
    ASKS,
    CHANGES,
    CHANGES_AT,
    CHANGES_OPEN,
    FILES,
    FLAGS,
    LISTS,
    ODD,
    OF_LINKS,
    THREAD,
    UNTRACED,
    kind_of_change,
)  # fmt: skip
from earmark.proof.running.descriptors import is_file, is_writable, target
from earmark.proof.running.ends import Ends
from earmark.proof.running.harmless import is_harmless_ioctl
from earmark.proof.running.own_numbers import LOCKS, limit_told, lock_told, prctl_told
from earmark.proof.running.seen import PASSED_ON, Act
from earmark.proof.running.structs import AT_CWD as CWD

MOST = 20_000
"""Different acts that are kept."""

ASKED = 200_000
"""Paths that are kept that were only looked at."""

LONGEST = KEPT = 1024 * 1024
"""Bytes of one write that are read, and bytes that are kept of all that went to one place."""

REFUSED = (errno.EACCES, errno.EPERM, errno.EAFNOSUPPORT, errno.EBADF, errno.EINVAL)
"""How a connection ends of which no packet left."""

_WRITES = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
if sys.platform == "linux":
    _NO_READING = os.O_PATH | os.O_DIRECTORY
else:
    _NO_READING = 0
_NOFOLLOW = 0x100  # AT_SYMLINK_NOFOLLOW (linux/fcntl.h)
_KERNELS = ("/proc/", "/sys/", "/dev/")
"""File systems of the kernel's own, which tell nobody what is looked for in them."""
_SET_NAME, _SET_SECCOMP, _SET_VMA, _MODE_FILTER = (
    15,
    22,
    0x53564D41,
    2,
)  # PR_...; _VMA only names a piece of memory

SET_FILTER, BENEATH = 1, 1  # SECCOMP_SET_MODE_FILTER (seccomp.h), LANDLOCK_RULE_PATH_BENEATH (landlock.h)

NAME, MEMORY_NAME = "its own name", "the name of its memory"
"""Under which the names that a process gives itself are kept."""


@dataclass
class Thread:
    """A followed thread: its process, and what to do when its present call has come back."""

    pid: int
    after: Callable[[int], None] | None = None


@dataclass
class Notes:
    """Reads the arguments of calls. `quiet`: what is written to a target of which this is true need not be kept. `watched`:
    folders whose reading is told. `ordinary`: what paths begin with whose reading is not even noted. `logs`: what the
    daemon's stdout and stderr are.
    """

    quiet: Callable[[str], bool]
    watched: tuple[str, ...]
    ordinary: tuple[str, ...] = ()
    logs: set[str] = field(default_factory=set)
    acts: dict[tuple[int, str, str, bool], Act] = field(default_factory=dict)
    said: dict[str, bytearray] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    """Paths that were looked at, whether there was something or not, and by which process first."""
    full: bool = False
    """There were more different acts than were kept."""
    cut: set[str] = field(default_factory=set)
    """Where more was written than was kept."""
    ends: Ends = field(default_factory=Ends)
    _kinds: dict[tuple[int, int], int] = field(default_factory=dict)

    def note(self, pid: int, what: str, about: str, done: bool = True) -> None:
        """Note an act, once."""
        key = (pid, what, about, done)
        if key not in self.acts and len(self.acts) >= MOST:
            self.full = True
        elif key not in self.acts:
            self.acts[key] = Act(len(self.acts), pid, what, about, done)

    def _later(self, thread: Thread, what: str, about: str) -> None:
        """Note it when the call has come back, with whether it worked."""
        thread.after = lambda result: self.note(thread.pid, what, about, result >= 0)

    def unknown(self, thread: Thread, number: int) -> None:
        """A call begins that is not known to be harmless."""
        self._later(thread, "odd", f"system call {number}, which this check does not know")

    def called(self, thread: Thread, name: str, a: tuple[int, ...]) -> None:
        """A call of this name with these six arguments begins."""
        pid = thread.pid
        match name:
            case "write" | "pwrite64":
                self._wrote(pid, a[0], ((a[1], a[2]),))
            case "writev" | "pwritev" | "pwritev2":
                self._wrote(pid, a[0], structs.pieces_of(pid, a[1], a[2]))
            case "socket":
                self._socket(thread, a[0], a[1] & 0xF)
            case "connect":
                self._connect(thread, a[0], structs.address_at(pid, a[1], a[2]))
            case "bind":
                self._later(thread, name, structs.address_at(pid, a[1], a[2]))
            case "sendto":
                if a[4]:
                    self._later(thread, "send", structs.address_at(pid, a[4], a[5]))
                self._wrote(pid, a[0], ((a[1], a[2]),))
            case "sendmsg":
                self._message(thread, a[0], a[1])
            case "sendmmsg":
                for i in range(
                    min(a[2] & 0xFFFFFFFF, 1024)
                ):  # struct mmsghdr is a struct msghdr and a length
                    self._message(thread, a[0], a[1] + 64 * i)
            case "open" | "creat":
                self._open(thread, a[1] if name == "open" else _WRITES, ptrace.text(pid, a[0]))
            case "openat":
                self._open(thread, a[2], ptrace.text(pid, a[1]))
            case "openat2":
                self._open(
                    thread, int.from_bytes(ptrace.memory(pid, a[2], 8), "little"), ptrace.text(pid, a[1])
                )
            case "rename" | "link":
                self._named(thread, structs.path_of(pid, CWD, a[0]), structs.path_of(pid, CWD, a[1]))
            case "renameat" | "renameat2" | "linkat":
                self._named(thread, structs.path_of(pid, a[0], a[1]), structs.path_of(pid, a[2], a[3]))
            case "mkdir" | "mkdirat":
                path = (
                    structs.path_of(pid, a[0], a[1]) if name == "mkdirat" else structs.path_of(pid, CWD, a[0])
                )
                self._later(thread, "named", path)
            case "prctl":
                self._prctl(thread, a)
            case "setrlimit" | "prlimit64":
                self._limit(thread, a if name == "prlimit64" else (0, *a))
            case "seccomp" if a[0] == SET_FILTER:
                self._filter(thread, a[2])
            case "landlock_restrict_self":
                self._later(thread, "wall", "landlock")
            case "landlock_create_ruleset" if a[0]:
                handled = int.from_bytes(ptrace.memory(pid, a[0], 8), "little")
                self._later(thread, "landlock", f"handles {handled:#x}")
            case "landlock_add_rule" if a[1] == BENEATH:
                rights, fd = struct.unpack("=Qi", ptrace.memory(pid, a[2], 12))
                self._later(thread, "landlock", f"{rights:#x} {target(pid, fd)}")
            case "execve":
                self._later(thread, "program", ptrace.text(pid, a[0]))
            case _:
                self._called_seldom(thread, name, a)

    def _called_seldom(self, thread: Thread, name: str, a: tuple[int, ...]) -> None:
        pid = thread.pid
        match name:
            case "mmap":
                self._mapped(thread, a)
            case "ioctl":
                if not is_harmless_ioctl(a[1], to := target(pid, a[0])):
                    self._later(thread, "odd", f"ioctl {a[1] & 0xFFFFFFFF:#x} on {to}")
            case "clone" | "clone3":
                flags = a[0] if name == "clone" else int.from_bytes(ptrace.memory(pid, a[0], 8), "little")
                if flags & UNTRACED:
                    self._later(thread, "odd", "CLONE_UNTRACED")
                if flags & (THREAD | FILES) == THREAD:
                    self._later(thread, "odd", "a thread with descriptors of its own")
            case _ if name in CHANGES:
                path = structs.path_of(pid, CWD, a[CHANGES[name]], name not in OF_LINKS)
                self._later(thread, kind_of_change(name), path)
            case _ if name in CHANGES_AT:
                flags = a[FLAGS[name]] if name in FLAGS else 0
                follow = name not in OF_LINKS and not flags & _NOFOLLOW
                path = structs.path_of(pid, a[0], a[1], follow) if a[1] else target(pid, a[0])
                self._later(thread, kind_of_change(name), path)
            case _ if name in CHANGES_OPEN:
                self._later(thread, kind_of_change(name), target(pid, a[0]))
            case _ if name in LISTS and ptrace.text(pid, a[1]) == ACCESS_LIST:
                self._later(thread, "access", target(pid, a[0]))
            case "fsetxattr" if hidden_kind((to := target(pid, a[0])).rpartition("/")[2]) is not None:
                self._later(thread, "changed", to)  # the next version of a note gets its attributes
            case "fcntl":
                self._lock(thread, a)
            case _ if name in ODD:
                self._later(thread, "odd", name)
            case _ if name in ASKS:
                self._asked(pid, ptrace.text(pid, a[ASKS[name]]))

    def _mapped(self, thread: Thread, a: tuple[int, ...]) -> None:
        """Shared memory of a file: what is written to it is no system call. It may be made writable later, too."""
        if a[3] & 3 in (1, 3) and not a[3] & 0x20:  # MAP_SHARED, MAP_SHARED_VALIDATE; not MAP_ANONYMOUS
            path = self.ends.led(thread.pid, a[4], target(thread.pid, a[4]))
            if a[2] & 2 or is_writable(thread.pid, a[4]):
                self._later(thread, "mapped", path)

    def _socket(self, thread: Thread, family: int, kind: int) -> None:
        def made(result: int) -> None:
            self.note(thread.pid, "socket", f"{structs.family_name(family)} {kind}", result >= 0)
            self._kinds[thread.pid, result] = kind

        thread.after = made

    def _connect(self, thread: Thread, fd: int, address: str) -> None:
        """One that is under way, or that nobody answered, has sent something; one that the system refused has not, and one
        of a datagram socket is an aim only.
        """
        aim = self._kinds.get((thread.pid, fd)) == socket.SOCK_DGRAM and not address.startswith("unix ")

        def connected(result: int) -> None:
            left = -result not in REFUSED and not address.startswith("unix ")
            self.note(thread.pid, "aim" if aim else "connect", address, result >= 0 or left)

        thread.after = connected

    def _filter(self, thread: Thread, address: int) -> None:
        """struct sock_fprog: how many instructions, and where."""
        count, at = struct.unpack("=H6xQ", ptrace.memory(thread.pid, address, 16))
        code = ptrace.memory(thread.pid, at, count * 8).hex()

        def filtered(result: int) -> None:
            self.note(thread.pid, "wall", "seccomp", result >= 0)
            self.note(thread.pid, "filter", code, result >= 0)

        thread.after = filtered

    def _prctl(self, thread: Thread, a: tuple[int, ...]) -> None:
        if a[0] == _SET_SECCOMP and a[1] == _MODE_FILTER:
            self._filter(thread, a[2])
        elif a[0] in (_SET_NAME, _SET_VMA):
            length, at = (16, a[1]) if a[0] == _SET_NAME else (80, a[4])  # ANON_VMA_NAME_MAX_LEN (mm.h)
            said = ptrace.text(thread.pid, at, length).encode(errors="surrogateescape")
            name = NAME if a[0] == _SET_NAME else MEMORY_NAME
            self.keep(f"{thread.pid} {name}", said[:length] + b"\n")
        elif told := prctl_told(a[0], a[1]):
            self._later(thread, *told)

    def _limit(self, thread: Thread, a: tuple[int, ...]) -> None:
        """Whose, which, and where the new limit is, if it is not only asked for."""
        if a[2]:
            limit = ptrace.memory(thread.pid, a[2], 16)
            self._later(thread, *limit_told(thread.pid, a[0], a[1] & 0xFFFFFFFF, limit))

    def _lock(self, thread: Thread, a: tuple[int, ...]) -> None:
        if a[1] in LOCKS:
            to = target(thread.pid, a[0])
            if told := lock_told(ptrace.memory(thread.pid, a[2], 24), to, self.quiet(to)):
                self._later(thread, "odd", told)

    def _asked(self, pid: int, path: str) -> None:
        """A path was looked at."""
        if path and not path.startswith((*_KERNELS, *self.ordinary)) and path not in self.asked:
            if len(self.asked) < ASKED:
                self.asked[path] = pid
            else:
                self.cut.add("names that were only looked at")

    def _open(self, thread: Thread, flags: int, path: str) -> None:
        pid = thread.pid
        self._asked(pid, path)
        if flags & _WRITES:

            def opened(result: int) -> None:
                if result >= 0:
                    self.note(pid, "opened", self.ends.led(pid, result, target(pid, result)))

            thread.after = opened
        elif not flags & _NO_READING:

            def looked(result: int) -> None:
                found = target(pid, result) if result >= 0 else ""
                watched = any(found.startswith(f"{folder}/") for folder in self.watched)
                if (watched or not found.startswith(self.ordinary)) and is_file(pid, result):
                    self.note(pid, "read" if watched else "looked", found)

            thread.after = looked

    def _named(self, thread: Thread, old: str, new: str) -> None:
        def named(result: int) -> None:
            if result >= 0:
                self.note(thread.pid, "named", new)
                self.note(thread.pid, "changed", old)
                self.note(thread.pid, "moved", f"{old}\0{new}")
                for key in [k for k in self.said if k.partition(" ")[2] == old]:
                    self.keep(f"{key.partition(' ')[0]} {new}", bytes(self.said[key]))

        thread.after = named

    def _message(self, thread: Thread, fd: int, at: int) -> None:
        """struct msghdr: name, its length, pieces, their count, control messages, their length."""
        name, length, pieces, count, control, size = struct.unpack(
            "=QI4xQQQQ", ptrace.memory(thread.pid, at, 48)
        )
        if structs.passes_descriptors(ptrace.memory(thread.pid, control, min(size, 4096))):
            self.note(thread.pid, "odd", PASSED_ON)
        if name:
            self._later(thread, "send", structs.address_at(thread.pid, name, length))
        self._wrote(thread.pid, fd, structs.pieces_of(thread.pid, pieces, count))

    def _wrote(self, pid: int, fd: int, pieces: Sequence[tuple[int, int]]) -> None:
        to = target(pid, fd)
        log = to in self.logs
        if fd != 2 and to.startswith("pipe:"):
            self.note(pid, "answered", "")
        if to.startswith("/") and not log:
            self.note(pid, "wrote", self.ends.led(pid, fd, to))
        if to.startswith("pipe:") and not log and (readers := self.ends.readers(to)):
            self.note(pid, "piped", f"a pipe that {readers} reads")
        if not log and (to.startswith(("pipe:", "anon_inode:")) or self.quiet(to)):
            return
        if to.startswith("socket:") and not log:
            to = self.ends.line(pid, to)
            if to.startswith("socket udp"):
                self.note(pid, "send", to.rpartition(" ")[2])
        if sum(length for _, length in pieces) > LONGEST:
            self.cut.add(to)
        data = b"".join(ptrace.memory(pid, at, min(length, LONGEST)) for at, length in pieces)
        if to.endswith("/comm") and to.startswith("/proc/"):
            to, data = NAME, data + b"\n"
        self.keep(f"{pid} {'the log' if log else to}", data)

    def keep(self, where: str, data: bytes) -> None:
        """Keep what was written there, up to a limit: the first and the last of it."""
        kept = self.said.setdefault(where, bytearray())
        kept += data
        if len(kept) > KEPT:
            self.cut.add(where)
            del kept[KEPT // 2 : len(kept) - KEPT // 2]
