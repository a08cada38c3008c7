"""What the training of an encoder was: its stages that are trained by gradient descent, and their histories."""

from __future__ import annotations

from encoders.base import Encoder
from encoders.neural.encoder import MAIN, NeuralEncoder
from retrieval.experiment.result import Phase


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
