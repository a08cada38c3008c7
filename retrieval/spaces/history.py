"""What the training of an encoder was: its stages that are trained by gradient descent, and their histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from encoders.base import Encoder
from encoders.neural.encoder import MAIN, NeuralEncoder


@dataclass(frozen=True)
class Phase:
    """One phase of a training: its losses, one an epoch, and the epoch (from 0) whose weights were kept.

    `train_measure` and `validation_measure` name what the two lists hold; only where they are the same measure can the
    lists be compared. `loss_unit` is the unit of a validation loss that is called ``loss``; empty where it has no name.
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
        """Return it as JSON values; the best epoch counted from 1, as people do."""
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
    """Return every phase of every stage that was trained, in order; the last of a stage is called as the stage is."""
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
    """Return what is measured in a phase in training and in validation.

    A restricted Boltzmann machine goes down a difference of free energies, which is no measure of how good it is.
    """
    if name != MAIN and getattr(stage, "pretrain", "none") == "rbm":
        return "difference of free energies", "squared error per item"
    return "loss", "loss"


def training_seconds(encoder: Encoder) -> float:
    """Return the time that the epochs of an encoder's training took; 0 where nothing was trained so."""
    return sum(phase.seconds for phase in phases_of(encoder))
