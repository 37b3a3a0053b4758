"""The system calls by which words or files get out of a process, by their numbers.

Numbers from arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import platform

from earmark.proof.running.harmless import COLUMN, HARMLESS

_X86_64 = {
    "write": 1, "open": 2, "pwrite64": 18, "writev": 20, "shmget": 29, "sendfile": 40, "socket": 41, "connect": 42,
    "sendto": 44, "sendmsg": 46, "bind": 49, "execve": 59, "msgget": 68, "rename": 82, "mkdir": 83, "creat": 85,
    "link": 86, "symlink": 88, "prctl": 157, "setrlimit": 160, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
    "mq_open": 240, "openat": 257, "mkdirat": 258, "mknodat": 259, "renameat": 264, "linkat": 265, "symlinkat": 266,
    "splice": 275, "pwritev": 296, "prlimit64": 302, "sendmmsg": 307, "process_vm_writev": 311, "renameat2": 316,
    "seccomp": 317, "memfd_create": 319, "copy_file_range": 326, "pwritev2": 328, "io_uring_setup": 425,
    "openat2": 437, "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
    "mknod": 133, "semget": 64, "add_key": 248, "mmap": 9, "accept": 43, "listen": 50, "clone": 56, "msgsnd": 69,
    "truncate": 76, "ftruncate": 77, "rmdir": 84, "unlink": 87, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93,
    "lchown": 94, "ptrace": 101, "utime": 132, "semop": 65, "semctl": 66, "shmat": 30, "mount": 165, "removexattr": 197,
    "lremovexattr": 198, "fremovexattr": 199, "semtimedop": 220, "utimes": 235, "mq_timedsend": 242, "request_key": 249,
    "keyctl": 250, "fchownat": 260, "futimesat": 261, "unlinkat": 263, "fchmodat": 268, "unshare": 272, "tee": 276,
    "vmsplice": 278, "utimensat": 280, "accept4": 288, "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308,
    "bpf": 321, "execveat": 322, "userfaultfd": 323, "io_uring_enter": 426, "io_uring_register": 427, "clone3": 435,
    "pidfd_getfd": 438, "memfd_secret": 447, "fchmodat2": 452, "setxattrat": 463, "removexattrat": 466,
    "file_setattr": 469, "ioctl": 16, "fallocate": 285, "sethostname": 170, "fsopen": 430, "fsconfig": 431,
    "move_mount": 429, "io_submit": 209, "process_vm_readv": 310, "rt_sigqueueinfo": 129, "personality": 135,
    "fcntl": 72,
}  # fmt: skip
_AARCH64 = {
    "mknodat": 33, "mkdirat": 34, "symlinkat": 36, "linkat": 37, "renameat": 38, "openat": 56, "write": 64, "writev": 66,
    "pwrite64": 68, "pwritev": 70, "sendfile": 71, "splice": 76, "setrlimit": 164, "prctl": 167, "mq_open": 180,
    "msgget": 186, "shmget": 194, "socket": 198, "bind": 200, "connect": 203, "sendto": 206, "sendmsg": 211,
    "execve": 221, "prlimit64": 261, "sendmmsg": 269, "process_vm_writev": 271, "renameat2": 276, "seccomp": 277,
    "memfd_create": 279, "copy_file_range": 285, "pwritev2": 287, "io_uring_setup": 425, "openat2": 437,
    "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "semget": 190, "add_key": 217,
    "mmap": 222, "accept": 202, "listen": 201, "clone": 220, "msgsnd": 189, "truncate": 45, "ftruncate": 46, "fchmod": 52,
    "fchmodat": 53, "fchownat": 54, "fchown": 55, "ptrace": 117, "semop": 193, "semctl": 191, "shmat": 196, "mount": 40,
    "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16, "semtimedop": 192, "mq_timedsend": 182,
    "request_key": 218, "keyctl": 219, "unlinkat": 35, "unshare": 97, "tee": 77, "vmsplice": 75, "utimensat": 88,
    "accept4": 242, "perf_event_open": 241, "open_by_handle_at": 265, "setns": 268, "bpf": 280, "execveat": 281,
    "userfaultfd": 282, "io_uring_enter": 426, "io_uring_register": 427, "clone3": 435, "pidfd_getfd": 438,
    "memfd_secret": 447, "fchmodat2": 452, "setxattrat": 463, "removexattrat": 466, "file_setattr": 469, "ioctl": 29,
    "fallocate": 47, "sethostname": 161, "fsopen": 430, "fsconfig": 431, "move_mount": 429, "io_submit": 2,
    "process_vm_readv": 270, "rt_sigqueueinfo": 138, "personality": 92, "fcntl": 25,
}  # fmt: skip

NAMES: dict[int, str] = {
    number: name
    for name, number in {"x86_64": _X86_64, "aarch64": _AARCH64}.get(platform.machine(), {}).items()
}
"""By number on this machine; empty where the numbers are not known, and then nothing is followed."""

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}.get(platform.machine(), 0)
"""AUDIT_ARCH of these numbers (linux/audit.h)."""

X32 = 0x40000000
"""A bit of the number by which x86-64 has another set of calls."""

ODD = frozenset(
    {"shmget", "msgget", "semget", "add_key", "mq_open", "io_uring_setup", "process_vm_writev", "memfd_create", "sendfile",
     "splice", "copy_file_range", "setxattr", "lsetxattr", "fsetxattr", "mknod", "mknodat", "symlink", "symlinkat",
     "accept", "accept4", "listen", "io_uring_enter", "io_uring_register", "msgsnd", "semop", "semctl", "semtimedop",
     "shmat", "mq_timedsend", "request_key", "keyctl", "tee", "vmsplice", "ptrace", "mount", "unshare", "setns", "bpf",
     "perf_event_open", "open_by_handle_at", "execveat", "userfaultfd", "pidfd_getfd", "memfd_secret", "setxattrat",
     "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "file_setattr", "sethostname", "fsopen", "fsconfig",
     "move_mount", "io_submit", "process_vm_readv", "rt_sigqueueinfo", "personality"}
)  # fmt: skip
"""Calls that earmark makes nowhere, and by which words could go where reading `write` does not show them. The others of that
kind have no name here: they are told by their number (harmless.py)."""

CHANGES = {
    "truncate": 0, "chmod": 0, "chown": 0, "lchown": 0, "utime": 0, "utimes": 0, "unlink": 0, "rmdir": 0,
}  # fmt: skip
"""Calls that change the file of a path, by the argument that is the path."""

CHANGES_AT = frozenset({"unlinkat", "fchmodat", "fchmodat2", "fchownat", "utimensat", "futimesat"})
"""Calls that change the file of a descriptor of a folder and a path; without a path it is the descriptor's own."""

