"""Ways in which words could leave a worker, as acts to try from inside of one (tests/escaping_worker.py does)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import resource
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Act = Callable[[], object]
POSSIBLE = "possible"

RAW: dict[str, tuple[int, int]] = {
    "add_key": (248, 217), "bpf": (321, 280), "clone": (56, 220), "clone3": (435, 435), "execveat": (322, 281),
    "fchmodat2": (452, 452), "inotify_add_watch": (254, 27), "inotify_init1": (294, 26), "io_uring_setup": (425, 425),
    "ioctl": (16, 29), "keyctl": (250, 219), "mount": (165, 40), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "msgctl": (71, 187), "msgget": (68, 186), "msgsnd": (69, 189), "openat2": (437, 437), "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "prctl": (157, 167), "prlimit64": (302, 261),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138), "semctl": (66, 191), "semget": (64, 190), "sethostname": (170, 161),
    "setns": (308, 268), "setxattrat": (463, 463), "shmat": (30, 196), "shmctl": (31, 195), "shmget": (29, 194),
    "tgkill": (234, 131), "tkill": (200, 130), "unshare": (272, 97), "userfaultfd": (323, 282),
    "utimensat": (280, 88),
}  # fmt: skip
"""Numbers on x86_64 and aarch64 of calls that Python has no function for."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def system(name: str | int, *arguments: Any) -> int:
    """A system call by its name in RAW, or by its number. Raises OSError."""
    column = ("x86_64", "aarch64").index(platform.machine())
    number = name if isinstance(name, int) else RAW[name][column]
    plain = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    padding = [ctypes.c_long(0)] * (6 - len(plain))
    done = int(_libc.syscall(ctypes.c_long(number), *plain, *padding))
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


