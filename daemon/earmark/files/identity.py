"""What tells one state of a file from another without reading it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def _fitting(number: int) -> int:
    """The number as SQLite's signed 64 bits. Inodes of FUSE and network folders use all 64; a time past the year 2262 in
    nanoseconds needs more. Only equality matters, so what is too large is wrapped.
    """
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


@dataclass(frozen=True, slots=True)
class Identity:
    """Size in bytes, modification time in ns, inode and device of a file."""

    size: int
    mtime_ns: int
    inode: int
    device: int = field(compare=False)  # device numbers change over reboots and mounts

    @classmethod
    def of(cls, stat: os.stat_result) -> Identity:
        return cls(stat.st_size, _fitting(stat.st_mtime_ns), _fitting(stat.st_ino), _fitting(stat.st_dev))

    def is_file(self, other: Identity) -> bool:
        """True if both are of one file, whatever its name, size and time: one inode of one device."""
        return (self.inode, self.device) == (other.inode, other.device)

    def __str__(self) -> str:
        return f"{self.size}:{self.mtime_ns}:{self.inode}:{self.device}"
