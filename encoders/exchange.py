"""Atomic exchange of two paths, which the module ``os`` does not have."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

#: Linux: renameat2(2), flag RENAME_EXCHANGE; macOS: renamex_np(2), flag RENAME_SWAP. Both are 2.
_EXCHANGE = 2
_AT_FDCWD = -100
#: The system or the file system cannot exchange names.
_CANNOT = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})


def exchange(one: Path, other: Path) -> bool:
    """Exchange the files or folders at two paths atomically; return False, unchanged, if the system cannot do it.

    Raises
    ------
    OSError
        From the operating system, e.g. when one of the two does not exist.
    """
    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(*names, ctypes.c_uint(_EXCHANGE))
        else:
            failed = library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_EXCHANGE))
    except (AttributeError, OSError, TypeError):  # a C library without it, or none (Windows)
        return False
    if not failed:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))