def result(act: Act) -> str:
    """ "possible", or the name of the error that stopped it."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return POSSIBLE


def in_a_thread(act: Act) -> None:
    caught: list[OSError] = []

    def run() -> None:
        try:
            act()
        except OSError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if caught:
        raise caught[0]


def _child(start: Callable[[], int]) -> None:
    """Have another process made, which leaves at once."""
    if (pid := start()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def on_files(recording: Path) -> dict[str, Act]:
    """What tells somebody something by a file that may only be read, or by its neighbours."""
    folder, fd = recording.parent, os.open(recording, os.O_RDONLY)
    place = os.open(folder, os.O_RDONLY)
    name, beside = os.fsencode(recording), folder / "beside"
    return {
        "chmod": lambda: recording.chmod(0o640),
        "fchmod": lambda: os.fchmod(fd, 0o640),
        "fchmodat": lambda: os.chmod(recording.name, 0o640, dir_fd=place),
        "fchmodat2": lambda: system("fchmodat2", -100, name, 0o640, 0x100),
        "chmod in a thread": lambda: in_a_thread(lambda: recording.chmod(0o640)),
        "chown": lambda: os.chown(recording, os.getuid(), os.getgid()),
        "lchown": lambda: os.lchown(recording, os.getuid(), os.getgid()),
        "fchown": lambda: os.fchown(fd, os.getuid(), os.getgid()),
        "setxattr": lambda: os.setxattr(recording, "user.said", b"words"),
        "lsetxattr": lambda: os.setxattr(recording, "user.said", b"words", follow_symlinks=False),
        "fsetxattr": lambda: os.setxattr(fd, "user.said", b"words"),
        "setxattrat": lambda: system("setxattrat", -100, name, 0, b"user.said", b"words", 5),
        "removexattr": lambda: os.removexattr(recording, "user.said"),
        "utimensat": lambda: os.utime(recording, (1, 2)),
        "futimens": lambda: system("utimensat", fd, 0, 0, 0),
        "truncate": lambda: os.truncate(recording, 1),
        "ftruncate": lambda: os.ftruncate(fd, 1),
        "open to write": lambda: os.close(os.open(recording, os.O_WRONLY)),
        "open to read and write": lambda: os.close(os.open(recording, os.O_RDWR)),
        "open to append": lambda: os.close(os.open(recording, os.O_WRONLY | os.O_APPEND)),
        "open to read, cut": lambda: os.close(os.open(recording, os.O_RDONLY | os.O_TRUNC)),
        "make a file": lambda: os.close(os.open(folder / "new", os.O_RDONLY | os.O_CREAT, 0o600)),
        "a file without a name": lambda: os.close(os.open(folder, os.O_WRONLY | os.O_TMPFILE, 0o600)),
        "openat2": lambda: system("openat2", -100, name, b"\1" + bytes(23), 24),
        "a semaphore's file": lambda: os.close(os.open("/dev/shm/sem.x", os.O_RDWR | os.O_CREAT, 0o600)),
        "its own name": lambda: Path("/proc/self/comm").write_text("words"),
        "the null device": lambda: os.close(os.open("/dev/null", os.O_WRONLY)),
        "link": lambda: os.link(recording, folder / "link"),
        "symlink": lambda: (folder / "symlink").symlink_to("words"),
        "mkdir": (folder / "words").mkdir,
        "rmdir": (folder / "words").rmdir,
        "mkfifo": lambda: os.mkfifo(folder / "fifo"),
        "mknod": lambda: os.mknod(folder / "node"),
        "rename": lambda: beside.rename(folder / "words"),
        "unlink": beside.unlink,
        "flock": lambda: fcntl.flock(fd, fcntl.LOCK_SH),
        "a lock on bytes": lambda: fcntl.lockf(fd, fcntl.LOCK_SH, 1),
        "a lock of the description": lambda: fcntl.fcntl(fd, 37, b"\0" * 32),
        "lease": lambda: fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK),
        "directory notice": lambda: fcntl.fcntl(place, fcntl.F_NOTIFY, fcntl.DN_CREATE),
        "owner of a descriptor": lambda: fcntl.fcntl(fd, fcntl.F_SETOWN, os.getppid()),
        "signal of a descriptor": lambda: fcntl.fcntl(fd, 10, signal.SIGURG),
        "size of a pipe": lambda: fcntl.fcntl(1, 1031, 4096),
        "inotify": lambda: system("inotify_init1", 0),
        "inotify on another folder": lambda: system("inotify_add_watch", 0, b"/tmp", 0x100),
    }


def on_processes(other: int) -> dict[str, Act]:
    """What reaches other processes, or has this one be somebody else's child."""
    word = ctypes.create_string_buffer(b"words", 5)
    ours = (ctypes.c_void_p * 2)(ctypes.addressof(word), 5)
    return {
        "fork": lambda: _child(os.fork),
        "clone": lambda: _child(lambda: system("clone", signal.SIGCHLD)),
        "clone3": lambda: system("clone3", bytes(64), 64),
        "a namespace beside a thread": lambda: system("clone", 0x10900 | 0x10000000),
        "posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "subprocess": lambda: subprocess.run(["/bin/true"]),
        "execve": lambda: os.execv("/nonexistent", ["x"]),
        "execveat": lambda: system("execveat", -100, b"/nonexistent", 0, 0, 0),
        "ptrace": lambda: system("ptrace", 16, other),
        "process_vm_readv": lambda: system("process_vm_readv", other, ours, 1, ours, 1, 0),
        "process_vm_writev": lambda: system("process_vm_writev", other, ours, 1, ours, 1, 0),
        "pidfd_open": lambda: system("pidfd_open", other),
        "pidfd_getfd": lambda: system("pidfd_getfd", 0, 0),
        "kill": lambda: os.kill(other, 0),
        "tgkill": lambda: system("tgkill", other, other, 0),
        "tkill": lambda: system("tkill", other, 0),
        "rt_sigqueueinfo": lambda: system("rt_sigqueueinfo", other, 0, bytes(128)),
        "setsid": os.setsid,
        "setpgid": lambda: os.setpgid(0, 0),
        "setpriority": lambda: os.setpriority(os.PRIO_PROCESS, other, 19),
        "sched_setaffinity": lambda: os.sched_setaffinity(other, {0}),
        "limits of others": lambda: resource.prlimit(other, resource.RLIMIT_CPU),
        "prlimit on others": lambda: resource.prlimit(other, resource.RLIMIT_CPU, (-1, -1)),
        "its own memory": lambda: system("prlimit64", 0, 9, (ctypes.c_ulong * 2)(1 << 40, 1 << 40)),
        "its own files": lambda: system("prlimit64", 0, 7, (ctypes.c_ulong * 2)(64, 64)),
        "outlive its parent": lambda: system("prctl", 1, 0),
        "be dumpable": lambda: system("prctl", 4, 1),
        "a name of its own": lambda: system("prctl", 15, b"words"),
        "a title of its own": lambda: system("prctl", 35, 8, 0),
        "be traced by others": lambda: system("prctl", 0x59616D61, -1),
        "unshare": lambda: system("unshare", 0x10000000),
        "setns": lambda: system("setns", 0, 0),
    }


