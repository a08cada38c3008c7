"""Plain files, opened without blocking; a named pipe or a device instead of a file is refused."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def open_plain(path: Path) -> BufferedReader:
    """Open a plain file for reading; symbolic links are followed.

    Raises
    ------
    OSError
        When it is missing or cannot be read, or is not a plain file: a pipe would block, a device never ends.

    Examples
    --------
    >>> open_plain(Path("/dev/zero"))
    Traceback (most recent call last):
    OSError: [Errno 22] it is a device, not a plain file: '/dev/zero'
    """
    # Opening a pipe for reading waits for a writer; O_NONBLOCK does not, and changes nothing for a plain file.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_plain(os.fstat(descriptor).st_mode, path)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def entries_below(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield every file and link below a folder at any depth, without recursion; links are not followed.

    Raises
    ------
    OSError
        When a folder cannot be read.
    """
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    yield entry


def require_plain(path: Path) -> None:
    """Raise as `open_plain` does if a path is not a plain file, for a library that opens the file itself."""
    _require_plain(path.stat().st_mode, path)


def read_plain(path: Path, max_bytes: int | None = None) -> bytes:
    """Return the bytes of a plain file, at most `max_bytes`; raises as `open_plain` does."""
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if max_bytes is not None and size > max_bytes:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than the limit of {max_bytes:,}", str(path))
        return file.read()


def _require_plain(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", str(path))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a plain file", str(path))
