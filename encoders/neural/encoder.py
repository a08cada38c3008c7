"""The base of every encoder that is trained by gradient descent: its options and training phases."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoders.base import Encoder
from encoders.codes import Batches, Space
from encoders.errors import TrainingError
from encoders.neural.training_config import RESUMABLE_SETTINGS, History, TrainingConfig
from encoders.options import LARGEST_SEED, option
from encoders.torch_device import DEVICE_HELP, DEVICES

if TYPE_CHECKING:
    from torch import nn

    from encoders.neural.players import Game, Loss
    from encoders.neural.training import Augment, Examples

#: Name of the last, or only, training phase.
MAIN = "training"
#: Largest share of the time limit for the phases before the last one.
EARLY_SHARE = 0.25


@dataclass(kw_only=True)
class NeuralEncoder(Encoder):
    """An encoder that is trained by gradient descent (`encoders.neural.training.train`), in one or more phases.

    A subclass implements ``_learn``, which calls `_train` once per phase.
    """

    epochs: int = option(40, "Passes over the data.", ge=1)
    minutes: float | None = option(
        None, "Time limit of the training in minutes; the learning rate schedule adapts to it. none: no limit.", gt=0
    )
    batch_size: int = option(256, "Rows per mini-batch.", ge=2)
    learning_rate: float = option(3e-3, "Largest learning rate of the one-cycle schedule.", gt=0)
    weight_decay: float = option(1e-2, "Weight decay of AdamW.", ge=0)
    warm_up: float = option(0.2, "Share of the training in which the learning rate rises.", ge=0, lt=1)
    patience: int = option(0, "Stop after this number of epochs without improvement; 0: never.", ge=0)
    validation: float = option(0.05, "Share of the rows that is held out to choose the best epoch.", ge=0, le=0.5)
    precision: str = option(
        "auto",
        "Floating-point format of the training; auto: bf16 where the CPU or GPU has it.",
        choices=("auto", "fp32", "bf16"),
    )
    seed: int = option(0, "Random seed of weights, order of rows and noise.", ge=0, le=LARGEST_SEED)
    device: str = option("auto", DEVICE_HELP, choices=DEVICES)

    def __post_init__(self) -> None:
        super().__post_init__()
        #: History of each training phase, by name; `MAIN` is the last.
        self.phases: dict[str, History] = {}
        #: Called with the name and the history of a phase, when it begins and after every epoch.
        self.watch: Callable[[str, History], None] | None = None
        #: Whether `fit` resumes a checkpoint even if `RESUMABLE_SETTINGS` have changed.
        self.accept_new_settings: bool = False

    def _forget(self) -> None:
        watch, accept_new_settings = self.watch, self.accept_new_settings
        super()._forget()
        self.watch, self.accept_new_settings = watch, accept_new_settings

    @abstractmethod
    def _learn(self, batches: Batches, work: Path | None) -> Space:
        """Train, by one or more calls of `_train`, and return the space of the codes."""

    @property
    def history(self) -> History:
        """The history of the last training phase."""
        return self.phases[MAIN]

    @property
    def loss_unit(self) -> str:
        """The unit of the loss of the last phase, for reports; empty if it has no name."""
        return ""

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        from encoders.neural.training import is_out_of_memory

        self.phases = {}
        try:
            return self._learn(batches, work)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise TrainingError(f"{self.name}: the network does not fit into memory: make it smaller") from error

    def _train(
        self,
        network: nn.Module,
        loss: Loss | Game,
        rows: Examples,
        work: Path | None,
        augment: Augment | None = None,
        phase: str = MAIN,
        config: TrainingConfig | None = None,
    ) -> None:
        """Train `network` in place; a phase that a previous run completed is read back, not trained again.

        Checkpoints stay in `work` after the training: the caller removes the folder once the encoder is saved, so
        that a kill before that, or in a later stage of a pipeline, loses no training.
        """
        from encoders.neural.training import train

        watch = self.watch
        self.phases[phase] = train(
            network,
            loss,
            rows,
            config or self._training_config(),
            None if work is None else work / phase,
            augment,
            self.fixed_spec(),
            None if watch is None else lambda history: watch(phase, history),
            self.accept_new_settings,
        )

    def fixed_spec(self) -> str:
        """Return the spec with `RESUMABLE_SETTINGS`, which a resumed run may change, at their defaults."""
        defaults: dict[str, Any] = {
            field.name: field.default for field in fields(self) if field.name in RESUMABLE_SETTINGS
        }
        return replace(self, **defaults).spec(full=True)

    def _training_config(self) -> TrainingConfig:
        spent = sum(sum(phase.seconds) for phase in self.phases.values()) / 60
        left = None if self.minutes is None else max(self.minutes - spent, self.minutes * (1 - EARLY_SHARE))
        return TrainingConfig(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            warm_up=self.warm_up,
            patience=self.patience,
            validation=self.validation,
            precision=self.precision,
            seed=self.seed,
            minutes=left,
            device=self.device,
        )

    def _early_training_config(self, phases: int, epochs: int) -> TrainingConfig:
        """Return the configuration of one of the `phases` phases before the last one."""
        minutes = None if self.minutes is None else self.minutes * EARLY_SHARE / phases
        return replace(self._training_config(), epochs=epochs, minutes=minutes)

    def learnt_shape(self) -> dict[str, Any]:
        """Return the spaces of the fitted encoder and the history of its training."""
        return {**super().learnt_shape(), "training": {name: asdict(phase) for name, phase in self.phases.items()}}

    def restore_shape(self, value: dict[str, Any]) -> None:
        """Restore what `learnt_shape` returned (encoders saved before 2026-11-25 have no history)."""
        super().restore_shape(value)
        self.phases = {name: History(**phase) for name, phase in value.get("training", {}).items()}
