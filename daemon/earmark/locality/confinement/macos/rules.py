"""What each confined process may do on macOS, as rules of Apple's sandbox language, each with its reason. Data.

Whatever is in no rule is refused. Of what a process that hears or summarizes has to ask of the system's services, nothing is
left: no service at all can be looked up. What it reads of the system is named; what it only looks at is not.

Facts, and where they come from: the names of operations and filters are those of Apple's own profiles (/usr/share/sandbox,
/System/Library/Sandbox/Profiles) and of WebKit's, Chromium's and Firefox's published ones. `(deny default)` leaves some
operations open (Firefox's SandboxPolicyContent.h: "not included in (deny default)"; WebKit: "process-info* defaults to
allow"), so what must not be done is refused by name, too. Python lives behind such a profile with no service at all (pydeno
puts one on itself by ctypes and tries it on macOS in its CI).
"""

from typing import Literal, NamedTuple


class Rule(NamedTuple):
    """Operations that are allowed or refused for what a filter matches (for everything, if there is none), and why.

    `asked`: names that not every macOS knows. One unknown name makes a whole profile void, so the rule is read only where
    they are known (`defined?`). "each": so for each of the operations by itself.
    """

    action: Literal["allow", "deny"]
    operations: str
    reason: str
    filters: tuple[str, ...] = ()
    asked: str = ""


def subpaths(*folders: str) -> tuple[str, ...]:
    """Filters for these folders and all below. For paths of ours that need no quoting; others are parameters."""
    return tuple(f'(subpath "{folder}")' for folder in folders)


def literals(*paths: str) -> tuple[str, ...]:
    """Filters for these paths alone."""
    return tuple(f'(literal "{path}")' for path in paths)


REFUSED = (
    Rule("deny", "network* system-socket", "no connection, whatever the family, and no listening", asked="each"),
    Rule("deny", "necp-client-open system-necp-client-action", "nor by the network framework's own way", asked="each"),
    Rule("deny", "mach-lookup mach-register mach-per-user-lookup",
         "no service of the system or of another program: DNS, the keychain, the pasteboard, the log; and being none",
         asked="each"),
    Rule("deny", "mach-lookup", "nor a service that lies in an application", ('(xpc-service-name-prefix "")',),
         "xpc-service-name-prefix"),
    Rule("deny", "process-exec* process-fork", "no other program, and no second one of its own", asked="each"),
    Rule("deny", "job-creation lsopen appleevent-send",
         "nor having launchd, LaunchServices or another program start or do one", asked="each"),
    Rule("deny", "darwin-notification-post distributed-notification-post", "no notice to other programs", asked="each"),
    Rule("deny", "signal", "no signal to others", asked="each"),
    Rule("deny", "process-info* mach-priv* mach-task-name",
         "no looking at other processes, whose arguments and environment that would tell", asked="each"),
    Rule("deny", "file-write* file-ioctl file-link file-clone", "no change to any file, its attributes or its names",
         asked="each"),
    Rule("deny", "system-fcntl", "nor through a descriptor that is open for reading (as Codex's profile has it)",
         ("(fcntl-command 80 110)",), "system-fcntl fcntl-command"),
    Rule("deny", "file-map-executable", "no machine code out of files but of those below", asked="each"),
    Rule("deny", "ipc-posix-shm* ipc-posix-sem ipc-sysv*", "nothing left in shared memory, semaphores or queues",
         asked="each"),
    *(
        Rule("deny", "syscall-unix", "which the operation above does not stop (measured by pydeno)",
             (f"(syscall-number {call})",), f"syscall-unix syscall-number {call}")
        for call in ("SYS_semget", "SYS_shmget", "SYS_msgget")
    ),
    Rule("deny", "iokit-open iokit-get-properties iokit-set-properties nvram* device* hid-control",
         "no driver, no camera, no microphone, no serial number of the machine", asked="each"),
    Rule("deny", "sysctl-write user-preference* authorization-right-obtain pseudo-tty system-privilege system-set-time "
         "system-kext* system-fsctl",
         "no setting of the system or of the user, and no right to any", asked="each"),
)  # fmt: skip
"""Refused by name, before anything is allowed. Most of it `(deny default)` refuses as well."""

ITSELF = (
    Rule("allow", "signal", "abort() after a failure, in itself only", ("(target self)",)),
    Rule("allow", "process-info*", "what it is and uses; the names of its threads", ("(target self)",)),
    Rule("allow", "sysctl-read",
         "what the processor has, page size, versions: libraries end the process where they are not told, and each macOS "
         "has more of them; they are the kernel's numbers, and no document"),
    Rule("deny", "sysctl-read", "but not which other processes there are", (r'(sysctl-name-regex #"^kern\.proc")',)),
)  # fmt: skip
"""What every process may do."""

