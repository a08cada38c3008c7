"""Advisory locks on open files (flock): the system releases them when their process ends, however it ends."""

from __future__ import annotations

import errno
import os
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

#: What flock answers when another process holds the lock.
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})
#: Opened so that a symbolic link is refused and a named pipe does not block.
READ_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def try_lock(descriptor: int, shared: bool = False) -> bool | None:
    """Lock an open file or folder without waiting.

    Parameters
    ----------
    descriptor : int
        The lock ends when this is closed.
    shared : bool
        Share the lock with others that share it, as readers do.

    Returns
    -------
    bool or None
        True when the lock is held now, False when another process holds it, None where the system or the file system
        (some network file systems) has no such locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _HELD else None
    return True
