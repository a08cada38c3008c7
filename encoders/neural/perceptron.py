"""Autoencoders that are multilayer perceptrons; after training they are NumPy layers and need no torch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from encoders.base import State
from encoders.codes import Codes, Items
from encoders.neural.autoencoder import Autoencoder
from encoders.neural.layers import Layer, forward, from_state, to_state
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn

    from encoders.neural.training_rows import Rows


@dataclass(kw_only=True)
class PerceptronAutoencoder(Autoencoder):
    """A multilayer perceptron as encoder, and one with the same widths in reverse as decoder.

    A subclass implements ``_sizes``. If its code is not the plain output of the encoder, it also implements
    ``_reconstructed``, ``_encode`` and ``_decode``.
    """

    activation: str = option("silu", "Activation of the hidden layers.", choices=("silu", "relu", "tanh", "sigmoid"))
    norm: str = option("batch", "Normalisation of the hidden layers.", choices=("batch", "none"))
    dropout: float = option(
        0.0, "Share of the input set to 0 in training; the network learns to restore it.", ge=0, lt=1
    )
    pretrain: str = option(
        "none",
        "Layer-by-layer pretraining: by autoencoders (layerwise) or by restricted Boltzmann machines (rbm).",
        choices=("none", "layerwise", "rbm"),
    )
    pretrain_epochs: int = option(10, "Passes over the data to pretrain each layer.", ge=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.encoder: list[Layer] = []
        self.decoder: list[Layer] = []

    @abstractmethod
    def _sizes(self) -> tuple[int, ...]:
        """Return the widths from the first hidden layer to the code."""

    @property
    def _code_activation(self) -> str:
        """The last activation of the encoder."""
        return "linear"

    @property
    def _binary_code(self) -> bool:
        """Whether the units of a code are 0 or 1, or the probability of 1."""
        return self._code_activation == "sigmoid"

    def _code_size(self) -> int:
        return self._sizes()[-1]

    def _network(self, rows: Rows) -> nn.Module:
        import torch

        network = torch.nn.ModuleDict({"encoder": self._encoder(rows.width)})
        network["decoder"] = self._decoder(rows.width, network["encoder"])
        with torch.no_grad():
            network["decoder"][-1].bias.copy_(torch.from_numpy(self._reconstruction_loss.start(rows)))  # type: ignore[index]
        return network

    def _encoder(self, width: int) -> Any:
        from encoders.neural.networks import mlp

        return mlp((width, *self._sizes()), self.activation, self.norm)

    def _decoder(self, width: int, encoder: Any) -> Any:
        from encoders.neural.networks import mlp

        return mlp((width, *self._sizes())[::-1], self.activation, self.norm)

    def _reconstructed(self, network: Any, seen: Tensor) -> tuple[Tensor, Tensor]:
        code = network["encoder"](seen)
        return code, network["decoder"](code)

    def _corrupted(self, batch: Tensor, training: bool) -> Tensor:
        from torch.nn import functional

        return functional.dropout(super()._corrupted(batch, training), self.dropout, training)

    def _pretrain(self, network: Any, rows: Rows, work: Path | None) -> None:
        if self.pretrain == "none":
            return
        from encoders.neural.pretraining import layerwise, rbm

        pairs = self._layer_pairs(network)
        config = self._early_training_config(len(pairs), self.pretrain_epochs)

        def train(layer: Any, loss: Any, inputs: Any, number: int, rate: float = 1.0) -> None:
            slower = replace(config, learning_rate=config.learning_rate * rate)
            self._train(layer, loss, inputs, work, None, f"layer-{number}", slower)

        if self.pretrain == "rbm":
            rbm(self.name, pairs, rows, self._reconstruction_loss, train, self._binary_code)
        else:
            layerwise(pairs, rows, self._reconstruction_loss, self._corrupted, train)

    def _layer_pairs(self, network: Any) -> list[tuple[Any, Any]]:
        """Return each layer of the encoder with the matching layer of the decoder, from the input to the code."""
        from encoders.neural.networks import blocks

        return list(zip(blocks(network["encoder"]), blocks(network["decoder"])[::-1], strict=True))

    def _store(self, network: Any) -> None:
        from encoders.neural.networks import folded

        self.encoder = folded(network["encoder"], last=self._code_activation)
        self.decoder = folded(network["decoder"], last=self._reconstruction_loss.output)

    def _encode(self, items: Any) -> Codes:
        return forward(self.encoder, self._scaled(items))

    def _decode(self, codes: Codes) -> Items:
        return forward(self.decoder, np.asarray(codes, dtype=np.float32))

    def state(self) -> State:
        """Return the layers, with batch normalisation folded in, and the numbers of loss and output activation."""
        return {
            **self._reconstruction_loss_state(),
            **to_state("encoder", self.encoder),
            **to_state("decoder", self.decoder),
        }

    def restore(self, state: State) -> None:
        """Restore the arrays that `state` returned."""
        self._restore_reconstruction_loss(state)
        hidden = [self.activation] * (len(self._sizes()) - 1)
        self.encoder = from_state("encoder", state, [*hidden, self._code_activation])
        self.decoder = from_state("decoder", state, [*hidden, self._reconstruction_loss.output])
