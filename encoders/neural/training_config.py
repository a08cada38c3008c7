"""Configuration and history of a training."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TrainingConfig:
    """The hyper-parameters of a training; each one is an option of the encoder."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warm_up: float
    patience: int
    validation: float
    precision: str
    seed: int
    minutes: float | None = None
    device: str = "auto"


#: Settings that a resumed run may change: they affect how long and how fast it trains, not what it trains.
RESUMABLE_SETTINGS = ("epochs", "minutes", "learning_rate", "patience", "batch_size", "device")


@dataclass
class History:
    """The history of a training: losses and times, one entry per epoch."""

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = -1
    #: Whether the time limit, early stopping or a collapse ended the training; the clock cannot tell after a restart.
    ended: bool = False
    #: Mean training loss of each player except the first, by name, one entry per epoch.
    losses: dict[str, list[float]] = field(default_factory=dict)
    #: Why the training of several players collapsed; empty if it did not.
    collapsed: str = ""

    def add_losses(self, means: dict[str, float]) -> None:
        """Add the mean training loss of every player in one epoch, the first player's to `train_loss`."""
        for turn, (name, mean) in enumerate(means.items()):
            (self.losses.setdefault(name, []) if turn else self.train_loss).append(mean)
