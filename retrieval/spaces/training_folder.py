"""The folder beside an encoder's own that holds its training until the training ends: locked, resumable, removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from encoders.artifact import read_json
from encoders.atomic_write import is_temporary, recovered, remove_at_once, sweep, sweep_inside, write_json
from encoders.errors import ArtifactError, CollectionError, OptionError, TrainingError
from encoders.plain_file import entries_below
from retrieval.spaces.fit import checkpoints
from retrieval.spaces.space_encoder import is_saved

#: The file that says what is trained, on which corpus; and the lock of the process that trains.
IDENTITY, LOCK = "plan.json", "lock"


class TrainingFolder:
    """The folder ``NAME.work`` beside an encoder's folder ``NAME``.

    Parameters
    ----------
    folder : Path
        The folder of the encoder; nothing is written there until the training has ended.

    Raises
    ------
    OptionError
        When the folder cannot become that of an encoder.
    """

    #: What the user chooses a folder for.
    product = "encoder"

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.normpath(folder))
        self.work = self.folder.with_name(f"{self.folder.name}.work") if self.folder.name else self.folder
        self._require_usable(folder)

    def _require_usable(self, folder: Path) -> None:
        """Refuse a folder where the encoder cannot be written."""
        recovered(self.folder)
        if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
            what = "a link that leads nowhere" if folder.is_symlink() else "a file"
            raise OptionError(f"{folder} is {what}: choose a new folder for the encoder")
        if folder.is_dir() and any(folder.iterdir()) and not is_saved(folder):
            raise OptionError(f"{folder} holds other files: choose a new folder for the encoder")
        if self.folder.name in ("", ".."):
            raise OptionError(f"{folder} has no name, so its training has no folder beside it: choose a new folder")

    @property
    def unfinished(self) -> bool:
        """Whether it holds a training that can be resumed."""
        return any(not is_temporary(path.parent) for path in checkpoints(self.work))

    def remains(self) -> str:
        """Say what a stopped training leaves."""
        if not self.unfinished:
            return "no epoch was finished, so nothing is kept"
        return f"the finished epochs are kept in {self.work}: the same command with --resume continues"

    def require_free(self, identity: dict[str, str], resume: bool, fresh: bool) -> None:
        """Refuse a training before any work when its folder holds something that the user has not decided about.

        Parameters
        ----------
        identity : dict
            ``spec``, ``fixed`` (the options that a resumed training cannot change) and ``corpus`` (its digest).
        resume, fresh : bool
            Continue the training that is there; replace the training or encoder that is there.

        Raises
        ------
        OptionError, TrainingError
        """
        if resume and fresh:
            raise OptionError("--resume continues a training, --fresh starts over: leave one of them out")
        sweep(self.folder)
        sweep(self.work)
        self.require_made_by_nearby()
        if fresh:
            return
        if self.unfinished and not resume:
            raise TrainingError(
                f"{self.work} holds an unfinished training: continue it with --resume, or start over with --fresh"
            )
        if self.unfinished:
            self._require_same(identity)
        elif is_saved(self.folder):
            raise OptionError(f"{self.folder} holds a trained encoder: replace it with --fresh, or choose a new folder")

    def require_made_by_nearby(self) -> None:
        """Refuse a folder that nearby did not make: everything in it is removed when the training ends.

        Raises
        ------
        OptionError
        """
        if not (self.work.exists() or self.work.is_symlink()):
            return
        if not self.work.is_symlink() and self.work.is_dir() and self._is_made_by_nearby():
            link = next((entry for entry in entries_below(self.work) if entry.is_symlink()), None)
            if link is None:
                return
            raise OptionError(f"{link.path} is a symbolic link, and nothing is written through one: move it away")
        raise OptionError(
            f"nearby keeps the training in {self.work}, which holds something else: choose another folder for the "
            f"{self.product}, or move that away"
        )

    def _is_made_by_nearby(self) -> bool:
        """Return whether nearby made it: it holds the identity of a training, or only what is written before that."""
        names = {path.name for path in self.work.iterdir() if not is_temporary(path)}
        return IDENTITY in names or names <= {LOCK}

    def _require_same(self, identity: dict[str, str]) -> None:
        stored = read_json(self.work / IDENTITY, "the folder of a training")
        if any(stored.get(key) != identity[key] for key in ("fixed", "corpus")):
            of = f"of '{stored.get('spec')}'" if stored.get("fixed") != identity["fixed"] else "on another corpus"
            raise TrainingError(
                f"{self.work} holds an unfinished training {of}: --resume can only change epochs, minutes, "
                "learning-rate, patience and batch-size; start over with --fresh"
            )

    @contextmanager
    def locked(self, identity: dict[str, str], fresh: bool = False) -> Iterator[Path]:
        """Yield the folder, for this process alone; remove it when the block succeeds, or leaves no checkpoint.

        With `fresh`, what an earlier training left is removed first.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.work / LOCK)
        with self._write_errors():
            self.work.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise CollectionError(
                    f"another process is training in {self.work}: wait, or choose a new folder"
                ) from None
        try:
            with self._write_errors():
                self._clear(fresh)
                write_json(self.work / IDENTITY, identity)
            yield self.work
        except BaseException:
            if not self.unfinished:
                remove_at_once(self.work)
            raise
        else:
            self._remove_done()
        finally:
            lock.release()

    def _remove_done(self) -> None:
        """Remove what the block that has succeeded needed."""
        remove_at_once(self.work)  # in one step: half of it, after a kill, would be no training to resume

    def _clear(self, fresh: bool) -> None:
        """Remove what killed trainings left half-written and, with `fresh`, their checkpoints."""
        sweep_inside(self.work)
        if fresh:
            for path in list(self.work.iterdir()):
                if path.name not in (IDENTITY, LOCK):
                    remove_at_once(path)
            (self.work / IDENTITY).unlink(missing_ok=True)  # last: it marks the folder as nearby's

    @contextmanager
    def _write_errors(self) -> Iterator[None]:
        """Turn an error of the system into one that says what cannot be written, and what to do."""
        try:
            yield
        except OSError as error:
            raise ArtifactError(
                f"cannot write {self.work}: {error.strerror or error}; choose another folder for the {self.product}"
            ) from error
