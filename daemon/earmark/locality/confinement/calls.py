"""Which system calls each confined process may make, and what it needs them for. Data; whatever is not here is refused.

The lists were made by running the workers under strace over a corpus of 96 recordings (one and four threads), damaged
ones included, and over summaries with and without a server; then by running them behind the lists. What this machine
cannot show (other C libraries, a processor with AMX) has a group of its own.
"""

from typing import NamedTuple

SELF = -1
"""In `Where.values`: the number of the process that installs the filter."""

ALL_BITS = 0xFFFFFFFF


class Where(NamedTuple):
    """A condition on an argument (0 to 5): the bits `mask` of its lower half are one of `values`.

    The kernel takes no more than the lower half of an int. `wide`: the upper half, too, has to be 0, as of a null pointer.
    """

    argument: int
    values: tuple[int, ...]
    mask: int = ALL_BITS
    wide: bool = False


class Guarded(NamedTuple):
    """A call that is allowed only in one of `ways`, each of which is a row of conditions that must all hold."""

    call: str
    ways: tuple[tuple[Where, ...], ...]


class Group(NamedTuple):
    """Calls that are needed for one `reason`: `calls` with any arguments, `guarded` with some.

    `nowhere`: calls that are not made, and answered as if nothing were under that name (ENOENT instead of EPERM).
    """

    reason: str
    calls: str
    guarded: tuple[Guarded, ...] = ()
    nowhere: str = ""


MISSING = "clone3 openat2 epoll_pwait2 futex_waitv futex_wake futex_wait futex_requeue"
"""Answered as by a kernel that lacks them: their arguments lie in memory, where a filter cannot look, or they are the
newer way to do what an allowed one does. The C library then takes the older way."""

_READING_ONLY = 0x3 | 0x40 | 0x200 | 0x400  # O_ACCMODE, O_CREAT, O_TRUNC, O_APPEND (asm-generic/fcntl.h)
_THREAD = 0x10000  # CLONE_THREAD (linux/sched.h)
_NOT_OF_A_THREAD = ALL_BITS & ~0x7D0F00
"""All flags of clone() but those that glibc and musl start a thread with: nothing of namespaces, tracing, or a signal."""
_RLIMIT_CPU, _LIMITS, _NEW_LIMIT = 0, 1, 2

