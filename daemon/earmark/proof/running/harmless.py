"""System calls by which no word gets out of a process: it reads, waits, minds its own memory, threads, signals and clocks.

Data, checked by a test against the system's headers. What is not here, and whose arguments are not read (noting.py), is told
as odd, also what later kernels have: a list of all that could harm is never complete.
"""

from __future__ import annotations

import platform

HARMLESS: dict[str, tuple[int | None, int | None]] = {
    "access": (21, None), "alarm": (37, None), "arch_prctl": (158, None), "brk": (12, 214), "cachestat": (451, 451),
    "capget": (125, 90), "chdir": (80, 49), "clock_getres": (229, 114), "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115), "close": (3, 57), "close_range": (436, 436), "dup": (32, 23), "dup2": (33, None),
    "dup3": (292, 24), "epoll_create": (213, None), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441), "epoll_wait": (232, None), "eventfd": (284, None),
    "eventfd2": (290, 19), "exit": (60, 93), "exit_group": (231, 94), "faccessat": (269, 48), "faccessat2": (439, 439),
    "fadvise64": (221, 223), "fchdir": (81, 50), "fdatasync": (75, 83), "fgetxattr": (193, 10),
    "flistxattr": (196, 13), "flock": (73, 32), "fork": (57, None), "fstat": (5, 80), "fstatfs": (138, 44),
    "fsync": (74, 82), "futex": (202, 98), "futex_requeue": (456, 456), "futex_wait": (455, 455), "futex_waitv": (449, 449),
    "futex_wake": (454, 454), "get_mempolicy": (239, 236), "get_robust_list": (274, 100), "getcpu": (309, 168),
    "getcwd": (79, 17), "getdents": (78, None), "getdents64": (217, 61), "getegid": (108, 177), "geteuid": (107, 175),
    "getgid": (104, 176), "getgroups": (115, 158), "getitimer": (36, 102), "getpeername": (52, 205), "getpgid": (121, 155),
    "getpgrp": (111, None), "getpid": (39, 172), "getppid": (110, 173), "getpriority": (140, 141), "getrandom": (318, 278),
    "getresgid": (120, 150), "getresuid": (118, 148), "getrlimit": (97, 163), "getrusage": (98, 165), "getsid": (124, 156),
    "getsockname": (51, 204), "getsockopt": (55, 209), "gettid": (186, 178), "gettimeofday": (96, 169),
    "getuid": (102, 174), "getxattr": (191, 8), "getxattrat": (464, 464), "inotify_add_watch": (254, 27),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_rm_watch": (255, 28), "ioprio_get": (252, 31),
    "ioprio_set": (251, 30), "kill": (62, 129), "lgetxattr": (192, 9), "listxattr": (194, 11), "listxattrat": (465, 465),
    "llistxattr": (195, 12), "lseek": (8, 62), "lstat": (6, None), "madvise": (28, 233), "map_shadow_stack": (453, 453),
    "mbind": (237, 235), "membarrier": (324, 283), "mincore": (27, 232), "mlock": (149, 228), "mlock2": (325, 284),
    "mlockall": (151, 230), "mprotect": (10, 226), "mremap": (25, 216), "mseal": (462, 462), "msync": (26, 227),
    "munlock": (150, 229), "munlockall": (152, 231), "munmap": (11, 215), "name_to_handle_at": (303, 264),
    "nanosleep": (35, 101), "newfstatat": (262, 79), "pause": (34, None), "pidfd_open": (434, 434), "pipe": (22, None),
    "pipe2": (293, 59), "pkey_alloc": (330, 289), "pkey_free": (331, 290), "pkey_mprotect": (329, 288), "poll": (7, None),
    "ppoll": (271, 73), "pread64": (17, 67), "preadv": (295, 69), "preadv2": (327, 286), "pselect6": (270, 72),
    "read": (0, 63), "readahead": (187, 213), "readlink": (89, None), "readlinkat": (267, 78), "readv": (19, 65),
    "recvfrom": (45, 207), "recvmmsg": (299, 243), "recvmsg": (47, 212), "restart_syscall": (219, 128), "rseq": (334, 293),
    "rt_sigaction": (13, 134), "rt_sigpending": (127, 136), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "sched_getaffinity": (204, 123), "sched_getattr": (315, 275),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120), "sched_rr_get_interval": (148, 127),
    "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_yield": (24, 124), "select": (23, None),
    "set_mempolicy": (238, 237), "set_mempolicy_home_node": (450, 450), "set_robust_list": (273, 99),
    "set_tid_address": (218, 96), "setitimer": (38, 103), "setpgid": (109, 154), "setpriority": (141, 140),
    "setsid": (112, 157), "setsockopt": (54, 208), "shutdown": (48, 210), "sigaltstack": (131, 132),
    "signalfd": (282, None), "signalfd4": (289, 74), "socketpair": (53, 199), "stat": (4, None), "statfs": (137, 43),
    "statx": (332, 291), "sync": (162, 81), "sync_file_range": (277, 84), "syncfs": (306, 267), "sysinfo": (99, 179),
    "tgkill": (234, 131), "time": (201, None), "timer_create": (222, 107), "timer_delete": (226, 111),
    "timer_getoverrun": (225, 109), "timer_gettime": (224, 108), "timer_settime": (223, 110), "timerfd_create": (283, 85),
    "timerfd_gettime": (287, 87), "timerfd_settime": (286, 86), "times": (100, 153), "tkill": (200, 130),
    "umask": (95, 166), "uname": (63, 160), "uretprobe": (335, None), "vfork": (58, None), "wait4": (61, 260),
    "waitid": (247, 95),
}  # fmt: skip
"""On x86_64 and aarch64, as in `confinement/call_numbers.py`. `kill` and its like send a number, descriptors of this
process are judged by where they lead, and what it sends through a socket or a pipe is written by other calls."""

COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
"""Of this machine; None where its numbers are not known."""

NUMBERS = frozenset(both[COLUMN] for both in HARMLESS.values()) if COLUMN is not None else frozenset()
"""Of this machine."""

_QUESTIONS = (0x5401, 0x540F, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX (asm-generic/ioctls.h)."""


def is_harmless_ioctl(request: int, target: str) -> bool:
    """Whether an ioctl only asks, or is one of SQLite's on F2FS, or commands an NVIDIA device, which CUDA does."""
    request &= 0xFFFFFFFF
    only_reads = request >> 30 == 2  # _IOC_READ: the kernel writes, to the caller (asm-generic/ioctl.h)
    f2fs = request & 0xFFFFFF00 == 0xF500  # its atomic writes; what is written is written by other calls
    return request in _QUESTIONS or only_reads or f2fs or target.startswith("/dev/nvidia")
