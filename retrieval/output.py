"""Output files that the user names: written completely or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from encoders.atomic_write import atomic_file
from encoders.errors import ArtifactError, OptionError
from encoders.sound import Sound, sound_library

#: The files of the open block of `written_together`; None outside of one.
_together: ContextVar[ExitStack | None] = ContextVar("together", default=None)


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
        together = _together.get()
        with atomic_file(path) if together is None else _held_back(path, together) as file:
            yield file
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {error.strerror or error}; nothing was changed") from error


@contextmanager
def _held_back(path: Path, together: ExitStack) -> Iterator[IO[bytes]]:
    """Yield a file that replaces `path` only when the files that are written together do."""
    file = together.enter_context(atomic_file(path))
    try:
        yield file
        file.flush()
        os.fsync(file.fileno())  # now, so that a full disk is known before any file is replaced
    except BaseException:
        with suppress(OSError):  # what could not be written cannot be written at the end either
            file.close()
        raise


@contextmanager
def written_together() -> Iterator[None]:
    """Let all files that `writing` yields inside the block replace theirs when it succeeds; after a failure, none does.

    Files of a block inside another block replace theirs at the end of the outer one.
    """
    outer = _together.get()
    with ExitStack() as files:
        token = _together.set(files)
        try:
            yield
        finally:
            _together.reset(token)
        if outer is not None:
            outer.enter_context(files.pop_all())


def require_replaceable(folder: Path, *names: str) -> None:
    """Refuse a folder in which something else has the name of a file that is to be written, before any work.

    Parameters
    ----------
    folder : Path
        It may not exist yet.
    *names : str
        Names of files, and of folders with a ``/`` at the end.

    Raises
    ------
    OptionError
        When there is a folder, a link or a device of that name, or the folder itself is a link that leads nowhere.
    """
    if folder.is_symlink() and not folder.exists():
        raise OptionError(f"{folder} is a link that leads nowhere: choose another folder for the report")
    for name in names:
        wrong = _what_else_is(folder / name, name.endswith("/"))
        if wrong:
            raise OptionError(
                f"the report needs the name {folder / name}, which is {wrong}: move it away, or choose another folder"
            )


def _what_else_is(path: Path, as_folder: bool) -> str:
    """Return what has the name of an output and cannot be replaced by it, in words; empty if nothing has."""
    if as_folder:
        return "" if path.is_dir() or not os.path.lexists(path) else "not a folder"
    if path.is_symlink():
        return "a symbolic link"
    return "not a plain file" if path.exists() and not path.is_file() else ""


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
