"""The one writer of files and folders: all or nothing, durable, never through a symbolic link.

What is written gets a temporary name beside its place, is made durable, and takes its place by one rename. A temporary
is locked by its writer (`encoders.file_lock`); whoever writes to the same place later removes those that nobody locks,
which killed writers have left.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from encoders.errors import ArtifactError
from encoders.exchange import exchange
from encoders.file_lock import READ_FLAGS, try_lock

TEMPORARY, OLD = "tmp", "old"
#: Where the file system has no locks, a temporary that nobody has touched for so long belongs to nobody.
ABANDONED_SECONDS = 7 * 24 * 3600
#: Longer names are shortened in temporary names: a file system allows 255 bytes.
_MAX_STEM_BYTES = 100
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = READ_FLAGS | getattr(os, "O_DIRECTORY", 0)


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a new file that takes the place of `path` when the block succeeds; its folder is made.

    A symbolic link at `path` is replaced, not followed. On any failure what was at `path` is what it was.

    Raises
    ------
    OSError
        As the system says it.
    """
    with atomic_path(path) as temporary, temporary.open("r+b") as file:
        yield file


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield the name of a new, empty file that takes the place of `path`: for libraries that write by name.

    See `atomic_file`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path)
    temporary, descriptor = _claimed(path, lambda new: os.open(new, _NEW, 0o666))
    try:
        yield temporary
        fsync(temporary)
        os.replace(temporary, path)
        fsync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target` that takes its place when the block succeeds.

    An older folder at `target` is exchanged for it in one step where the system can, so that a kill at any moment
    leaves the old folder or the new one; elsewhere it is renamed away first, and `recovered` brings it back.

    Raises
    ------
    ArtifactError
        When it cannot be written; `target` is then what it was.
    """
    from safetensors import SafetensorError

    try:
        place = target if target.name not in ("", "..") else Path(os.path.abspath(target))
        with temporary_folder(place) as temporary:
            yield temporary
            for path in (*temporary.rglob("*"), temporary):
                fsync(path)
            recovered(place)
            _take_place(temporary, place)
            fsync(place.parent)
    except (OSError, SafetensorError) as error:  # the latter where the disk was full
        reason = getattr(error, "strerror", None) or error
        raise ArtifactError(f"cannot write {target}: {reason}; nothing was changed") from error


@contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder beside `target`, under a temporary name, and remove what is there afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    temporary, descriptor = _claimed(target, _new_folder)
    try:
        yield temporary
    finally:
        _remove(temporary)
        os.close(descriptor)


def remove_at_once(path: Path) -> None:
    """Remove a folder or file in one step: a kill leaves all of it, or only a temporary that the next run removes.

    A symbolic link is removed, not what it leads to.
    """
    sweep(path)
    doomed = path.with_name(_temporary_name(path, TEMPORARY))
    with suppress(FileNotFoundError):
        os.rename(path, doomed)
        _remove(doomed)


def recovered(target: Path) -> None:
    """Bring back a folder that a killed writer has renamed away, where it had no time to put the new one there."""
    if not os.path.lexists(target):
        _bring_back(target, _left_beside(target))


def sweep(target: Path) -> None:
    """Remove what killed writers of `target` have left beside it, never what a living one is writing."""
    left = _left_beside(target)
    _bring_back(target, left)
    for path in left:
        with suppress(OSError), _held(path) as free:
            if free:
                _remove(path)


def sweep_inside(folder: Path) -> None:
    """Do as `sweep` for everything that was to be written in a folder."""
    for path in _entries(folder):
        if is_temporary(path):
            with suppress(OSError), _held(path) as free:
                if free and path.suffix == f".{TEMPORARY}":
                    _remove(path)


def is_temporary(path: Path, target: str | None = None) -> bool:
    """Tell whether a name is one that this module gives to what is being written, or was when its writer was killed.

    Examples
    --------
    >>> is_temporary(Path(".CURRENT.0123456789ab.tmp"), "CURRENT"), is_temporary(Path(".CURRENT"))
    (True, False)
    """
    stem = ".+" if target is None else re.escape(_stem(target))
    return re.fullmatch(rf"\.{stem}\.[0-9a-f]{{12}}\.({TEMPORARY}|{OLD})", path.name) is not None


def fsync(path: Path) -> None:
    """Make a file or folder's content durable; one that is a symbolic link is left alone."""
    if path.is_symlink():
        return
    descriptor = os.open(path, READ_FLAGS)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write JSON for people: indented, unicode as it is."""
    with atomic_file(path) as file:
        file.write(f"{json.dumps(value, indent=1, ensure_ascii=False)}\n".encode())


def _take_place(temporary: Path, target: Path) -> None:
    """Put a folder where another one may be; `temporary` then holds the older one, if anything."""
    if not os.path.lexists(target):
        os.rename(temporary, target)
    elif not exchange(temporary, target):
        old = target.with_name(_temporary_name(target, OLD))
        with _held(target):  # so that nobody brings it back before the new one is there
            os.rename(target, old)
            try:
                os.rename(temporary, target)
            except BaseException:
                os.rename(old, target)
                raise
            _remove(old)


def _claimed(target: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Make something under a temporary name beside `target` and lock it; `make` returns its descriptor."""
    while True:
        temporary = target.with_name(_temporary_name(target, TEMPORARY))
        with suppress(FileExistsError, FileNotFoundError):  # the latter: swept before it was locked
            descriptor = make(temporary)
            if try_lock(descriptor) is not False and _is_at(descriptor, temporary):
                return temporary, descriptor
            os.close(descriptor)
        if not target.parent.is_dir():
            raise FileNotFoundError(2, os.strerror(2), str(target.parent))


def _new_folder(path: Path) -> int:
    os.mkdir(path)
    try:
        return os.open(path, _FOLDER)
    except OSError:  # too many open files
        os.rmdir(path)
        raise


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Lock what a writer would hold; yield whether that was free, so that its writer is gone."""
    if path.is_symlink():
        yield True  # no writer of ours makes one
        return
    descriptor = os.open(path, READ_FLAGS)
    try:
        free = try_lock(descriptor)
        if free is None:
            free = time.time() - os.fstat(descriptor).st_mtime > ABANDONED_SECONDS
        yield free and _is_at(descriptor, path)
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _left_beside(target: Path) -> list[Path]:
    return [path for path in _entries(target.parent) if is_temporary(path, target.name)]


def _entries(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in sorted(os.listdir(folder))]
    except OSError:  # what is wrong with it is said by whoever writes there
        return []


def _bring_back(target: Path, left: list[Path]) -> None:
    for old in left:
        if old.suffix == f".{OLD}" and not os.path.lexists(target):
            with suppress(OSError), _held(old) as free:
                if free and not os.path.lexists(target):
                    os.rename(old, target)


def _temporary_name(target: Path, kind: str) -> str:
    return f".{_stem(target.name)}.{secrets.token_hex(6)}.{kind}"


def _stem(name: str) -> str:
    raw = os.fsencode(name)
    if len(raw) <= _MAX_STEM_BYTES:
        return name
    return f"{raw[:40].decode('ascii', 'ignore')}-{hashlib.sha256(raw).hexdigest()[:16]}"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
