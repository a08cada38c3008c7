"""What a training is to be, and what it was: its plan and its history."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TrainingConfig:
    """How to train; every number is a hyper-parameter of the encoder that asks for it."""

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


#: How far and how fast to go, not where: what a run may change and still go on from the weights of the one before.
RESUMABLE_SETTINGS = ("epochs", "minutes", "learning_rate", "patience", "batch_size")


@dataclass
class History:
    """What happened: one entry an epoch."""

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = -1
    #: Whether the clock or want of patience ended it: when it is read back after a kill, the clock tells no more.
    ended: bool = False
    #: The mean losses of the players but the first, by their names, one entry an epoch.
    losses: dict[str, list[float]] = field(default_factory=dict)
    #: Why players stopped before their time; empty where they did not.
    collapsed: str = ""

    def add_losses(self, means: dict[str, float]) -> None:
        """Add the mean training loss of every player in one epoch, the first player's to `train_loss`."""
        for turn, (name, mean) in enumerate(means.items()):
            (self.losses.setdefault(name, []) if turn else self.train_loss).append(mean)