OF_LINKS = frozenset({"lchown", "unlink", "rmdir", "unlinkat"})
"""Those of both that mean a symlink itself, and not the file that it leads to."""

FLAGS = {"fchmodat2": 3, "fchownat": 4, "utimensat": 3}
"""Those whose flags, by this argument, may say the same (AT_SYMLINK_NOFOLLOW)."""

CHANGES_OPEN = frozenset({"ftruncate", "fchmod", "fchown", "fallocate"})
"""Calls that change the file of a descriptor."""

TIMES = frozenset({"utime", "utimes", "futimesat", "utimensat"})
"""Those of all these that set a file's times, which earmark does nowhere."""

ACCESS = frozenset({"chmod", "chown", "lchown", "fchmodat", "fchmodat2", "fchownat", "fchmod", "fchown"})
"""Those that say whose it is and who may read it, which earmark does to a file of its own before it has its name."""

LISTS = frozenset({"fsetxattr", "fremovexattr"})
"""Calls by which a note gets the access-control list of its recording."""

ACCESS_LIST = "system.posix_acl_access"
"""The attribute that this list is (acl(5))."""


def kind_of_change(name: str) -> str:
    """How a change by this call is noted: dated, access or changed."""
    return "dated" if name in TIMES else "access" if name in ACCESS else "changed"


UNTRACED = 0x00800000
"""CLONE_UNTRACED (linux/sched.h): what is started so escapes from being followed."""

THREAD, FILES = 0x00010000, 0x00000400
"""CLONE_THREAD, CLONE_FILES (linux/sched.h)."""

ASKS = {
    "stat": 0, "lstat": 0, "access": 0, "readlink": 0, "chdir": 0, "statfs": 0, "getxattr": 0, "lgetxattr": 0,
    "listxattr": 0, "llistxattr": 0, "inotify_add_watch": 1, "name_to_handle_at": 1, "faccessat": 1, "faccessat2": 1,
    "newfstatat": 1, "statx": 1, "readlinkat": 1,
}  # fmt: skip
"""Calls that only ask about a path, by the argument that it is: on a network's file system somebody else is asked."""

if COLUMN is not None:
    NAMES |= {number: name for name in ASKS if (number := HARMLESS[name][COLUMN]) is not None}
