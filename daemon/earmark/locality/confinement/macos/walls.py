"""Shutting the doors on macOS: a profile is put on, and then it is tried whether it holds."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import NamedTuple

from earmark.locality.confinement.macos import applying, paths, services
from earmark.locality.confinement.macos.profile import Profile
from earmark.locality.confinement.macos.rules import USERS

BY = "macOS sandbox"

HARMLESS = ("/usr/bin/true", "/bin/true")
"""A program that does nothing: where macOS has it, and where any system may."""


class Wall(NamedTuple):
    """What is true of a wall, in words, and whether it stands."""

    stands: bool
    sentence: str


def shut(profile: Profile, what: str, network_is_shut: Callable[[], bool]) -> tuple[Wall, ...]:
    """Put the profile on for good, and say of files, network and other programs what holds. Raises OSError if macOS does not
    take it. `what` names what can be read.
    """
    before, home = services.looked_up(), _somebodys_folder()
    applying.apply(profile)
    return (
        _files(what, home),
        _network(network_is_shut()),
        _others(starts_a_program(), before, services.looked_up()),
    )


def _somebodys_folder() -> str:
    """A folder of people's own that is there, so that an answer to opening it says something."""
    own = (str(path) for path in paths.own_homes())
    return next((path for path in own if os.path.isdir(path)), USERS[0])  # noqa: PTH112


def _files(what: str, home: str) -> Wall:
    if can_open(home, os.O_RDONLY):
        return Wall(
            False, f"the user's other files can be read (the {BY} took the profile but does not hold to it)"
        )
    if can_open(os.devnull, os.O_WRONLY):
        return Wall(False, f"files can be written (the {BY} took the profile but does not hold to it)")
    return Wall(True, f"files: only {what} can be read, nothing written ({BY})")


def _network(shut: bool) -> Wall:
    if shut:
        return Wall(True, f"no network: every connection is refused ({BY})")
    return Wall(False, f"the network is open (the {BY} took the profile but does not hold to it)")


def _others(starts: bool, before: int | None, after: int | None) -> Wall:
    """`before` and `after`: what launchd answered to the same question without and with the profile."""
    if starts:
        return Wall(
            False, f"other programs can be started (the {BY} took the profile but does not hold to it)"
        )
    if after == services.FOUND:
        return Wall(
            False, f"services of the system can be asked (the {BY} took the profile but does not hold to it)"
        )
    if (before, after) == (services.FOUND, services.REFUSED):
        return Wall(True, f"no other program and no service of the system ({BY})")
    return Wall(True, f"no other program ({BY}); whether services of the system can be asked is not known")


def can_open(path: str, flags: int) -> bool:
    """True unless it is refused on principle."""
    try:
        os.close(os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError as error:
        return error.errno not in (errno.EPERM, errno.EACCES)
    return True


def harmless_program() -> str:
    """A program that is there on this system and does nothing."""
    return next((path for path in HARMLESS if os.path.exists(path)), HARMLESS[0])  # noqa: PTH110


def starts_a_program() -> bool:
    """True unless it is refused on principle."""
    program = harmless_program()
    try:
        os.waitpid(os.posix_spawn(program, [program], {}), 0)
    except OSError as error:
        return error.errno not in (errno.EPERM, errno.EACCES)
    return True