FILES = Group(
    "reads the model, the recording, Python's modules and shared libraries; no opening for writing",
    "read readv pread64 lseek close dup fstat stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat "
    "getdents64 getcwd fadvise64",
    (
        Guarded("open", ((Where(1, (0,), _READING_ONLY),),)),
        Guarded("openat", ((Where(2, (0,), _READING_ONLY),),)),
    ),
)
DESCRIPTORS = Group(
    "close-on-exec and flags of its descriptors, and whether one is a terminal; no lock, lease, notice or owner",
    "",
    (
        # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC (linux/fcntl.h)
        Guarded("fcntl", ((Where(1, (0, 1, 2, 3, 4, 1030)),),)),
        # TCGETS, TCGETS2, TIOCGWINSZ, FIOCLEX (asm-generic/ioctls.h)
        Guarded("ioctl", ((Where(1, (0x5401, 0x802C542A, 0x5413, 0x5451)),),)),
    ),
)
ANSWERS = Group("says what it found, through the pipes that it was given", "write writev")
MEMORY = Group(
    "memory, shared libraries, and machine code that the maths libraries make",
    "brk mmap munmap mremap mprotect madvise mbind",
)
THREADS = Group(
    "threads of its own and waiting for them; no process can be forked",
    "futex set_robust_list rseq set_tid_address exit exit_group gettid getpid sched_yield sched_getaffinity",
    (Guarded("clone", ((Where(0, (_THREAD,), _THREAD), Where(0, (0,), _NOT_OF_A_THREAD)),)),),
)
SIGNALS = Group(
    "handlers of signals; abort() after a failure, in itself only: a worker cannot pass for one that somebody else ended",
    "rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall",
    (Guarded("tgkill", ((Where(0, (SELF,)), Where(2, (6,))),)),),  # SIGABRT
)
CLOCKS = Group(
    "the time, and sleeping", "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time"
)
ITSELF = Group(
    "what it is, what it uses, random numbers; of its limits only processor time can be set, of nobody else's any",
    "uname sysinfo getrusage getrandom getuid geteuid getgid getegid getppid",
    (
        Guarded(
            "prlimit64",
            (
                (Where(0, (0, SELF)), Where(_NEW_LIMIT, (0,), wide=True)),
                (Where(0, (0, SELF)), Where(_LIMITS, (_RLIMIT_CPU,))),
            ),
        ),
        # PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_NAME, PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS (linux/prctl.h). Nothing can
        # be set: not that it outlives its parent, not that others may read its memory, not the name that `ps` shows.
        Guarded("prctl", ((Where(0, (2, 3, 16, 21, 39)),),)),
    ),
)
ELSEWHERE = Group(
    "not seen here, harmless, and what another C library, kernel or processor (AMX) asks for",
    "getcpu membarrier mseal",
    # ARCH_GET_XCOMP_SUPP, ARCH_GET_XCOMP_PERM, ARCH_REQ_XCOMP_PERM (asm/prctl.h): oneMKL's way to the matrix unit.
    (Guarded("arch_prctl", ((Where(0, (0x1021, 0x1022, 0x1023)),),)),),
)
CONNECTION = Group(
    "uses the connection that the door hands in: never to another address, and no descriptor goes out with it",
    "recvfrom recvmsg getsockopt getsockname getpeername shutdown poll ppoll select pselect6 wait4",
    (
        Guarded("sendto", ((Where(4, (0,), wide=True),),)),
        # Level SOL_SOCKET: SO_KEEPALIVE. Level IPPROTO_TCP: TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT. Not
        # IPPROTO_IP, whose source routes would lead the connection elsewhere.
        Guarded(
            "setsockopt",
            ((Where(1, (1,)), Where(2, (9,))), (Where(1, (6,)), Where(2, (1, 4, 5, 6)))),
        ),
        Guarded("ioctl", ((Where(1, (0x5421,)),),)),  # FIONBIO
    ),
)
CONNECTING = Group(
    "opens TCP connections and hands them over; no other protocol, which Landlock's ports would not hold",
    "connect sendmsg recvfrom getsockopt getsockname getpeername poll ppoll shutdown",
    (
        # AF_INET, AF_INET6; SOCK_STREAM, with any flags; IPPROTO_IP, IPPROTO_TCP (not MPTCP, SCTP)
        Guarded("socket", ((Where(0, (2, 10)), Where(1, (1,), 0xF), Where(2, (0, 6))),)),
        Guarded("sendto", ((Where(4, (0,), wide=True),),)),
        Guarded("ioctl", ((Where(1, (0x5421,)),),)),  # FIONBIO
    ),
)
ASSISTANT = Group(
    "waits for the assistant's next line and for its own threads, which wake it through a pair of sockets made before; "
    "reads the ledger beside a daemon that writes it, for which SQLite locks parts of it; sees a worker end",
    "poll ppoll recvfrom wait4",
    (
        Guarded("sendto", ((Where(4, (0,), wide=True),),)),
        Guarded("fcntl", ((Where(1, (5, 6, 7)),),)),  # F_GETLK, F_SETLK, F_SETLKW
    ),
)
PAGES_TO_BROWSERS = Group(
    "takes connections at the one socket that was bound before, and answers them: it can make no socket and connect to "
    "nothing; its threads wake it through a pair of sockets made before; reads the ledger beside a daemon that writes it; "
    "sees by its lock whether a daemon runs; sees a worker end",
    "accept4 listen poll ppoll recvfrom sendmsg shutdown getsockname getpeername getsockopt flock wait4",
    (
        Guarded("sendto", ((Where(4, (0,), wide=True),),)),
        Guarded("setsockopt", ((Where(1, (6,)), Where(2, (1,))),)),  # IPPROTO_TCP: TCP_NODELAY
        Guarded("ioctl", ((Where(1, (0x5421,)),),)),  # FIONBIO
        Guarded("fcntl", ((Where(1, (5, 6, 7)),),)),  # F_GETLK, F_SETLK, F_SETLKW
    ),
)
GPU = Group(
    "CUDA: opens its devices for writing (Landlock leaves no other file but the names of its own threads), commands them, "
    "and holds a local socket open, which nobody can be answered through; measured with driver 580 on an H200",
    "poll ppoll eventfd2 pipe2 get_mempolicy bind listen",
    (
        Guarded("open", ((),)),
        Guarded("openat", ((),)),
        # AF_UNIX, SOCK_SEQPACKET. Without the socket CUDA ends with error 304; it does not need to be reached.
        Guarded("socket", ((Where(0, (1,)), Where(1, (5,), 0xF)),)),
        # NVIDIA's own: those of type 'F', and the small numbers of its unified memory with its first and its last
        # (nv-ioctl.h, uvm_linux_ioctl.h). Not a terminal's (0x54..), not a socket's (0x89..).
        Guarded(
            "ioctl",
            (
                (Where(1, (0x4600,), 0xFF00),),
                (Where(1, (0,), 0xFFFFFF00),),
                (Where(1, (0x30000001, 0x30000002)),),
            ),
        ),
    ),
    "unlink unlinkat",
)

_EVERY = (DESCRIPTORS, ANSWERS, MEMORY, THREADS, SIGNALS, CLOCKS, ITSELF, ELSEWHERE)

TRANSCRIPTION = (FILES, *_EVERY)
"""What the process that hears recordings may do."""
SUMMARIES = (FILES, *_EVERY, CONNECTION)
"""What the process that summarizes may do."""
ASSISTANTS = (FILES, *_EVERY, ASSISTANT)
"""What `earmark mcp` may do."""
PAGES = (FILES, *_EVERY, PAGES_TO_BROWSERS)
"""What `earmark serve` may do."""
LISTENER = (FILES, *_EVERY)
"""What the process that looks which program listens at a port may do."""
DOOR = (Group("reads and closes what it has open", "read close fstat lseek"), *_EVERY, CONNECTING)
"""What the process that opens the connection may do: no file at all."""
