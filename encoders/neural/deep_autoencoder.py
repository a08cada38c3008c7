"""The deep autoencoder: a symmetric multilayer perceptron whose narrow middle is the code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space, collect
from encoders.errors import OptionError
from encoders.neural.encoder import NeuralEncoder
from encoders.neural.layers import Layer, forward, from_state, to_state
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn

    from encoders.neural.training import Augment

#: Loss -> what stands behind the last map of the decoder, unless `output` says otherwise.
VISIBLE = {"squared": "linear", "cross-entropy": "sigmoid", "counts": "softmax"}
#: `restore` reads these by place.
OUTPUTS = tuple(VISIBLE.values())


@dataclass
class DeepAutoencoder(NeuralEncoder):
    """Encode through ever narrower layers, decode through the same widths in reverse, learn to reproduce the input.

    Losses: ``squared`` error; ``cross-entropy`` of values in [0, 1]; ``counts``, the multinomial cross-entropy of word
    counts divided by their sum (the visible softmax of Hinton & Salakhutdinov). ``auto`` takes ``counts`` for sparse
    input and ``squared`` otherwise. The output of ``squared`` is a sigmoid where all training values lie in [0, 1]: a
    linear one spends most of its error on a black background that it never quite meets.

    Examples
    --------
    >>> rows = np.random.default_rng(0).random((64, 8)).astype(np.float32)
    >>> encoder = DeepAutoencoder((6, 2), epochs=2).fit(rows)
    >>> encoder.encode(rows).shape, encoder.decode(encoder.encode(rows)).shape
    ((64, 2), (64, 8))

    References
    ----------
    Hinton & Salakhutdinov, Reducing the dimensionality of data with neural networks, Science 313, 2006.
    Vincent, Larochelle, Bengio & Manzagol, Extracting and composing robust features with denoising autoencoders,
    ICML 2008 (``dropout``).
    """

    name: ClassVar[str] = "deep-ae"
    sizes: tuple[int, ...] = option((1000, 500, 250, 30), "widths from the input to the code", ge=1)
    loss: str = option("auto", "what is minimised", choices=("auto", *VISIBLE))
    metric: str = option("auto", "how two codes are compared", choices=("auto", "cosine", "euclidean"))
    output: str = option("auto", "what ends the decoder under squared loss", choices=("auto", "linear", "sigmoid"))
    activation: str = option("silu", "of the hidden layers", choices=("silu", "relu", "tanh", "sigmoid"))
    norm: str = option("batch", "normalisation of the hidden layers", choices=("batch", "none"))
    noise: float = option(0.0, "standard deviation of Gaussian noise added to the code in training", ge=0)
    dropout: float = option(0.0, "share of the input set to 0 in training, to be restored", ge=0, lt=1)
    shift: int = option(0, "move pictures by up to so many pixels in training", ge=0, le=8)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.encoder: list[Layer] = []
        self.decoder: list[Layer] = []

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        import torch

        from encoders.neural.networks import folded, mlp
        from encoders.neural.rows import Rows
        from encoders.neural.training import train

        rows = Rows(self._scaled(collect(batches)))
        self._loss = self.loss if self.loss != "auto" else ("counts" if rows.sparse else "squared")
        self._visible = self._checked_output(rows)
        torch.manual_seed(self.seed)
        widths = (rows.width, *self.sizes)
        network = torch.nn.ModuleDict(
            {
                "encoder": mlp(widths, self.activation, self.norm),
                "decoder": mlp(widths[::-1], self.activation, self.norm),
            }
        )
        _centre(network["decoder"], rows, self._visible)
        self.history = train(network, self._objective(), rows, self._plan(), work, self._augment(), self.spec(True))
        self.encoder = folded(network["encoder"])  # type: ignore[arg-type]
        self.decoder = folded(network["decoder"], last=self._visible)  # type: ignore[arg-type]
        metric = self.metric if self.metric != "auto" else ("cosine" if self._loss == "counts" else "euclidean")
        return Space(self.sizes[-1], Kind.DENSE, Metric(metric))

    def _scaled(self, matrix: Codes) -> Codes:
        """Return word counts as the root of 100 times their share, so that inputs are of the order of 1."""
        if not issparse(matrix):
            return matrix
        sums = np.asarray(matrix.sum(axis=1)).ravel()
        scaled = matrix.copy()
        scaled.data = np.repeat(1 / np.where(sums > 0, sums, 1), np.diff(matrix.indptr)) * matrix.data
        scaled.data = np.sqrt(scaled.data * 100).astype(np.float32)
        return scaled

    def _checked_output(self, rows: Any) -> str:
        """Return what ends the decoder, or say why these rows cannot be learnt."""
        if self._loss == "squared" and self.output != "auto":
            return self.output
        low, high = float(rows.matrix.min()), float(rows.matrix.max())
        if self._loss == "squared":
            return "sigmoid" if low >= 0 and high <= 1 else "linear"
        if not rows.sparse and (low < 0 or (self._loss == "cross-entropy" and high > 1)):
            raise OptionError(f"deep-ae: loss={self._loss} needs values in [0, 1], found {low:g} to {high:g}")
        return VISIBLE[self._loss]

    def _objective(self) -> Any:
        import torch
        from torch.nn import functional

        kind, noise, dropout, bounded = self._loss, self.noise, self.dropout, self._visible == "sigmoid"

        def objective(network: nn.Module, batch: Tensor) -> Tensor:
            seen = functional.dropout(batch, dropout, network.training) if dropout else batch
            code = network["encoder"](seen)  # type: ignore[index]
            if noise and network.training:
                code = code + noise * torch.randn_like(code)
            output = network["decoder"](code).float()  # type: ignore[index]
            if kind == "squared":
                squared: Tensor = ((output.sigmoid() if bounded else output) - batch).square()
                return squared.sum(dim=1).mean()
            if kind == "cross-entropy":
                return functional.binary_cross_entropy_with_logits(output, batch, reduction="none").sum(dim=1).mean()
            shares = batch.square()  # the input is the root of the shares
            shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-9)
            return -(shares * functional.log_softmax(output, dim=1)).sum(dim=1).mean()

        return objective

    def _augment(self) -> Augment | None:
        if not self.shift:
            return None
        shape = self.input_space.shape if self.input_space is not None else None
        if shape is None:
            raise OptionError(
                "deep-ae: shift moves pictures, but the input is not known to be pictures: put pixels first"
            )
        return shifting(shape, self.shift)

    def _encode(self, items: Any) -> Codes:
        return forward(self.encoder, self._scaled(items))

    def _decode(self, codes: Codes) -> Items:
        return forward(self.decoder, np.asarray(codes, dtype=np.float32))

    def state(self) -> State:
        """Return the layers, batch normalisation folded in, and the place of the output's activation."""
        visible = np.asarray([OUTPUTS.index(self._visible)], dtype=np.int64)
        return {"visible": visible, **to_state("encoder", self.encoder), **to_state("decoder", self.decoder)}

    def restore(self, state: State) -> None:
        """Take back what `state` returned."""
        self._visible = OUTPUTS[int(state["visible"][0])]
        hidden = [self.activation] * (len(self.sizes) - 1)
        self.encoder = from_state("encoder", state, [*hidden, "linear"])
        self.decoder = from_state("decoder", state, [*hidden, self._visible])


