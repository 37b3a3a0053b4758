"""Why Landlock is not there: the kernel has none, it is turned off, or a container's filter keeps it from this process."""

from __future__ import annotations

import ctypes.util
import errno
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not ctypes.util.find_library("seccomp"),
    reason="needs Linux and libseccomp2",
)

REFUSED = """
import sys
import pyseccomp
allowed = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
allowed.add_rule(pyseccomp.ERRNO(int(sys.argv[1])), "landlock_create_ruleset")
allowed.load()
from earmark.locality.confinement import landlock
assert landlock.version() == 0
try:
    landlock.restrict([], [])
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            errno.EPERM,
            "a system call filter, of the container or the service that this runs in, refuses Landlock",
        ),
        (errno.EOPNOTSUPP, "Landlock is turned off on this machine"),
        (errno.ENOSYS, "this kernel has no Landlock"),
    ],
)
def test_it_is_said_why_landlock_is_not_there(answer: int, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, str(answer)], capture_output=True, text=True, timeout=60, check=True
    )
    assert words in done.stdout
