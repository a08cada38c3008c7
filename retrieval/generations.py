"""Generations of a folder: every write is a new one, made visible by one atomic rename, under a lock."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from encoders.artifact import fsync
from encoders.errors import ArtifactError, CollectionError

POINTER, LOCK, GENERATIONS, DRAFT = "CURRENT", "lock", "generations", ".draft"
#: Where encoders lie while they are fitted.
WORK = "work"
#: A reader that has just read the pointer still finds the generation it names.
KEPT = 2
#: A writer waits so long for another before it gives up.
LOCK_SECONDS = 2.0


class Generations:
    """The generations in one folder.

    Parameters
    ----------
    folder : Path
        Holds ``CURRENT`` (the number of the generation that is read), ``lock`` and ``generations/``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> Path | None:
        """Return the folder of the present generation, None where there is none yet.

        Raises
        ------
        ArtifactError
            When the pointer names none.
        """
        pointer = self.folder / POINTER
        try:
            text = pointer.read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{pointer} cannot be read: {error}") from None
        found = self.folder / GENERATIONS / text
        if not text.isdecimal() or not found.is_dir():
            raise ArtifactError(f"{pointer} is corrupt: it names '{text[:40]}', which is no generation")
        return found

    def why_none(self) -> str:
        """Say what lies where a generation was expected, and what to do."""
        if self.folder.exists() and not self.folder.is_dir():
            return f"{self.folder} is a file, no collection: give the folder that  nearby index ... -o FOLDER  has made"
        if self.foreign():
            return f"{self.folder} is a folder, but no collection: give one that  nearby index ... -o FOLDER  has made"
        found = "is empty" if self.folder.is_dir() else "does not exist"
        return f"{self.folder} {found}: make a collection with  nearby index CORPUS -s SPACE -o {self.folder}"

    def foreign(self) -> bool:
        """Tell whether the folder holds anything but what a killed first write leaves."""
        if not self.folder.is_dir():
            return False
        return any(path.name not in {GENERATIONS, LOCK, WORK, f".{POINTER}"} for path in self.folder.iterdir())

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Yield an empty folder that becomes the present generation when the block succeeds.

        Until then, and for ever if the process is killed, readers see the generation before.

        Raises
        ------
        CollectionError
            When another process is writing, or the disk refuses (full, read-only): nothing was changed.
        """
        made = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                first = self.current() is None
                draft = self.folder / GENERATIONS / DRAFT
                shutil.rmtree(draft, ignore_errors=True)  # what a killed writer left
                try:
                    draft.mkdir(parents=True)
                    yield draft
                    self._publish(draft)
                finally:
                    shutil.rmtree(draft, ignore_errors=True)
                    if first and self.current() is None:
                        self._clear(made)
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise CollectionError(f"cannot write to {self.folder}: {reason}; what was there is unchanged") from error

    def withdraw(self, present: Path) -> None:
        """Remove a first generation that turned out useless, unless it is no longer the present one."""
        with self._locked():
            if self.current() == present:
                self._clear(True)

    def _clear(self, made: bool) -> None:
        """Remove what a writer makes; the folder too where it was `made` for it."""
        (self.folder / POINTER).unlink(missing_ok=True)
        shutil.rmtree(self.folder / GENERATIONS, ignore_errors=True)
        for name in (f".{POINTER}", LOCK):
            (self.folder / name).unlink(missing_ok=True)
        if made:
            with suppress(OSError):  # something else lies there
                self.folder.rmdir()

    def _publish(self, draft: Path) -> None:
        for path in (draft, *draft.rglob("*")):
            fsync(path)
        present = self.current()
        number = 1 if present is None else int(present.name) + 1
        final = draft.with_name(f"{number:06}")
        shutil.rmtree(final, ignore_errors=True)  # complete, but never pointed at: its writer was killed in between
        draft.rename(final)
        fsync(final.parent)
        temporary = self.folder / f".{POINTER}"
        temporary.write_text(f"{final.name}\n", encoding="ascii")
        fsync(temporary)
        temporary.replace(self.folder / POINTER)
        fsync(self.folder)
        for old in sorted(self.folder.joinpath(GENERATIONS).glob("[0-9]*")):
            if int(old.name) <= number - KEPT:
                shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except Timeout:
            raise CollectionError(f"another process is writing to {self.folder}: try again when it is done") from None
        try:
            yield
        finally:
            lock.release()


def is_collection(folder: str | Path) -> bool:
    """Tell whether a folder holds a collection."""
    try:
        return (Path(folder) / POINTER).is_file()
    except OSError:
        return False


def files_below(folder: Path) -> Iterator[Path]:
    """Name every file below a folder; however deep, none is on Python's stack."""
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.is_file():
                    yield Path(entry.path)


def link_tree(source: Path, target: Path) -> None:
    """Give a folder's files a second name each, without copying them; they are never changed in place."""
    target.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(exist_ok=True)
        else:
            link(path, copy)


def link(source: Path, target: Path) -> None:
    """Hard-link one file, or copy it where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
