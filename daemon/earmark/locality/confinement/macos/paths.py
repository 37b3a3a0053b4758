"""Paths as the kernel has them, which is what a profile's rules are compared with.

macOS finds `~/recordings` for a folder `~/Recordings`, and a rule for the one says nothing of the other. So each folder is
opened, and the kernel is asked what it is (F_GETPATH).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
from collections.abc import Callable, Iterable
from pathlib import Path

from earmark.locality.confinement.macos.profile import Places
from earmark.locality.confinement.macos.rules import USERS

F_GETPATH, MAXPATHLEN = 50, 1024  # sys/fcntl.h, sys/param.h (macOS)

Asked = Callable[[int], str]
"""What the kernel calls an open file. Raises OSError."""


def getpath(fd: int) -> str:
    """The path of an open file: symlinks followed, firmlinks as such (`/Users`), in the disk's own case and form.

    fcntl(2) of macOS; bsd/kern/kern_descrip.c asks vn_getpath, as the sandbox does. Raises OSError.
    """
    return os.fsdecode(fcntl.fcntl(fd, F_GETPATH, bytes(MAXPATHLEN)).partition(b"\0")[0])


def as_the_kernel_has_it(path: Path, ask: Asked = getpath) -> str:
    """The path of what is there now; of what is not there, as far as it is, with the rest as it is said."""
    rest: list[str] = []
    here = path.absolute()
    while here != here.parent:
        with contextlib.suppress(OSError):
            fd = os.open(here, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                found = ask(fd)
            finally:
                os.close(fd)
            if found.startswith("/"):
                return os.path.join(found, *reversed(rest))  # noqa: PTH118
        rest.append(here.name)
        here = here.parent
    return os.path.realpath(path)


def places(
    python: Iterable[Path],
    readable: Iterable[Path],
    ask: Asked = getpath,
    homes: Iterable[Path] | None = None,
) -> Places:
    """What a process may read, with all that people have refused. `homes`: beside the usual places of people's files.

    A folder of Python's that has a home folder in it, as that of an environment that was made right in there, is left out:
    its library's folders are in `python` for themselves.
    """
    theirs = _asked(own_homes() if homes is None else homes, ask)
    return Places(
        users=(*USERS, *theirs, *_asked(own_temporary(), ask)),
        python=tuple(
            p for p in _asked(python, ask) if not any(f"{home}/".startswith(f"{p}/") for home in theirs)
        ),
        readable=_asked(readable, ask),
    )


def own_homes() -> list[Path]:
    """The home folder, as the environment and the system have it."""
    found = []
    with contextlib.suppress(RuntimeError):  # there is none
        found.append(Path.home())
    with contextlib.suppress(KeyError):
        found.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    return [path for path in found if path.is_absolute() and path != Path("/")]


def own_temporary() -> list[Path]:
    """The folder for temporary files, if the environment names one."""
    named = os.environ.get("TMPDIR", "")
    return [Path(named)] if named.startswith("/") and Path(named) != Path("/") else []


def _asked(paths: Iterable[Path], ask: Asked) -> tuple[str, ...]:
    return tuple(dict.fromkeys(as_the_kernel_has_it(path, ask) for path in paths))
