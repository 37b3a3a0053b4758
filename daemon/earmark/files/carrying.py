"""What a file has beside its bytes and its access, given to its next version: a person's attributes (tags, colors,
comments), and on a Mac its access-control list and when it was made.
"""

from __future__ import annotations

import ctypes
import os
import sys

from earmark.files.durable import LOST

_ACL, _ATTRIBUTES = 1 << 0, 1 << 2
"""COPYFILE_ACL and COPYFILE_XATTR (copyfile.h, man 3 copyfile)."""

_EXTENDED = 0x00000100
"""ACL_TYPE_EXTENDED (sys/acl.h)."""

_BIRTH = 0x00000200
"""ATTR_CMN_CRTIME (sys/attr.h)."""

_LENGTH, _TIMESPEC = 4, 16
"""Bytes of what fgetattrlist says first, and of a time on 64 bits (man 2 getattrlist)."""


class _AttributeList(ctypes.Structure):
    """struct attrlist (man 2 getattrlist)."""

    _fields_ = (
        ("bitmapcount", ctypes.c_ushort),
        ("reserved", ctypes.c_ushort),
        ("commonattr", ctypes.c_uint),
        ("volattr", ctypes.c_uint),
        ("dirattr", ctypes.c_uint),
        ("fileattr", ctypes.c_uint),
        ("forkattr", ctypes.c_uint),
    )


def carry(old: int, new: int) -> None:
    """Give an open file what another one has. What the disk or the system does not let it have, it does not get. Raises
    OSError if the disk is full or broken.
    """
    if sys.platform == "darwin":
        _carry_on_a_mac(old, new)
    elif sys.platform == "linux":
        _carry_attributes(old, new)


def _carry_on_a_mac(old: int, new: int) -> None:
    """By fcopyfile(3), which keeps what a list inherits from the folder. When it was made is set by itself: COPYFILE_STAT
    would bring the former time of change along, by which programs see that they have read a note already.
    """
    library = ctypes.CDLL(None, use_errno=True)
    copy = library.fcopyfile
    copy.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint32)
    _unless_lost(copy(old, new, None, _ACL | _ATTRIBUTES))
    wanted, found = (
        _AttributeList(bitmapcount=5, commonattr=_BIRTH),
        ctypes.create_string_buffer(_LENGTH + _TIMESPEC),
    )
    types = (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_ulong)
    read, write = library.fgetattrlist, library.fsetattrlist
    read.argtypes = write.argtypes = types
    if read(old, ctypes.byref(wanted), ctypes.byref(found), len(found), 0) == 0:
        _unless_lost(write(new, ctypes.byref(wanted), ctypes.byref(found, _LENGTH), _TIMESPEC, 0))


def unlist(fd: int) -> None:
    """Take a file of ours its access-control list, where one can keep its owner from removing it (macOS: "deny delete")."""
    if sys.platform == "darwin":
        library = ctypes.CDLL(None, use_errno=True)
        library.acl_init.restype = ctypes.c_void_p
        library.acl_set_fd_np.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
        library.acl_free.argtypes = (ctypes.c_void_p,)
        if empty := library.acl_init(1):
            library.acl_set_fd_np(fd, empty, _EXTENDED)
            library.acl_free(empty)


def _unless_lost(result: int) -> None:
    number = ctypes.get_errno()
    if result != 0 and number in LOST:
        raise OSError(number, os.strerror(number))


if sys.platform == "linux":

    def _carry_attributes(old: int, new: int) -> None:
        """Those that are a person's and their programs' (xattr(7), "user"); the system gives each file its own."""
        try:
            for name in os.listxattr(old):
                if name.startswith("user."):
                    os.setxattr(new, name, os.getxattr(old, name))
        except OSError as error:
            if error.errno in LOST:
                raise
