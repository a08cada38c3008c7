"""Files that a user asked for: written beside their place, then renamed, so that a full disk leaves no half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import ArtifactError


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that takes the place of `path` when the block succeeds; its folder is made.

    Raises
    ------
    ArtifactError
        When it cannot be written; what was there is then untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # a device or pipe is written to, not replaced
            with path.open("wb") as file:
                yield file
            return
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), 0o644)  # mkstemp makes files that only their owner reads
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {error.strerror or error}; nothing was changed") from error


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """Write an array as a ``.npy`` file."""
    with writing(path) as file:
        np.save(file, array, allow_pickle=False)
