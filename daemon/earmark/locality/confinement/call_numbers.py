"""The numbers of the system calls that calls.py speaks of. Data, checked by a test against the system's headers."""

NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "accept4": (288, 242),
    "access": (21, None), "arch_prctl": (158, None), "bind": (49, 200), "brk": (12, 214), "clock_getres": (229, 114),
    "clock_gettime": (228, 113), "clock_nanosleep": (230, 115), "clone": (56, 220), "clone3": (435, 435),
    "close": (3, 57), "connect": (42, 203), "dup": (32, 23), "epoll_pwait2": (441, 441), "eventfd2": (290, 19),
    "exit": (60, 93), "exit_group": (231, 94), "faccessat": (269, 48), "faccessat2": (439, 439),
    "fadvise64": (221, 223), "fcntl": (72, 25),
    "flock": (73, 32), "fstat": (5, 80), "futex": (202, 98), "futex_requeue": (456, 456),
    "futex_wait": (455, 455), "futex_waitv": (449, 449), "futex_wake": (454, 454), "get_mempolicy": (239, 236),
    "getcpu": (309, 168), "getcwd": (79, 17), "getdents64": (217, 61), "getegid": (108, 177), "geteuid": (107, 175),
    "getgid": (104, 176), "getpeername": (52, 205), "getpid": (39, 172), "getppid": (110, 173),
    "getrandom": (318, 278), "getrusage": (98, 165), "getsockname": (51, 204), "getsockopt": (55, 209),
    "gettid": (186, 178), "gettimeofday": (96, 169), "getuid": (102, 174), "ioctl": (16, 29), "listen": (50, 201),
    "lseek": (8, 62), "lstat": (6, None), "madvise": (28, 233), "mbind": (237, 235), "membarrier": (324, 283),
    "mmap": (9, 222), "mprotect": (10, 226), "mremap": (25, 216), "mseal": (462, 462), "munmap": (11, 215),
    "nanosleep": (35, 101), "newfstatat": (262, 79), "open": (2, None), "openat": (257, 56), "openat2": (437, 437),
    "pipe2": (293, 59), "poll": (7, None), "ppoll": (271, 73), "prctl": (157, 167), "pread64": (17, 67),
    "prlimit64": (302, 261), "pselect6": (270, 72), "read": (0, 63), "readlink": (89, None), "readlinkat": (267, 78),
    "readv": (19, 65), "recvfrom": (45, 207), "recvmsg": (47, 212), "restart_syscall": (219, 128), "rseq": (334, 293),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sched_getaffinity": (204, 123), "sched_yield": (24, 124), "select": (23, None), "sendmsg": (46, 211),
    "sendto": (44, 206), "set_robust_list": (273, 99), "set_tid_address": (218, 96), "setsockopt": (54, 208),
    "shutdown": (48, 210), "sigaltstack": (131, 132), "socket": (41, 198), "stat": (4, None), "statx": (332, 291),
    "sysinfo": (99, 179), "tgkill": (234, 131), "time": (201, None), "uname": (63, 160), "unlink": (87, None),
    "unlinkat": (263, 35), "wait4": (61, 260), "write": (1, 64), "writev": (20, 66),
}  # fmt: skip
"""On x86_64 (arch/x86/entry/syscalls/syscall_64.tbl) and aarch64 (include/uapi/asm-generic/unistd.h); None: that
architecture has no such call."""

MACHINES = {"x86_64": 0, "aarch64": 1}
"""Which of the two numbers a machine of this name (`platform.machine`) goes by."""

NEWEST = 469
"""file_setattr (Linux 6.17), the last call that was looked at. A later one is answered as by a kernel that lacks it."""
