"""Putting a profile on this process, for good: `sandbox_init_with_parameters` of libSystem. Standard library only.

The process does it itself, as Firefox's and Chromium's do, so that Python has started and the door is open before; nobody is
told the folders' names by a command line or a file. Apple calls the function deprecated, and has nothing instead of it for a
program that is no bundle. A process that is in a sandbox already cannot put on another one.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Any

from earmark.locality.confinement.macos.profile import Profile

TEXT = 0
"""`flags`: the first argument is a profile's text (libsystem_sandbox compiles it by sandbox_compile_string)."""


def apply(profile: Profile, library: Any = None) -> None:
    """Leave all threads of this process only what the profile allows. Raises OSError, with the system's words, if it cannot.

    `library`: where the function is; the process's own libraries.
    """
    found = ctypes.CDLL(None) if library is None else library
    try:
        put_on, free = found.sandbox_init_with_parameters, found.sandbox_free_error
    except AttributeError:
        raise OSError(errno.ENOSYS, "this system has no sandbox_init_with_parameters") from None
    put_on.argtypes = [
        ctypes.c_char_p,
        ctypes.c_uint64,
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.POINTER(ctypes.c_void_p),
    ]
    put_on.restype = ctypes.c_int
    free.argtypes, free.restype = [ctypes.c_void_p], None
    flat = [os.fsencode(text) for pair in profile.parameters for text in pair]
    parameters = (ctypes.c_char_p * (len(flat) + 1))(*flat, None)
    why = ctypes.c_void_p()
    if put_on(profile.text.encode(), TEXT, parameters, ctypes.byref(why)) == 0:
        return
    said = "it is in another sandbox already, perhaps"
    if why.value:
        said = ctypes.string_at(why.value).decode("utf-8", "replace").strip()[:200] or said
        free(why)
    raise OSError(errno.EPERM, f"macOS does not take the profile: {said}")
