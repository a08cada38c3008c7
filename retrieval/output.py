"""Files that a user asked for: all or nothing, so that a full disk leaves no half of one."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from encoders.atomic_write import atomic_file
from encoders.errors import ArtifactError
from encoders.sound import Sound, sound_library


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that takes the place of `path` when the block succeeds; its folder is made.

    A device or pipe is written to, not replaced.

    Raises
    ------
    ArtifactError
        When it cannot be written, or `path` is a symbolic link to a file; what was there is then untouched.
    """
    try:
        if _is_stream(path):
            with path.open("wb") as file:
                yield file
            return
        if path.is_symlink():
            raise ArtifactError(f"{path} is a symbolic link, and nothing is written through one: name another file")
        with atomic_file(path) as file:
            yield file
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {error.strerror or error}; nothing was changed") from error


def _is_stream(path: Path) -> bool:
    """Tell whether a path leads to a device, a pipe or a socket, by a symbolic link too, as ``/dev/stdout`` does."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """Write an array as a ``.npy`` file."""
    with writing(path) as file:
        np.save(file, array, allow_pickle=False)


def write_wav(path: Path, sounds: Sequence[Sound]) -> None:
    """Write sounds of one rate as a WAV of 16 bits, one after another; half a second of silence separates them."""
    rate = sounds[0].rate
    pause = np.zeros(rate // 2, np.int16)
    parts = [part for sound in sounds for part in (sound.samples, pause)][:-1]
    with writing(path) as file:
        sound_library("soundfile").write(file, np.concatenate(parts), rate, format="WAV", subtype="PCM_16")