def shifting(shape: tuple[int, ...], most: int) -> Augment:
    """Return a function that moves each picture of a batch by up to `most` pixels each way, edges filled with 0."""
    import torch

    height, width = shape[:2]
    channels = shape[2] if len(shape) == 3 else 1
    wide = width + 2 * most
    corner = (torch.arange(height)[:, None] * wide + torch.arange(width)).flatten()
    places = (corner[:, None] * channels + torch.arange(channels)).reshape(1, -1)

    def augment(batch: Tensor, generator: Any) -> Tensor:
        pictures = torch.nn.functional.pad(batch.view(-1, height, width, channels), (0, 0, most, most, most, most))
        down, right = torch.randint(0, 2 * most + 1, (2, len(batch), 1), generator=generator)
        return pictures.flatten(1).gather(1, places + (down * wide + right) * channels)

    return augment


def _centre(decoder: Any, rows: Any, visible: str) -> None:
    """Start the output at the mean of the data: the first epochs need not find it."""
    import torch

    mean = np.asarray(rows.matrix.mean(axis=0), dtype=np.float64).ravel()
    if visible == "sigmoid":
        mean = np.clip(mean, 1e-3, 1 - 1e-3)
        mean = np.log(mean / (1 - mean))
    elif visible == "softmax":
        mean = np.log(mean + 1e-6)
    with torch.no_grad():
        decoder[-1].bias.copy_(torch.from_numpy(mean.astype(np.float32)))


def reconstruction_error(items: NDArray[Any], decoded: NDArray[Any]) -> float:
    """Return the squared error summed over the components, averaged over the items."""
    return float(np.square(items - decoded).sum(axis=1).mean())
