"""Generations of a folder: every write makes a new one, under a lock, and one atomic rename makes it visible.

Readers pin the generation that they read; it is removed only when no reader has it.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from encoders.artifact import MANIFEST
from encoders.atomic_write import atomic_file, fsync, is_temporary, link, remove_at_once, sweep_inside
from encoders.errors import ArtifactError, CollectionError, closest, one_line
from encoders.plain_file import entries_below
from retrieval.collection.pin import Pin, remove_unread

POINTER, LOCK, GENERATIONS, DRAFT = "CURRENT", "lock", "generations", ".draft"
#: The folder of encoders that are being fitted.
WORK = "work"
#: Inside it, where codes of items that are being added are kept.
ADDED = "added"
#: Number of the newest generations that are kept even without known readers: on file systems without locks, readers are
#: unknown, and a reader that has just read the pointer must find its generation.
KEEP_GENERATIONS = 2
#: Seconds that a writer waits for another writer.
LOCK_SECONDS = 10.0
#: Largest number of files beside a missing collection whose names are compared with its name.
_COMPARED = 1_000


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
        """Return the folder of the current generation; None if there is none yet.

        Raises
        ------
        ArtifactError
            When the pointer names a generation that does not exist.
        """
        present = self._named()
        if present is not None and not present.is_dir():
            raise self._missing(present)
        return present

    def pinned(self) -> Pin | None:
        """Return the current generation, pinned so that it stays while it is read; None if there is none yet.

        Raises
        ------
        ArtifactError
            When the pointer names a generation that does not exist, or that cannot be read.
        """
        seen: Path | None = None
        while True:
            present = self._named()
            if present is None:
                return None
            try:
                return Pin(present)
            except FileNotFoundError:
                if present == seen:  # named twice, so it was not removed by a writer in between
                    raise self._missing(present) from None
                seen = present
            except OSError as error:
                raise ArtifactError(f"{present} cannot be read: {error.strerror}") from None

    def _named(self) -> Path | None:
        """Return the folder that the pointer names, whether or not it is there."""
        pointer = self.folder / POINTER
        try:
            text = pointer.read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ArtifactError(f"{pointer} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise ArtifactError(f"{pointer} is corrupt: {error}") from None
        name, _, check = text.partition(" ")
        if not name.isdecimal() or check not in ("", _check_of(name)):  # an older nearby wrote none
            raise ArtifactError(f"{pointer} is corrupt: it names '{one_line(text[:40])}', which is not a generation")
        return self.folder / GENERATIONS / name

    def _missing(self, present: Path) -> ArtifactError:
        if present.is_dir():
            return ArtifactError(f"{present} is incomplete: it has no {MANIFEST}")
        return ArtifactError(
            f"{self.folder / POINTER} is corrupt: it names '{one_line(present.name[:40])}', which is not a generation"
        )

    def why_none(self) -> str:
        """Return a sentence that says what the folder is instead of a collection, and what to do."""
        if self.folder.exists() and not self.folder.is_dir():
            return f"{self.folder} is a file, not a collection: give the folder that  nearby index ... -o FOLDER  made"
        if self.foreign():
            return f"{self.folder} is a folder, but not a collection: give one that  nearby index ... -o FOLDER  made"
        state = "is empty" if self.folder.is_dir() else "does not exist"
        similar = None if self.folder.exists() else self._similar()
        if similar is not None:
            return f"{self.folder} does not exist; did you mean '{similar}'?"
        return f"{self.folder} {state}: make a collection with  nearby index CORPUS -s SPACE -o {self.folder}"

    def _similar(self) -> Path | None:
        """Return a collection beside this folder with a similar name."""
        try:
            beside = [path.name for path in islice(self.folder.parent.iterdir(), _COMPARED) if is_collection(path)]
        except (OSError, ValueError):
            return None
        name = closest(self.folder.name, beside)
        return None if name is None else self.folder.with_name(name)

    def foreign(self) -> bool:
        """Return whether the folder holds files of others, apart from those that a killed first write leaves."""
        if not self.folder.is_dir():
            return False
        nearby_names = {GENERATIONS, LOCK, WORK, f".{POINTER}"}
        return any(path.name not in nearby_names and not is_temporary(path) for path in self.folder.iterdir())

    @contextmanager
    def draft(self, on_published: Callable[[], None] = lambda: None) -> Iterator[Path]:
        """Yield an empty folder that becomes the current generation when the block succeeds.

        Until then, or if the process is killed, readers see the previous generation. `on_published` is called
        afterwards, before another process may write.

        Raises
        ------
        CollectionError
            When another process is writing, or the disk is full or read-only; nothing is changed then.
        """
        made = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.refuse_links()
            with self.locked():
                first = self.current() is None
                draft = self.folder / GENERATIONS / DRAFT
                for folder in (self.folder, draft.parent, self.folder / WORK):
                    sweep_inside(folder)
                shutil.rmtree(draft, ignore_errors=True)  # what a killed writer left
                try:
                    draft.mkdir(parents=True)
                    yield draft
                    self._publish(draft)
                    on_published()
                finally:
                    shutil.rmtree(draft, ignore_errors=True)
                    if first and self.current() is None:
                        self._clear(made)
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise CollectionError(f"cannot write to {self.folder}: {reason}; what was there is unchanged") from error

    def withdraw(self, number: int) -> None:
        """Remove all generations, if this one is still the newest."""
        with self.locked():
            present = self.current()
            if present is not None and int(present.name) == number:
                self._clear(True)

    def _clear(self, made: bool) -> None:
        """Remove the files of a writer, and the folder if the writer `made` it."""
        (self.folder / POINTER).unlink(missing_ok=True)
        shutil.rmtree(self.folder / GENERATIONS, ignore_errors=True)
        for path in list(self.folder.iterdir()):
            if path.name in (f".{POINTER}", LOCK) or is_temporary(path, POINTER):
                path.unlink(missing_ok=True)
        if made:
            with suppress(OSError):  # the folder holds something else
                self.folder.rmdir()

    def _publish(self, draft: Path) -> None:
        for path in (draft, *draft.rglob("*")):
            fsync(path)
        present = self.current()
        number = 1 if present is None else int(present.name) + 1
        final = draft.with_name(f"{number:06}")
        remove_at_once(final)  # complete, but never current: its writer was killed before the rename
        draft.rename(final)
        fsync(final.parent)
        (self.folder / f".{POINTER}").unlink(missing_ok=True)  # an older nearby left it
        with atomic_file(self.folder / POINTER) as pointer:
            pointer.write(f"{final.name} {_check_of(final.name)}\n".encode("ascii"))
        for old in sorted(final.parent.iterdir()):
            if old.name.isdecimal() and int(old.name) <= number - KEEP_GENERATIONS:
                remove_unread(old)

    def refuse_links(self) -> None:
        """Refuse to write where a symbolic link leads elsewhere."""
        inside = [self.folder / name for name in (GENERATIONS, LOCK, WORK)]
        for path in (*inside, *(self.folder / WORK).rglob("*")):
            if path.is_symlink():
                raise CollectionError(f"{path} is a symbolic link, and nothing is written through one: move it away")

    @contextmanager
    def locked(self, wait: bool = True) -> Iterator[None]:
        """Keep other processes from writing; with `wait`, wait until one that is writing is done.

        Raises
        ------
        CollectionError
            When another process is still writing.
        OSError
            When the lock cannot be opened.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=LOCK_SECONDS if wait else 0)
        except Timeout:
            raise CollectionError(f"another process is writing to {self.folder}: try again when it is done") from None
        try:
            yield
        finally:
            lock.release()


def _check_of(name: str) -> str:
    """Return a checksum of the name in the pointer: with a flipped bit, it could name an older generation."""
    return hashlib.sha256(name.encode("ascii")).hexdigest()[:8]


def is_collection(folder: str | Path) -> bool:
    """Return whether a folder holds a collection."""
    try:
        return (Path(folder) / POINTER).is_file()
    except OSError:
        return False


def files_below(folder: Path) -> Iterator[Path]:
    """Name every plain file below a folder.

    Raises
    ------
    ArtifactError
        When a folder cannot be read.
    """
    try:
        yield from (Path(entry.path) for entry in entries_below(folder) if entry.is_file(follow_symlinks=False))
    except OSError as error:
        raise ArtifactError(f"{error.filename or folder} cannot be read: {error.strerror or error}") from None


def link_tree(source: Path, target: Path) -> None:
    """Give a folder's files a second name each, without copying them; they are never changed in place."""
    target.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_symlink():
            raise ArtifactError(f"{path} is a symbolic link, which nearby makes none of: index the corpus again")
        if path.is_dir():
            copy.mkdir(exist_ok=True)
        else:
            link(path, copy)
