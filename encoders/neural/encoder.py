"""What every method that is trained by gradient descent has in common: the options of its training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from encoders.base import Encoder
from encoders.options import option

if TYPE_CHECKING:
    from encoders.neural.training import Plan


@dataclass(kw_only=True)
class NeuralEncoder(Encoder):
    """An encoder that is trained by the one loop, `encoders.neural.training.train`."""

    epochs: int = option(40, "passes over the data", ge=1)
    minutes: float | None = option(None, "time budget; the schedule fits itself into it", gt=0)
    batch_size: int = option(256, "rows of a mini-batch", ge=2)
    learning_rate: float = option(3e-3, "peak of the one-cycle schedule", gt=0)
    weight_decay: float = option(1e-2, "AdamW's", ge=0)
    warm_up: float = option(0.2, "share of the schedule that goes up", ge=0, lt=1)
    patience: int = option(0, "stop after so many epochs without improvement; 0: never", ge=0)
    validation: float = option(0.05, "share of the rows held out to choose the best epoch", ge=0, le=0.5)
    precision: str = option("auto", "arithmetic of the training", choices=("auto", "fp32", "bf16"))
    seed: int = option(0, "seed of weights, order and noise", ge=0)

    def _plan(self) -> Plan:
        from encoders.neural.training import Plan

        return Plan(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            warm_up=self.warm_up,
            patience=self.patience,
            validation=self.validation,
            precision=self.precision,
            seed=self.seed,
            minutes=self.minutes,
        )
