"""Advisory locks on open files (flock); the system releases them when the process ends for any reason."""

from __future__ import annotations

import errno
import os
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

#: Error numbers of flock if another process holds the lock.
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})
#: Flags of os.open that refuse a symbolic link and do not block on a named pipe.
READ_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def try_lock(descriptor: int, shared: bool = False) -> bool | None:
    """Lock an open file or folder without waiting.

    Parameters
    ----------
    descriptor : int
        Closing it releases the lock.
    shared : bool
        Share the lock with other shared locks, as readers do.

    Returns
    -------
    bool or None
        True if this process now holds the lock, False if another process does, None if the system or the file
        system (such as some network file systems) has no such locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _HELD else None
    return True
