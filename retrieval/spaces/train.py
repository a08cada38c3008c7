"""One encoder fitted on a corpus and saved by itself, in a training that may be killed: what ``nearby train`` does."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoders.artifact import read_json
from encoders.atomic_write import is_temporary, recovered, remove_at_once, sweep, sweep_inside, write_json
from encoders.base import Encoder
from encoders.errors import ArtifactError, CollectionError, NearbyError, OptionError, TrainingError
from encoders.neural.encoder import NeuralEncoder
from encoders.plain_file import entries_below
from encoders.progress import ProgressCallback, quiet
from encoders.registry import create
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.item_record import items_digest
from retrieval.spaces.build import begun, checkpoints, is_saved, planned
from retrieval.spaces.history import Phase, neural_stages, phases_of

if TYPE_CHECKING:
    from encoders.neural.training_config import History

#: Told the stage, the phase and its history, when a phase begins and after every epoch.
WatchStage = Callable[[NeuralEncoder, str, "History"], None]
PLAN, LOCK = "plan.json", "lock"
_MINUTES = {"s": 1 / 60, "m": 1.0, "h": 60.0}


@dataclass(frozen=True)
class Trained:
    """What a training made, and what that took."""

    folder: Path
    encoder: Encoder
    items: int
    seconds: float
    phases: list[Phase]

    @property
    def as_space(self) -> str:
        """The folder as ``-s`` takes it: with a path where an encoder is called the same."""
        try:
            create(str(self.folder))
        except NearbyError:
            return str(self.folder)
        return f".{os.sep}{self.folder}"

    def line(self) -> str:
        """Return it in one line."""
        told = [f"{self.folder}: {self.encoder}"]
        if self.phases:
            last = self.phases[-1]
            told.append(f"best epoch {last.best_epoch + 1} of {len(last.train_loss)}")
            unit = neural_stages(self.encoder)[-1].loss_unit if last.validation_measure == "loss" else ""
            unit = f" ({unit})" if unit else ""
            told.append(f"validation {last.validation_measure} {last.validation_loss[last.best_epoch]:.4g}{unit}")
        return ", ".join([*told, f"{self.seconds:.1f} s"])

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "folder": str(self.folder),
            "space": str(self.encoder),
            "options": self.encoder.spec(full=True),
            "items": self.items,
            "seconds": self.seconds,
            "phases": [phase.to_json() for phase in self.phases],
        }


class Workplace:
    """The folder beside an encoder's own in which its training is kept until it has ended.

    Parameters
    ----------
    folder : Path
        Where the encoder is to lie; until it is whole nothing is written there.

    Raises
    ------
    OptionError
        When the folder is no place for an encoder.
    """

    def __init__(self, folder: Path) -> None:
        plain = Path(os.path.normpath(folder))
        recovered(plain)
        if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
            what = "a link that leads nowhere" if folder.is_symlink() else "a file"
            raise OptionError(f"{folder} is {what}: choose a new folder for the encoder")
        if folder.is_dir() and any(folder.iterdir()) and not is_saved(folder):
            raise OptionError(f"{folder} holds other files: choose a new folder for the encoder")
        if plain.name in ("", ".."):
            raise OptionError(f"{folder} has no name that its training could lie beside: choose a new folder")
        self.folder = plain
        self.work = plain.with_name(f"{plain.name}.work")

    @property
    def unfinished(self) -> bool:
        """Whether a training lies there that can be gone on with."""
        return any(not is_temporary(path.parent) for path in checkpoints(self.work))

    def left(self) -> str:
        """Say what a training that was stopped has left."""
        if not self.unfinished:
            return "no epoch was finished, nothing is kept"
        return f"the epochs done are kept in {self.work}: the same command with --resume goes on from there"

    def admit(self, identity: dict[str, str], resume: bool, fresh: bool) -> None:
        """Refuse a training whose place is taken, before any work.

        Raises
        ------
        OptionError, TrainingError
            When something lies there and it was not said what is to become of it.
        """
        if resume and fresh:
            raise OptionError("--resume goes on with a training, --fresh begins a new one: leave one of them out")
        sweep(self.folder)
        sweep(self.work)
        self._require_own()
        if fresh:
            return
        if self.unfinished and not resume:
            raise TrainingError(
                f"{self.work} holds an unfinished training: go on with it by --resume, or begin anew by --fresh"
            )
        if self.unfinished:
            self._require_same(identity)
        elif is_saved(self.folder):
            raise OptionError(
                f"{self.folder} holds an encoder, its training has ended: replace it by --fresh, or choose a new folder"
            )

    def _require_own(self) -> None:
        """Refuse a place of work that nearby did not make: all that lies there goes when the training has ended."""
        if not (self.work.exists() or self.work.is_symlink()):
            return
        if not self.work.is_symlink() and self.work.is_dir() and _is_own(list(self.work.iterdir())):
            link = next((entry for entry in entries_below(self.work) if entry.is_symlink()), None)
            if link is None:
                return
            raise OptionError(f"{link.path} is a symbolic link, and nothing is written through one: move it away")
        raise OptionError(
            f"the training would be kept in {self.work}, where something else lies: choose another folder for the "
            "encoder, or move that away"
        )

    def _require_same(self, identity: dict[str, str]) -> None:
        found = read_json(self.work / PLAN, "a training's place of work")
        if any(found.get(key) != identity[key] for key in ("fixed", "corpus")):
            of = f"of '{found.get('spec')}'" if found.get("fixed") != identity["fixed"] else "on another corpus"
            raise TrainingError(
                f"{self.work} holds an unfinished training {of}: --resume may change no more than epochs, minutes, "
                "learning-rate, patience and batch-size; take --fresh to begin anew"
            )

    @contextmanager
    def held(self, identity: dict[str, str], fresh: bool = False) -> Iterator[Path]:
        """Yield the folder, for this process alone; it goes when the block succeeds, or leaves no checkpoint there.

        What an earlier training has left there goes first where this one is to be `fresh`.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.work / LOCK)
        with self._written():
            self.work.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise CollectionError(
                    f"another process is training in {self.work}: wait, or choose a new folder"
                ) from None
        try:
            with self._written():
                self._clear(fresh)
                write_json(self.work / PLAN, identity)
            yield self.work
        except BaseException:
            if not self.unfinished:
                remove_at_once(self.work)
            raise
        else:
            remove_at_once(self.work)  # at once: half of it, left by a kill, would be no training to go on with
        finally:
            lock.release()

    def _clear(self, fresh: bool) -> None:
        """Remove what killed trainings have left half-written and, for a `fresh` one, what they have finished."""
        sweep_inside(self.work)
        if fresh:
            for path in list(self.work.iterdir()):
                if path.name not in (PLAN, LOCK):
                    remove_at_once(path)
            (self.work / PLAN).unlink(missing_ok=True)  # last: by it the folder is known as nearby's

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Say what cannot be written, and what to do."""
        try:
            yield
        except OSError as error:
            raise ArtifactError(
                f"cannot write {self.work}: {error.strerror or error}; choose another folder for the encoder"
            ) from error


def train_encoder(
    corpus: Corpus,
    spec: str,
    folder: Path,
    minutes: float | None = None,
    resume: bool = False,
    fresh: bool = False,
    watch: WatchStage | None = None,
    say: ProgressCallback = quiet,
) -> Trained:
    """Fit an encoder on a corpus and save it.

    Parameters
    ----------
    corpus : Corpus
        Whose ids are unique.
    spec : str
    folder : Path
        Where the encoder is saved, when it is whole.
    minutes : float, optional
        The time that the training by epochs may take, what was spent before a `resume` counted in.
    resume : bool
        Go on with a training that was killed, or whose loss diverged; epochs, minutes, learning rate, patience and
        batch size may be others than before.
    fresh : bool
        Begin anew, whatever training or encoder is there.
    watch : callable, optional
    say : callable
        Told what is being done.

    Raises
    ------
    NearbyError
        When the encoder cannot be had, or its place is taken; what was there is unchanged.
    TrainingError
        When the training cannot go on; the message says how to.
    """
    encoder = budgeted(planned(spec, None, corpus.modality), minutes)
    if encoder.__sklearn_is_fitted__():
        raise OptionError(f"{spec} holds an encoder that is trained already: name a space, as in pixels+deep-ae:64-8")
    place = Workplace(folder)
    count, digest = _read_through(corpus)
    identity = {"spec": str(encoder), "fixed": _fixed_spec(encoder), "corpus": digest}
    place.admit(identity, resume, fresh)
    if resume and not place.unfinished:
        say(f"{place.work} holds no training to go on with: beginning one")
    for stage in neural_stages(encoder):
        stage.new_course = resume
        if watch is not None:
            stage.watch = lambda phase, history, stage=stage: watch(stage, phase, history)
    with place.held(identity, fresh) as work:
        say(begun(encoder, count, work))
        started = time.perf_counter()
        try:
            encoder.fit(corpus.batches(), work=work)
        except TrainingError as error:
            raise _advised(error, place.unfinished) from error
        encoder.fitted_on = identity["corpus"]
        encoder.save(place.folder)
        phases = phases_of(encoder)
        seconds = max(time.perf_counter() - started, sum(phase.seconds for phase in phases))
    return Trained(place.folder, encoder, count, seconds, phases)


def _read_through(corpus: Corpus) -> tuple[int, str]:
    """Return how many items there are, and the digest of all of them, in one reading."""
    count = 0

    def noted() -> Iterator[Item]:
        nonlocal count
        for item in corpus:
            count += 1
            yield item

    digest = items_digest(noted())
    return count, digest


def budgeted(encoder: Encoder, minutes: float | None) -> Encoder:
    """Give the stages that are trained by epochs a time budget, in equal parts; return the encoder.

    Raises
    ------
    OptionError
        When there is no such stage.
    """
    stages = neural_stages(encoder)
    if minutes is not None and not stages:
        raise OptionError(f"'{encoder}' is not trained by epochs, so it has no time budget: leave --time-budget out")
    for stage in stages if minutes is not None else ():
        share = round(minutes / len(stages), 4)  # type: ignore[operator]
        stage.set_params(minutes=int(share) if share == int(share) else share)
    return encoder


def read_minutes(text: str) -> float:
    """Read a time span: seconds, minutes or hours; a plain number is minutes.

    Examples
    --------
    >>> read_minutes("90s"), read_minutes("10m"), read_minutes("1h"), read_minutes("2.5")
    (1.5, 10.0, 60.0, 2.5)
    >>> read_minutes("soon")
    Traceback (most recent call last):
    encoders.errors.OptionError: a time budget is at least 1s, a number and s, m or h as in 90s, 10m or 1h; got 'soon'
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", text.lower())
    minutes = 0.0 if match is None else float(match[1]) * _MINUTES[match[2] or "m"]
    if not _MINUTES["s"] <= minutes < math.inf:
        raise OptionError(f"a time budget is at least 1s, a number and s, m or h as in 90s, 10m or 1h; got '{text}'")
    return minutes


def _fixed_spec(encoder: Encoder) -> str:
    """Write every option that a training which goes on may not change."""
    return "+".join(
        one.fixed_spec() if isinstance(one, NeuralEncoder) else one.spec(full=True) for one in encoder.parts
    )


def _is_own(found: list[Path]) -> bool:
    """Tell whether a place of work is one: it has a plan, or nothing but what precedes the plan."""
    names = {path.name for path in found if not is_temporary(path)}
    return PLAN in names or names <= {LOCK}


def _advised(error: TrainingError, kept: bool) -> NearbyError:
    """Say how to go on, where there is something to go on from."""
    if not kept:
        return error
    return TrainingError(f"{error}; with that changed in the space, run the same command with --resume to go on")
