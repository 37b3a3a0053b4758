"""A reader for profiles in macOS's sandbox language: is it well formed, and what does it say of an operation on something?

The language is Scheme with a vocabulary of its own; this knows as much of it as our profiles use, and raises for all else.
Which rule counts is read in both ways that are told of the system, and they have to agree: the last one that matches; and
the last one of those for the operation itself, then of those for its kind (`file-read-data`, then `file-read*`, `file*`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from earmark.locality.confinement.macos.profile import Profile

OPERATIONS = set(
    """appleevent-send authorization-right-obtain darwin-notification-post device* device-camera device-microphone
    distributed-notification-post file* file-clone file-ioctl file-link file-map-executable file-read* file-read-data
    file-read-metadata file-read-xattr file-test-existence file-write* file-write-create file-write-data file-write-mode
    file-write-owner file-write-times file-write-unlink file-write-xattr hid-control iokit-get-properties iokit-open
    iokit-set-properties ipc-posix-sem ipc-posix-shm* ipc-posix-shm-read-data ipc-posix-shm-write-create
    ipc-posix-shm-write-data ipc-sysv* ipc-sysv-msg ipc-sysv-sem ipc-sysv-shm job-creation lsopen mach-lookup
    mach-per-user-lookup mach-priv* mach-priv-task-port mach-register mach-task-name necp-client-open network* network-bind
    network-inbound network-outbound nvram* nvram-set process-exec* process-fork process-info* process-info-pidinfo
    process-info-setcontrol pseudo-tty signal syscall-unix sysctl-read sysctl-write system-fcntl system-fsctl system-kext*
    system-necp-client-action system-privilege system-set-time system-socket user-preference* user-preference-read
    user-preference-write""".split()
)
"""Names of operations out of Apple's own profiles as sandbox.h's list (`operation_names`) and WebKit's and Firefox's
profiles have them, and those of newer systems. `*`: a kind, under which the ones that begin so fall."""

SINCE_LATER = set(
    """darwin-notification-post file-clone file-link file-test-existence necp-client-open nvram* nvram-set syscall-unix
    system-fcntl system-necp-client-action mach-per-user-lookup hid-control user-preference* xpc-service-name-prefix
    fcntl-command syscall-number SYS_semget SYS_shmget SYS_msgget""".split()
)
"""What not every macOS knows: a profile that names one of these without asking is void there as a whole."""

FILTERS = {
    "subpath", "literal", "param", "target", "sysctl-name-regex", "ipc-posix-name-regex", "global-name",
    "xpc-service-name-prefix", "remote", "fcntl-command", "syscall-number",
}  # fmt: skip

TOKEN = re.compile(
    r'\s+|;[^\n]*|(?P<paren>[()\'])|(?P<regex>#"[^"]*")|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()"\';]+)'
)


class Malformed(ValueError):
    """Not a profile."""


class Text(str):
    """A string, as against a name."""


class Regex(str):
    """A `#"..."`."""


@dataclass
class Read:
    """The rules that hold, in order."""

    rules: list[tuple[str, list[str], list[Any]]] = field(default_factory=list)
    default: str = ""


class Thing(NamedTuple):
    """What is acted on: `kind` is the filter's word for it ("path", "global-name", "remote tcp" ...)."""

    kind: str
    name: str


def parse(text: str) -> list[Any]:
    """Expressions as nested lists. Raises Malformed for brackets or strings that are not closed."""
    stack: list[list[Any]] = [[]]
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise Malformed(f"at {at}: {text[at : at + 30]!r}")
        at = match.end()
        if match["paren"] == "(":
            stack.append([])
        elif match["paren"] == ")":
            if len(stack) == 1:
                raise Malformed("a bracket is closed that was not opened")
            done = stack.pop()
            stack[-1].append(done)
        elif match["paren"] == "'":
            stack[-1].append("quote")
        elif match["regex"]:
            stack[-1].append(Regex(match["regex"][2:-1]))
        elif match["string"]:
            stack[-1].append(Text(re.sub(r"\\(.)", r"\1", match["string"][1:-1])))
        elif match["word"]:
            stack[-1].append(match["word"])
    if len(stack) != 1:
        raise Malformed(f"{len(stack) - 1} brackets are not closed")
    return stack[0]


@cache
def read(profile: Profile, newest: bool = True) -> Read:
    """The rules as a system reads them that knows all names (`newest`), or none that came later. Raises Malformed."""
    found = Read()
    known = OPERATIONS | FILTERS | {"default"} | SINCE_LATER
    if not newest:
        known -= SINCE_LATER
    expressions = parse(profile.text)
    if expressions[:1] != [["version", "1"]]:
        raise Malformed("it does not begin with (version 1)")
    for expression in expressions[1:]:
        _take(expression, found, known, dict(profile.parameters))
    return found


