"""The base of every autoencoder: reconstruction loss, corruption of the input, and training."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from encoders.batches import collect
from encoders.codes import Batches, Codes, Kind, Metric, Space
from encoders.errors import OptionError
from encoders.neural.corruption import CORRUPTIONS
from encoders.neural.encoder import NeuralEncoder
from encoders.neural.reconstruction_loss import LOSSES, OUTPUT_OF_LOSS, OUTPUTS, ReconstructionLoss, chosen, scaled
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn

    from encoders.neural.training import Augment
    from encoders.neural.training_rows import Rows


@dataclass(kw_only=True)
class Autoencoder(NeuralEncoder):
    """A network that learns a code from which it can reconstruct its input.

    Losses: ``squared`` error; ``cross-entropy`` of values in [0, 1]; ``counts``, the multinomial cross-entropy of word
    counts divided by their sum (the visible softmax of Hinton & Salakhutdinov). ``auto`` is ``counts`` for sparse
    input and ``squared`` otherwise. With ``squared``, the output is a sigmoid if all training values are in [0, 1]:
    most of the error of a linear output would come from a black background that it never matches exactly.

    A subclass implements ``_network``, ``_reconstructed``, ``_code_size`` and ``_store``; ``_penalty`` if it adds to
    the loss; ``_pretrain`` if it trains in phases.
    """

    loss: str = option("auto", "Reconstruction loss.", choices=("auto", *OUTPUT_OF_LOSS))
    metric: str = option(
        "auto",
        "How two codes are compared; auto: cosine for word counts, euclidean otherwise.",
        choices=("auto", "cosine", "euclidean"),
    )
    output: str = option(
        "auto", "Activation of the decoder's output with the squared loss.", choices=("auto", "linear", "sigmoid")
    )
    corruption: str = option(
        "none", "Noise added to the input in training; the network learns to remove it.", choices=CORRUPTIONS
    )
    level: float = option(
        0.3, "Strength of the corruption: standard deviation of gaussian, share of the components for the others.", ge=0
    )
    shift: int = option(0, "Largest random shift of a picture in training, in pixels.", ge=0, le=8)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.corruption in ("masking", "salt-and-pepper") and self.level > 1:
            raise OptionError(
                f"{self.name}: level is the share that {self.corruption} corrupts, 0 to 1; got {self.level:g}"
            )

    # -- what a subclass implements -----------------------------------------------------------------------------

    @abstractmethod
    def _network(self, rows: Rows) -> nn.Module:
        """Return the network with its initial weights."""

    @abstractmethod
    def _reconstructed(self, network: Any, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the code of a batch and the output before its last activation."""

    @abstractmethod
    def _code_size(self) -> int:
        """Return the number of components of a code."""

    @abstractmethod
    def _store(self, network: Any) -> None:
        """Store the weights of the trained network."""

    def _penalty(self, network: Any, seen: Tensor, code: Tensor) -> Tensor | float:
        """Return the penalty that is added to the reconstruction loss in training."""
        return 0.0

    def _pretrain(self, network: Any, rows: Rows, work: Path | None) -> None:  # most subclasses have no pretraining
        """Find better initial weights."""

    def _bounded_loss(self) -> str:
        """Return the loss that ``loss=auto`` means for values in [0, 1]."""
        return "squared"

    @property
    def loss_unit(self) -> str:
        """The unit of the reconstruction loss."""
        return self._reconstruction_loss.unit

    # -- training ---------------------------------------------------------------------------------------------

    def _learn(self, batches: Batches, work: Path | None) -> Space:
        rows, network = self._prepare(collect(batches), work)
        self._train(network, self._objective(), rows, work, self._augment())
        self._store(network)
        return self._space_of_codes()

    def _prepare(self, matrix: Codes, work: Path | None) -> tuple[Rows, Any]:
        """Return the training rows and the network as it is before the last phase."""
        import torch

        from encoders.neural.training_rows import Rows, require_moderate

        rows = Rows(self._target(matrix))
        require_moderate(self.name, rows)
        self._reconstruction_loss: ReconstructionLoss = chosen(
            self.name, self.loss, self.output, rows, self._bounded_loss()
        )
        self._warn_of_a_wide_code(rows.width)
        torch.manual_seed(self.seed)
        network = self._network(rows)
        self._pretrain(network, rows, work)
        return rows, network

    def _space_of_codes(self) -> Space:
        auto = "cosine" if self._reconstruction_loss.loss == "counts" else "euclidean"
        metric = auto if self.metric == "auto" else self.metric
        return Space(self._code_size(), Kind.DENSE, Metric(metric))

    def _objective(self) -> Any:
        """Return the loss: reconstruct the clean batch from a corrupted one; penalties in training only."""

        def objective(network: nn.Module, batch: Tensor) -> Tensor:
            seen = self._corrupted(batch, network.training)
            code, output = self._reconstructed(network, seen)
            loss = self._reconstruction_loss.value(output, batch).mean()
            return loss + self._penalty(network, seen, code) if network.training else loss

        return objective

    def _corrupted(self, batch: Tensor, training: bool) -> Tensor:
        """Return the input of the encoder for a batch; the corruption is also applied in validation."""
        from encoders.neural.corruption import corrupted

        return corrupted(batch, self.corruption, self.level)

    def _augment(self) -> Augment | None:
        if not self.shift:
            return None
        from encoders.neural.corruption import shifting

        return shifting(self._picture_shape("shift moves pictures"), self.shift)

    def _picture_shape(self, why: str) -> tuple[int, ...]:
        """Return the shape of the pictures in the rows; raise an error that says why it is needed."""
        shape = self.input_space.shape if self.input_space is not None else None
        if shape is None:
            raise OptionError(f"{self.name}: {why}, but the input may not be pictures: put pixels before it")
        return shape

    def _warn_of_a_wide_code(self, width: int) -> None:
        if self._code_size() > width and not self.gives_bits:
            warnings.warn(
                f"{self.name}: a code has {self._code_size():,} numbers, an item only {width:,}: "
                "the network can copy items without learning anything",
                stacklevel=2,
            )

    def _reconstruction_loss_state(self) -> dict[str, Any]:
        positions = [OUTPUTS.index(self._reconstruction_loss.output), LOSSES.index(self._reconstruction_loss.loss)]
        return {"visible": np.asarray(positions, dtype=np.int64)}

    def _restore_reconstruction_loss(self, state: dict[str, Any]) -> None:
        positions = [int(position) for position in state["visible"]]
        output = OUTPUTS[positions[0]]
        # encoders that an older nearby saved contain the output only
        loss = LOSSES[positions[1]] if len(positions) > 1 else "squared" if output == "linear" else self.loss
        self._reconstruction_loss = ReconstructionLoss(loss, output)

    def _target(self, items: Any) -> Codes:
        """Return the target of the reconstruction: the scaled items unless a subclass changes it."""
        return self._scaled(items)

    def _scaled(self, items: Any) -> Codes:
        return scaled(items, self.loss)
