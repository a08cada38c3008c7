"""One encoder fitted on a corpus and saved by itself: what ``nearby train`` does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoders.base import Encoder
from encoders.errors import NearbyError, OptionError, TrainingError
from encoders.neural.encoder import NeuralEncoder
from encoders.progress import ProgressCallback, quiet
from encoders.registry import create
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.item_record import items_digest
from retrieval.spaces.fit import begun
from retrieval.spaces.space_encoder import planned, require_fields
from retrieval.spaces.time_budget import with_time_budget
from retrieval.spaces.training_folder import TrainingFolder
from retrieval.spaces.training_history import Phase, neural_stages, phases_of

if TYPE_CHECKING:
    from encoders.neural.training_config import History

#: Called with the stage, the phase and its history, when a phase begins and after every epoch.
WatchStage = Callable[[NeuralEncoder, str, "History"], None]


@dataclass(frozen=True)
class Trained:
    """A trained encoder, where it is saved, and what its training took."""

    folder: Path
    encoder: Encoder
    items: int
    seconds: float
    phases: list[Phase]

    @property
    def as_space(self) -> str:
        """The folder as ``-s`` takes it: with ``./`` where an encoder has the same name."""
        try:
            create(str(self.folder))
        except NearbyError:
            return str(self.folder)
        return f".{os.sep}{self.folder}"

    def line(self) -> str:
        """Return one line: the folder, the encoder, its best epoch and the seconds."""
        parts = [f"{self.folder}: {self.encoder}"]
        if self.phases:
            last = self.phases[-1]
            parts.append(f"best epoch {last.best_epoch + 1} of {len(last.train_loss)}")
            unit = neural_stages(self.encoder)[-1].loss_unit if last.validation_measure == "loss" else ""
            unit = f" ({unit})" if unit else ""
            parts.append(f"validation {last.validation_measure} {last.validation_loss[last.best_epoch]:.4g}{unit}")
        return ", ".join([*parts, f"{self.seconds:.1f} s"])

    def to_json(self) -> dict[str, Any]:
        """Return the same as JSON values."""
        return {
            "folder": str(self.folder),
            "space": str(self.encoder),
            "options": self.encoder.spec(full=True),
            "items": self.items,
            "seconds": self.seconds,
            "phases": [phase.to_json() for phase in self.phases],
        }


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
        Where the encoder is saved when the training has ended.
    minutes : float, optional
        Time limit of the training by epochs. Time already spent counts when resuming.
    resume : bool
        Continue a training that was stopped, or whose loss diverged; epochs, minutes, learning rate, patience and
        batch size may differ from before.
    fresh : bool
        Start over, and replace the training or encoder that is there.
    watch : callable, optional
        See `WatchStage`.
    say : callable
        Called with a line for each step.

    Raises
    ------
    NearbyError
        When the encoder does not exist, or its folder holds something else; what is there stays as it is.
    TrainingError
        When the training cannot continue; the message says what to change.
    """
    encoder = with_time_budget(planned(spec, None, corpus.modality), minutes)
    if encoder.__sklearn_is_fitted__():
        raise OptionError(f"{spec} holds a trained encoder: name a space to train, such as pixels+deep-ae:64-8")
    require_fields(corpus, [encoder])
    training = TrainingFolder(folder)
    count, digest = _read_through(corpus)
    identity = {"spec": str(encoder), "fixed": _fixed_spec(encoder), "corpus": digest}
    training.require_free(identity, resume, fresh)
    if resume and not training.unfinished:
        say(f"{training.work} holds no training to resume: starting one")
    for stage in neural_stages(encoder):
        stage.accept_new_settings = resume
        if watch is not None:
            stage.watch = lambda phase, history, stage=stage: watch(stage, phase, history)
    with training.locked(identity, fresh) as work:
        say(begun(encoder, count, work))
        if minutes is not None:
            say(f"time limit: {minutes:g} minute{'' if minutes == 1 else 's'}")
        started = time.perf_counter()
        try:
            encoder.fit(corpus.batches_for(encoder), work=work)
        except TrainingError as error:
            raise _advised(error, training.unfinished) from error
        encoder.fitted_on = identity["corpus"]
        encoder.save(training.folder)
        phases = phases_of(encoder)
        seconds = max(time.perf_counter() - started, sum(phase.seconds for phase in phases))
    return Trained(training.folder, encoder, count, seconds, phases)


def _read_through(corpus: Corpus) -> tuple[int, str]:
    """Return the number of items and their digest, in one pass."""
    count = 0

    def counted() -> Iterator[Item]:
        nonlocal count
        for item in corpus:
            count += 1
            yield item

    digest = items_digest(counted())
    return count, digest


def _fixed_spec(encoder: Encoder) -> str:
    """Return the spec with every option that a resumed training cannot change."""
    return "+".join(
        one.fixed_spec() if isinstance(one, NeuralEncoder) else one.spec(full=True) for one in encoder.parts
    )


def _advised(error: TrainingError, kept: bool) -> NearbyError:
    """Return the error with the way to continue, where an epoch was finished."""
    if not kept:
        return error
    return TrainingError(f"{error}; change that in the space and run the same command with --resume")
