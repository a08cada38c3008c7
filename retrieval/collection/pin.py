"""Pins: a reader pins its generation, so that no writer removes it, in this process or another."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from encoders.artifact import MANIFEST
from encoders.atomic_write import remove_at_once
from encoders.file_lock import READ_FLAGS, try_lock


class Pin:
    """A pinned generation: no writer removes it until the pin is closed or garbage-collected.

    Parameters
    ----------
    folder : Path
        The folder of the generation.

    Raises
    ------
    FileNotFoundError
        When a writer removed it, or is removing it.
    OSError
        When it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor = -1
        # The lock is on the manifest, which every generation has and which can be opened read-only.
        descriptor = os.open(folder / MANIFEST, READ_FLAGS)
        if try_lock(descriptor, shared=True) is False or not os.fstat(descriptor).st_nlink:
            os.close(descriptor)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
        self._descriptor = descriptor

    def close(self) -> None:
        """Release the generation."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    __del__ = close


def remove_unread(generation: Path) -> None:
    """Remove a generation, unless it is pinned; a later writer removes it then."""
    try:
        descriptor = os.open(
            generation / MANIFEST, READ_FLAGS | os.O_RDWR
        )  # NFS locks only files that are open for writing
    except FileNotFoundError:  # it cannot be pinned
        remove_at_once(generation)
        return
    except OSError:  # it belongs to another user
        return
    try:
        if try_lock(descriptor) is not False:
            remove_at_once(generation)
    finally:
        os.close(descriptor)
