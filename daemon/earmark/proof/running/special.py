"""What has a name in a folder and is no ordinary file: a named pipe, a socket, a device.

What is written there somebody else gets, wherever the name stands: that it is in the state folder makes it no file of ours.
"""

from __future__ import annotations

import os
import stat

_KINDS = {
    stat.S_IFIFO: "the named pipe ", stat.S_IFSOCK: "the socket ", stat.S_IFCHR: "the device ", stat.S_IFBLK: "the device ",
}  # fmt: skip


def kind_of(pid: int, fd: int, path: str) -> str:
    """`the named pipe ` and the like of what a descriptor leads to, or "". Devices below /dev go by their name alone."""
    try:
        kind = stat.S_IFMT(os.stat(f"/proc/{pid}/fd/{fd & 0xFFFFFFFF}").st_mode)  # noqa: PTH116
    except OSError:
        return ""
    device = kind in (stat.S_IFCHR, stat.S_IFBLK) and path.startswith("/dev/")
    return "" if device else _KINDS.get(kind, "")


def told(kind: str, path: str, readers: str) -> str:
    """It in words. `readers`: who reads from it, or ""."""
    return f"{kind}{path}, which {readers} reads" if readers else f"{kind}{path}"


def is_special(about: str) -> bool:
    """Whether this is what `told` says."""
    return about.startswith(tuple(_KINDS.values()))
