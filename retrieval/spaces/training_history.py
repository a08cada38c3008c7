"""The history of a training: the stages trained by gradient descent, and their losses in every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from encoders.base import Encoder
from encoders.neural.encoder import MAIN, NeuralEncoder


@dataclass(frozen=True)
class Phase:
    """One phase of a training: its losses, one an epoch, and the epoch (from 0) whose weights were kept.

    `train_measure` and `validation_measure` name what the two lists hold; only where they are the same measure can the
    lists be compared. `loss_unit` is the unit of a validation loss that is called ``loss``; empty if it has no name.
    """

    name: str
    train_loss: list[float]
    validation_loss: list[float]
    seconds: float
    best_epoch: int
    train_measure: str = "loss"
    validation_measure: str = "loss"
    loss_unit: str = ""

    @property
    def comparable(self) -> bool:
        """Whether training and validation are measured alike."""
        return self.train_measure == self.validation_measure

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; the best epoch counts from 1."""
        return {**vars(self), "best_epoch": self.best_epoch + 1}


def neural_stages(encoder: Encoder) -> list[NeuralEncoder]:
    """Return the stages of an encoder that the one training loop trains.

    Examples
    --------
    >>> from encoders.registry import create
    >>> [stage.name for stage in neural_stages(create("pixels+pca:9+deep-ae:4-2"))]
    ['deep-ae']
    """
    return [stage for stage in encoder.parts if isinstance(stage, NeuralEncoder)]


def phases_of(encoder: Encoder) -> list[Phase]:
    """Return the phases of every trained stage, in order; the last phase of a stage has the name of the stage."""
    return [
        Phase(
            stage.name if name == MAIN else f"{stage.name}, {name.replace('-', ' ')}",
            history.train_loss,
            history.validation_loss,
            sum(history.seconds),
            history.best_epoch,
            *measures_of(stage, name),
            stage.loss_unit if name == MAIN else "",
        )
        for stage in neural_stages(encoder)
        for name, history in stage.phases.items()
        if history.seconds
    ]


def measures_of(stage: NeuralEncoder, name: str) -> tuple[str, str]:
    """Return the names of the training and validation measures of a phase.

    A restricted Boltzmann machine descends a difference of free energies, which does not measure its quality.
    """
    if name != MAIN and getattr(stage, "pretrain", "none") == "rbm":
        return "difference of free energies", "squared error per item"
    return "loss", "loss"


def training_seconds(encoder: Encoder) -> float:
    """Return the seconds of all epochs of an encoder's training; 0 where no stage is trained by epochs."""
    return sum(phase.seconds for phase in phases_of(encoder))
