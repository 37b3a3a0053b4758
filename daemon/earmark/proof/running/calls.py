"""The system calls by which words or files get out of a process, by their numbers.

Numbers from arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import platform

_X86_64 = {
    "write": 1, "open": 2, "pwrite64": 18, "writev": 20, "shmget": 29, "sendfile": 40, "socket": 41, "connect": 42,
    "sendto": 44, "sendmsg": 46, "bind": 49, "execve": 59, "msgget": 68, "rename": 82, "mkdir": 83, "creat": 85,
    "link": 86, "symlink": 88, "prctl": 157, "setrlimit": 160, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
    "mq_open": 240, "openat": 257, "mkdirat": 258, "mknodat": 259, "renameat": 264, "linkat": 265, "symlinkat": 266,
    "splice": 275, "pwritev": 296, "prlimit64": 302, "sendmmsg": 307, "process_vm_writev": 311, "renameat2": 316,
    "seccomp": 317, "memfd_create": 319, "copy_file_range": 326, "pwritev2": 328, "io_uring_setup": 425,
    "openat2": 437, "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
    "mknod": 133, "semget": 64, "add_key": 248,
}  # fmt: skip
_AARCH64 = {
    "mknodat": 33, "mkdirat": 34, "symlinkat": 36, "linkat": 37, "renameat": 38, "openat": 56, "write": 64, "writev": 66,
    "pwrite64": 68, "pwritev": 70, "sendfile": 71, "splice": 76, "setrlimit": 164, "prctl": 167, "mq_open": 180,
    "msgget": 186, "shmget": 194, "socket": 198, "bind": 200, "connect": 203, "sendto": 206, "sendmsg": 211,
    "execve": 221, "prlimit64": 261, "sendmmsg": 269, "process_vm_writev": 271, "renameat2": 276, "seccomp": 277,
    "memfd_create": 279, "copy_file_range": 285, "pwritev2": 287, "io_uring_setup": 425, "openat2": 437,
    "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
    "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "semget": 190, "add_key": 217,
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
     "splice", "copy_file_range", "setxattr", "lsetxattr", "fsetxattr", "mknod", "mknodat", "symlink", "symlinkat"}
)  # fmt: skip
"""Calls that earmark makes nowhere, and by which words could go where reading `write` does not show them."""
