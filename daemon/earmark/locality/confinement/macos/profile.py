"""A process's rules as one profile: text in Apple's sandbox language, and the paths in it as parameters. Pure.

No path is in the text, so no name of a folder can be taken for a rule, whatever stands in it, and none is too long for the
language's strings. The last rule that matches an operation counts; a rule for one operation (`file-read-data`) counts more
than one for its kind (`file-read*`), wherever it stands (measured by others on macOS 26). Nothing here depends on which of
the two it is: tests/macos_profile.py reads profiles both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from earmark.locality.confinement.macos.rules import (
    ITSELF,
    LOOKING,
    OPENMP,
    REFUSED,
    RESOLVING,
    SYSTEM,
    Rule,
)

DATA_VOLUME = "/System/Volumes/Data"
"""Where all that is not Apple's lies; `/Users` and others are firmlinks into it (/usr/share/firmlinks)."""

READ = "file-read*"
CODE = "file-read* file-map-executable"


@dataclass(frozen=True, slots=True)
class Profile:
    """What `sandbox_init_with_parameters` is given: the text, and name and value of each parameter."""

    text: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Paths as the kernel has them. `users`: where people's files are, refused as a whole but for the rest: `python`, whose
    code is loaded, and `readable`, which is only read.
    """

    users: tuple[str, ...]
    python: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()


def reading(places: Places, machine: str = "arm64") -> Profile:
    """For a process that reads these places and nothing else, changes nothing, and has no network of its own. `machine`: the
    processor, as `platform.machine` has it.
    """
    return _profile([*REFUSED, *ITSELF, *SYSTEM, *(OPENMP if machine == "x86_64" else ())], places, ())


def downloading(places: Places, writable: Sequence[str]) -> Profile:
    """For the process that brings a model into `writable`: any address, no file of the user's."""
    return _profile([*REFUSED, *ITSELF, *SYSTEM, *RESOLVING], places, writable)


def connecting(addresses: Iterable[tuple[str, int]]) -> Profile:
    """For the door: TCP to these ports, of loopback only where the address is one; no file at all.

    The language knows no addresses but `localhost`, which is any of this machine's, and `*` ("host must be * or localhost in
    network address"). That it is the one address is up to the door's code.
    """
    ends = sorted({f"{'localhost' if _is_loopback(ip) else '*'}:{port}" for ip, port in addresses})
    tcp = tuple(f'(remote tcp "{end}")' for end in ends)
    rules = [Rule("allow", "network-outbound", "opens the one connection", tcp)] if tcp else []
    return Profile(_text([*REFUSED, *ITSELF, *rules]))


def looking() -> Profile:
    """For the process that looks who listens at a port, which finds out nothing on macOS: nothing."""
    return Profile(_text([*REFUSED, *ITSELF]))


def _profile(rules: list[Rule], places: Places, writable: Sequence[str]) -> Profile:
    parameters: dict[str, str] = {}

    def named(kind: str, paths: Iterable[str]) -> tuple[str, ...]:
        both = dict.fromkeys(spelled for path in paths for spelled in spellings(path))
        names = [f"{kind}_{number}" for number in range(len(both))]
        parameters.update(zip(names, both, strict=True))
        return tuple(f'(subpath (param "{name}"))' for name in names)

    for action, operations, reason, filters in (
        ("deny", CODE, "nothing of people's own, temporary files, too", named("USERS", places.users)),
        ("allow", CODE, "Python and its packages, wherever they are", named("PYTHON", places.python)),
        ("allow", READ, "what this process is for", named("READ", places.readable)),
        ("allow", "file-read* file-write*", "what it brings", named("WRITE", writable)),
    ):
        if filters:
            rules.append(Rule("allow" if action == "allow" else "deny", operations, reason, filters))
    return Profile(_text([*rules, *LOOKING]), tuple(parameters.items()))


def spellings(path: str) -> tuple[str, ...]:
    """A path by its firmlink and on the data volume: macOS has named a file either way (Chromium's issue 1266490)."""
    bare = path.removeprefix(DATA_VOLUME) if path.startswith(f"{DATA_VOLUME}/") else path
    return (bare, f"{DATA_VOLUME}{bare}") if bare.startswith("/") and bare != "/" else (path,)


def _is_loopback(ip: str) -> bool:
    return ip == "::1" or ip.startswith("127.")


def _text(rules: Iterable[Rule]) -> str:
    return (
        "\n".join(["(version 1)", "(deny default)", *(line for rule in rules for line in _lines(rule))])
        + "\n"
    )


def _lines(rule: Rule) -> Iterable[str]:
    yield f"; {rule.reason}"
    if rule.asked == "each":
        for operation in rule.operations.split():
            yield _asking([operation], f"({rule.action} {operation})")
    else:
        body = " ".join([rule.action, *rule.operations.split(), *rule.filters])
        yield _asking(rule.asked.split(), f"({body})")


def _asking(names: Sequence[str], body: str) -> str:
    for name in reversed(names):
        body = f"(when (defined? '{name}) {body})"
    return body