def on_the_system(folder: Path) -> dict[str, Act]:
    """What the kernel keeps between processes, and what changes the machine."""
    word = ctypes.create_string_buffer(b"\1\0\0\0\0\0\0\0words", 64)

    def shared_memory() -> None:
        segment = system("shmget", 0, 4096, 0o1600)
        try:
            system("shmat", segment, 0, 0)
        finally:
            system("shmctl", segment, 0, 0)

    def message() -> None:
        queue = system("msgget", 0, 0o1600)
        try:
            system("msgsnd", queue, word, 5, 0)
        finally:
            system("msgctl", queue, 0, 0)

    def semaphore() -> None:
        system("semctl", system("semget", 0, 1, 0o1600), 0, 0, 0)

    def queue() -> None:
        os.close(system("mq_open", b"earmark-words", os.O_RDWR | os.O_CREAT, 0o600, 0))
        system("mq_unlink", b"earmark-words")

    return {
        "shmget": shared_memory,
        "shmat": lambda: system("shmat", 0, 0, 0),
        "msgget": message,
        "msgsnd": lambda: system("msgsnd", 0, word, 5, 0),
        "semget": semaphore,
        "mq_open": queue,
        "memfd_create": lambda: os.close(os.memfd_create("words")),
        "userfaultfd": lambda: os.close(system("userfaultfd", 1)),
        "io_uring_setup": lambda: os.close(system("io_uring_setup", 1, bytes(120))),
        "bpf": lambda: system("bpf", 0, bytes(128), 128),
        "perf_event_open": lambda: os.close(system("perf_event_open", bytes(128), 0, -1, -1, 0)),
        "keyctl": lambda: system("keyctl", 0, -3, 0),
        "add_key": lambda: system("add_key", b"user", b"said", b"words", 5, -3),
        "sethostname": lambda: system("sethostname", os.uname().nodename.encode(), len(os.uname().nodename)),
        "mount": lambda: system("mount", b"none", os.fsencode(folder), b"tmpfs", 0, 0),
        "chroot": lambda: os.chroot(folder),
        "type into a terminal": lambda: system("ioctl", 0, 0x5412, b"w"),
    }


def on_sockets() -> dict[str, Act]:
    """Sockets of every family, and what a pair of them or a pipe could be used for."""

    def family(number: int) -> Act:
        def act() -> None:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
                try:
                    socket.socket(number, kind).close()
                    return
                except OSError as error:
                    if error.errno != errno.EPERM:
                        raise
            raise OSError(errno.EPERM, "")

        return act

    return {f"socket family {n}": family(n) for n in range(46)} | {
        "socketpair": socket.socketpair,
    }


def over_a_connection(line: socket.socket, elsewhere: int) -> dict[str, Act]:
    """What a connection that was handed in could be turned into."""
    away = ("127.0.0.1", elsewhere)
    return {
        "connect it elsewhere": lambda: line.connect(away),
        "send to an address": lambda: line.sendto(b"words", away),
        "send with an address": lambda: line.sendmsg([b"words"], [], 0, away),
        "hand it on": lambda: socket.send_fds(line, [b"w"], [0]),
        "lead it elsewhere": lambda: line.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes(4)),
        "mark it": lambda: line.setsockopt(socket.SOL_SOCKET, 36, 1),
        "bind it to a device": lambda: line.setsockopt(socket.SOL_SOCKET, 25, b"lo\0"),
        "listen": line.listen,
        "bind": lambda: line.bind(("127.0.0.1", 0)),
        "own it": lambda: fcntl.fcntl(line, fcntl.F_SETOWN, os.getppid()),
    }


HARMLESS = (
    "chmod", "fchmod", "fchmodat", "chmod in a thread", "chown", "fchown", "utimensat", "futimens", "open to write",
    "open to read and write", "make a file", "link", "symlink", "mkdir", "rmdir", "mkfifo", "rename", "flock",
    "a lock on bytes", "inotify", "fork", "clone", "posix_spawn", "subprocess", "kill", "limits of others",
    "its own files", "outlive its parent", "a name of its own", "shmget", "msgget", "semget", "memfd_create",
    "socketpair", "socket family 1", "socket family 2",
)  # fmt: skip
"""Acts that do no harm where they are possible, as they are for everybody whom nothing confines."""