LOOKING = (
    Rule("allow", "file-read-metadata",
         "whether a path is there, its size and times: resolving one looks at every folder above it (Landlock does not "
         "hide that either)"),
    Rule("allow", "file-test-existence", "the same, under its newer name", asked="file-test-existence"),
)  # fmt: skip

SYSTEM = (
    Rule("allow", "file-read* file-map-executable", "the system's libraries and frameworks, which Python's packages load",
         subpaths("/System/Library", "/System/Cryptexes", "/System/Volumes/Preboot/Cryptexes", "/usr/lib",
                  "/Library/Apple")),
    Rule("allow", "file-read* file-map-executable", "what a processor of Apple's makes of Intel's machine code (Rosetta)",
         subpaths("/private/var/db/oah")),
    Rule("allow", "file-read* file-map-executable",
         "libraries that a Python of Homebrew, MacPorts or Nix is linked to; not what these programs keep (var)",
         subpaths("/opt/homebrew/Cellar", "/opt/homebrew/opt", "/opt/homebrew/lib", "/opt/homebrew/Frameworks",
                  "/usr/local/Cellar", "/usr/local/opt", "/usr/local/lib", "/usr/local/Frameworks",
                  "/opt/local/lib", "/opt/local/libexec", "/opt/local/Library/Frameworks", "/nix/store")),
    Rule("allow", "file-read*", "time zones, character sets, languages, what dyld keeps",
         subpaths("/usr/share", "/private/var/db/timezone", "/private/var/db/dyld")),
    Rule("allow", "file-read*", "certificates, and OpenSSL's settings",
         subpaths("/private/etc/ssl", "/opt/homebrew/etc/openssl@3", "/opt/homebrew/etc/ca-certificates",
                  "/usr/local/etc/openssl@3", "/usr/local/etc/ca-certificates", "/opt/local/etc/openssl")),
    Rule("allow", "file-read*", "the time zone that is set, names of users (no password is in there), names of hosts",
         literals("/private/etc/localtime", "/private/etc/passwd", "/private/etc/hosts")),
    Rule("allow", "file-read*", "the root folder's own entry, devices that give nothing, its own descriptors",
         literals("/", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/autofs_nowait")
         + subpaths("/dev/fd")),
)  # fmt: skip
"""What Python, its packages and the system's libraries read for themselves; none of it is anybody's document."""

OPENMP = (
    Rule("allow", "ipc-posix-shm*",
         "Intel's OpenMP, which CTranslate2's package for Intel's Macs brings, ends the process where it may not (its "
         "message \"Can't open SHM2\"); there is none in the one for Apple's processors",
         (r'(ipc-posix-name-regex #"^/?__KMP_REGISTERED_LIB_[0-9_]+$")',)),
)  # fmt: skip

RESOLVING = (
    Rule("allow", "network-outbound", "any address: the index and the hub are where the user's settings say",
         ('(remote ip "*:*")',)),
    Rule("allow", "network-outbound", "looks names up", literals("/private/var/run/mDNSResponder")),
    Rule("allow", "system-socket", "asks the kernel which networks there are"),
    Rule("allow", "mach-lookup",
         "looks names up (dnssd, opendirectoryd), and finds the proxy that is set in System Settings (configd)",
         ('(global-name "com.apple.dnssd.service")', '(global-name "com.apple.system.opendirectoryd.libinfo")',
          '(global-name "com.apple.SystemConfiguration.configd")')),
    Rule("allow", "mach-lookup",
         "has certificates checked, which httpx2 leaves to the system (truststore); without it each is refused (-26276), as "
         "Go's programs have shown behind other profiles (anthropics/claude-code#34876, spacedriveapp/spacebot#272)",
         ('(global-name "com.apple.trustd.agent")', '(global-name "com.apple.trustd")')),
    Rule("allow", "file-read*", "which server knows names",
         literals("/private/var/run/resolv.conf", "/private/etc/resolv.conf", "/private/etc/services",
                  "/private/etc/protocols")),
)  # fmt: skip
"""What `earmark models download` does beside reading and writing its own folder."""

USERS = (
    "/Users", "/Volumes", "/Network", "/private/tmp", "/private/var/tmp", "/private/var/folders", "/private/var/root",
)  # fmt: skip
"""Where people's files lie, temporary ones, too; beside the home folder, wherever that is."""
