"""Atomic and durable writing of files and folders, never through a symbolic link; all of nearby writes with it.

A file is written under a temporary name in the same folder, made durable, and renamed once. Its writer locks the
temporary file (`encoders.file_lock`); a later writer of the same path removes temporary files without a lock, which
killed writers have left.
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
#: On a file system without locks, a temporary file that has not changed for this time is abandoned.
ABANDONED_SECONDS = 7 * 24 * 3600
#: Longer names are shortened in temporary names: file systems allow 255 bytes.
_MAX_STEM_BYTES = 100
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = READ_FLAGS | getattr(os, "O_DIRECTORY", 0)


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a new file that replaces `path` when the block succeeds; create its folder if necessary.

    A symbolic link at `path` is replaced, not followed. After any failure, `path` is unchanged.

    Raises
    ------
    OSError
        From the operating system.
    """
    with atomic_path(path) as temporary, temporary.open("r+b") as file:
        yield file


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield the path of a new, empty file that replaces `path`, for libraries that open files by name.

    See `atomic_file`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path)
    temporary, descriptor = _create_locked(path, lambda new: os.open(new, _NEW, 0o666))
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
    """Yield a temporary folder beside `target` that replaces it when the block succeeds.

    The two folders are exchanged in one step if the system supports it, so a kill at any moment leaves the old folder
    or the new one. Otherwise the old folder is first renamed; `recovered` can restore it.

    Raises
    ------
    ArtifactError
        When the folder cannot be written; `target` is then unchanged.
    """
    from safetensors import SafetensorError

    try:
        absolute = target if target.name not in ("", "..") else Path(os.path.abspath(target))
        with temporary_folder(absolute) as temporary:
            yield temporary
            for path in (*temporary.rglob("*"), temporary):
                fsync(path)
            recovered(absolute)
            _replace(temporary, absolute)
            fsync(absolute.parent)
    except (OSError, SafetensorError) as error:  # SafetensorError if the disk is full
        reason = getattr(error, "strerror", None) or error
        raise ArtifactError(f"cannot write {target}: {reason}; nothing was changed") from error


@contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder beside `target` with a temporary name, and remove it afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    temporary, descriptor = _create_locked(target, _new_folder)
    try:
        yield temporary
    finally:
        _remove(temporary)
        os.close(descriptor)


def remove_at_once(path: Path) -> None:
    """Remove a folder or file atomically: a kill leaves all of it, or a temporary folder that the next run removes.

    For a symbolic link, the link is removed, not its target.
    """
    sweep(path)
    temporary = path.with_name(_temporary_name(path, TEMPORARY))
    with suppress(FileNotFoundError):
        os.rename(path, temporary)
        _remove(temporary)


def recovered(target: Path) -> None:
    """Restore the old folder at `target` if a writer was killed between its two renames."""
    if not os.path.lexists(target):
        _restore_old(target, _leftovers_of(target))


def sweep(target: Path) -> None:
    """Remove temporary files that killed writers of `target` have left, but never those of a running writer."""
    leftovers = _leftovers_of(target)
    _restore_old(target, leftovers)
    for path in leftovers:
        with suppress(OSError), _locked(path) as free:
            if free:
                _remove(path)


def sweep_inside(folder: Path) -> None:
    """Remove the temporary files that killed writers have left in a folder."""
    for path in _entries(folder):
        if is_temporary(path):
            with suppress(OSError), _locked(path) as free:
                if free and path.suffix == f".{TEMPORARY}":
                    _remove(path)


def is_temporary(path: Path, target: str | None = None) -> bool:
    """Return whether a path has a temporary name of this module.

    Examples
    --------
    >>> is_temporary(Path(".CURRENT.0123456789ab.tmp"), "CURRENT"), is_temporary(Path(".CURRENT"))
    (True, False)
    """
    stem = ".+" if target is None else re.escape(_stem(target))
    return re.fullmatch(rf"\.{stem}\.[0-9a-f]{{12}}\.({TEMPORARY}|{OLD})", path.name) is not None


def fsync(path: Path) -> None:
    """Make the content of a file or folder durable; do nothing for a symbolic link."""
    if path.is_symlink():
        return
    descriptor = os.open(path, READ_FLAGS)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON in UTF-8."""
    with atomic_file(path) as file:
        file.write(f"{json.dumps(value, indent=1, ensure_ascii=False)}\n".encode())


def _replace(temporary: Path, target: Path) -> None:
    """Move a folder to `target`; an older folder there is then at `temporary`, or removed."""
    if not os.path.lexists(target):
        os.rename(temporary, target)
    elif not exchange(temporary, target):
        old = target.with_name(_temporary_name(target, OLD))
        with _locked(target):  # so that no other process restores it before the new folder is there
            os.rename(target, old)
            try:
                os.rename(temporary, target)
            except BaseException:
                os.rename(old, target)
                raise
            _remove(old)


def _create_locked(target: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Create a file or folder with a temporary name beside `target` and lock it; `make` returns its descriptor."""
    while True:
        temporary = target.with_name(_temporary_name(target, TEMPORARY))
        with suppress(FileExistsError, FileNotFoundError):  # another process may remove it before it is locked
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
def _locked(path: Path) -> Iterator[bool]:
    """Lock a temporary file like its writer; yield whether no other process holds the lock."""
    if path.is_symlink():
        yield True  # nearby never creates a symbolic link
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


def _leftovers_of(target: Path) -> list[Path]:
    return [path for path in _entries(target.parent) if is_temporary(path, target.name)]


def _entries(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in sorted(os.listdir(folder))]
    except OSError:  # the writer reports the error
        return []


def _restore_old(target: Path, leftovers: list[Path]) -> None:
    for old in leftovers:
        if old.suffix == f".{OLD}" and not os.path.lexists(target):
            with suppress(OSError), _locked(old) as free:
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


def link(source: Path, target: Path) -> None:
    """Hard-link one file, or copy it where the file system has no links.

    What a symbolic link names is copied: its owner may change or remove it.
    """
    with suppress(OSError):
        if not source.is_symlink():
            os.link(source, target)
            return
    shutil.copy2(source, target)
