"""Output files that the user names: written completely or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from encoders.atomic_write import atomic_file
from encoders.errors import ArtifactError, OptionError
from encoders.sound import Sound, sound_library


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that replaces `path` when the block succeeds; its folder is made.

    A device or pipe is written to, not replaced.

    Raises
    ------
    ArtifactError
        When it cannot be written, or `path` is a symbolic link to a file; an existing file is then unchanged.
    """
    try:
        if is_stream(path):
            with path.open("wb") as file:
                yield file
            return
        if path.is_symlink():
            raise ArtifactError(f"{path} is a symbolic link, and nothing is written through one: name another file")
        with atomic_file(path) as file:
            yield file
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {error.strerror or error}; nothing was changed") from error


def require_other_file(path: Path, *sources: str | Path) -> None:
    """Refuse to write over what is read: the same file, also through a link, or a file in the same folder of data.

    Parameters
    ----------
    path : Path
        The output.
    *sources : str or Path
        Paths, addresses of a corpus, or queries, which may be texts.

    Raises
    ------
    OptionError
    """
    if not path.exists() or is_stream(path):
        return
    for source in sources:
        for name in (str(source), str(source).partition("?")[0]):
            if _holds(Path(name), path):
                raise OptionError(f"{path} is the data that is read, and would be lost: write to another file with -o")


def _holds(source: Path, path: Path) -> bool:
    try:
        source = source.expanduser()
        if not source.exists():
            return False
        return path.samefile(source) or (source.is_dir() and path.resolve().is_relative_to(source.resolve()))
    except (OSError, RuntimeError, ValueError):  # a text that is no path: too long, or with an unknown home
        return False


def is_stream(path: Path) -> bool:
    """Return whether a path is a device, a pipe or a socket, also through a symbolic link such as ``/dev/stdout``."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def is_writable(folder: Path) -> bool:
    """Return whether files can be written to a folder, which may not exist yet."""
    existing = next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)
    return os.access(existing, os.W_OK | os.X_OK)


def write_npy(path: Path, array: NDArray[Any]) -> None:
    """Write an array as a ``.npy`` file."""
    with writing(path) as file:
        np.save(file, array, allow_pickle=False)


def write_wav(path: Path, sounds: Sequence[Sound]) -> None:
    """Write sounds of one rate as a WAV of 16 bits, one after another; half a second of silence separates them.

    Raises
    ------
    ArtifactError
        See `writing`.
    MissingLibraryError
        When soundfile is not installed.
    """
    rate = sounds[0].rate
    pause = np.zeros(rate // 2, np.int16)
    parts = [part for sound in sounds for part in (sound.samples, pause)][:-1]
    with writing(path) as file:
        sound_library("soundfile").write(file, np.concatenate(parts), rate, format="WAV", subtype="PCM_16")