def _take(expression: list[Any], found: Read, known: set[str], parameters: Mapping[str, str]) -> None:
    match expression:
        case ["when", ["defined?", "quote", str(name)], *rest]:
            if name not in OPERATIONS | FILTERS | SINCE_LATER:
                raise Malformed(f"nobody has heard of {name}")
            if name in known:
                for inner in rest:
                    _take(inner, found, known, parameters)
        case ["allow" | "deny" as action, "default"]:
            found.default = action
        case ["allow" | "deny" as action, *rest]:
            operations = [word for word in rest if isinstance(word, str)]
            filters = [_filter(inner, known, parameters) for inner in rest if isinstance(inner, list)]
            if unknown := [word for word in operations if word not in OPERATIONS or word not in known]:
                raise Malformed(f"no operations: {unknown}")
            if not operations:
                raise Malformed("a rule for nothing")
            found.rules.append((action, operations, filters))
        case _:
            raise Malformed(f"no rule: {expression}")


def _filter(expression: list[Any], known: set[str], parameters: Mapping[str, str]) -> tuple[str, Any]:
    name, *arguments = expression
    if name not in FILTERS or name not in known:
        raise Malformed(f"no filter: {name}")
    match name, arguments:
        case "subpath" | "literal", [["param", Text() as parameter]]:
            return name, _path(parameters[parameter])
        case "subpath" | "literal", [Text() as path]:
            return name, _path(path)
        case "remote", ["ip" | "tcp" | "udp" as protocol, Text() as end]:
            host, _, port = end.rpartition(":")
            if host not in ("*", "localhost") or not (port == "*" or 0 < int(port) < 65536):
                raise Malformed(f"host must be * or localhost in network address: {end}")
            return name, (protocol, host, port)
        case "sysctl-name-regex" | "ipc-posix-name-regex", [Regex() as pattern]:
            return name, re.compile(pattern)
        case "target", ["self" | "others" as whom]:
            return name, whom
        case "fcntl-command", numbers:
            return name, [str(int(number)) for number in numbers]
        case "syscall-number", [str(call)] if call in known:
            return name, call
        case "global-name" | "xpc-service-name-prefix", [Text() as service]:
            return name, service
    raise Malformed(f"what is {expression}?")


def _path(path: str) -> str:
    if not path.startswith("/") or (path != "/" and path.endswith("/")) or "//" in path:
        raise Malformed(f"not a path from the root on: {path!r}")
    return path


def decision(profile: Profile, operation: str, thing: Thing | None = None, newest: bool = True) -> str:
    """ "allow" or "deny", of what one operation (no kind) does to a thing; AssertionError where the two readings differ."""
    found = read(profile, newest)
    assert operation in OPERATIONS
    assert not operation.endswith("*") or operation in ("ipc-sysv*", "process-exec*"), "ask for one operation"
    matching = [
        (action, operations)
        for action, operations, filters in found.rules
        if any(_covers(name, operation) for name in operations) and _applies(filters, thing)
    ]
    last = matching[-1][0] if matching else found.default
    closest = next(
        (
            action
            for kind in _kinds(operation)
            for action, operations in reversed(matching)
            if kind in operations
        ),
        found.default,
    )
    assert last == closest, f"{operation} of {thing}: {last} by the last rule, {closest} by the closest"
    return last


def _kinds(operation: str) -> Iterator[str]:
    yield operation
    parts = operation.removesuffix("*").rstrip("-").split("-")
    for end in range(len(parts), 0, -1):
        yield "-".join(parts[:end]) + "*"


def _covers(name: str, operation: str) -> bool:
    return name in _kinds(operation)


def _applies(filters: Sequence[tuple[str, Any]], thing: Thing | None) -> bool:
    return not filters or any(_matches(*one, thing) for one in filters)


def _matches(name: str, wanted: Any, thing: Thing | None) -> bool:
    match name, thing:
        case "literal", Thing("path", path):
            return bool(path == wanted)
        case "subpath", Thing("path", path):
            return wanted == "/" or path == wanted or path.startswith(f"{wanted}/")
        case "remote", Thing("ip" | "tcp" | "udp" as protocol, end):
            host, _, port = end.rpartition(":")
            near = host in ("127.0.0.1", "::1")
            return wanted[0] in ("ip", protocol) and (wanted[1] == "*" or near) and wanted[2] in ("*", port)
        case "sysctl-name-regex", Thing("sysctl", called):
            return bool(wanted.search(called))
        case "ipc-posix-name-regex", Thing("ipc", called):
            return bool(wanted.search(called))
        case "target", Thing("process", whom):
            return bool(wanted == whom)
        case "global-name", Thing("global-name", called):
            return bool(wanted == called)
        case "xpc-service-name-prefix", Thing("xpc-service-name", called):
            return called.startswith(wanted)
        case "fcntl-command", Thing("fcntl", number):
            return number in wanted
        case "syscall-number", Thing("syscall", call):
            return bool(call == wanted)
        case _:
            return False
