"""The linear autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import State
from encoders.batches import collect
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.errors import OptionError
from encoders.neural.encoder import NeuralEncoder
from encoders.neural.layers import Layer, forward, from_state, to_state
from encoders.options import option

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass
class LinearAutoencoder(NeuralEncoder):
    """Linear autoencoder with one hidden layer, trained by gradient descent; it learns the space of PCA.

    Use it when you want to compare gradient descent with ``pca``, which is faster.

    x is reconstructed as V W (x - mean) + mean; W and V minimise the squared error. At the minimum the rows of W span
    the space of the leading principal components; they are not necessarily orthogonal or ordered.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((256, 1)).astype(np.float32) @ np.ones((1, 3), np.float32)
    >>> encoder = LinearAutoencoder(1, epochs=60, batch_size=16).fit(rows)
    >>> bool(np.square(encoder.decode(encoder.encode(rows)) - rows).sum(axis=1).mean() < 0.03)
    True

    References
    ----------
    Baldi & Hornik, Neural networks and principal component analysis: learning from examples without local minima,
    Neural Networks 2, 1989, Fact 4; Bourlard & Kamp, Auto-association by multilayer perceptrons and singular value
    decomposition, Biological Cybernetics 59, 1988.
    """

    name: ClassVar[str] = "linear-ae"
    reads_sparse: ClassVar[bool] = False
    n_components: int = option(30, "Number of hidden units: the width of the code.", ge=1)
    metric: str = option("euclidean", "How two codes are compared.", choices=("euclidean", "cosine"))
    # a linear network can use a larger step than a deep one, and needs it with few rows
    learning_rate: float = option(0.02, "Largest learning rate of the one-cycle schedule.", gt=0, kw_only=True)
    # weight decay would lead away from PCA, and bf16 has too few digits to reach it
    weight_decay: float = option(0.0, "Weight decay of AdamW.", ge=0, kw_only=True)
    precision: str = option(
        "fp32",
        "Floating-point format of the training; auto: bf16 where the CPU or GPU has it.",
        choices=("auto", "fp32", "bf16"),
        kw_only=True,
    )

    def _learn(self, batches: Batches, work: Path | None) -> Space:
        import torch

        from encoders.neural.networks import folded
        from encoders.neural.training_rows import Rows, require_moderate

        rows = Rows(collect(batches))
        require_moderate(self.name, rows)
        if self.n_components > rows.width:
            raise OptionError(
                f"linear-ae: n-components={self.n_components} is more than the {rows.width} numbers of an item: "
                f"use at most {rows.width}"
            )
        torch.manual_seed(self.seed)
        network = torch.nn.ModuleDict(
            {
                "encoder": torch.nn.Sequential(torch.nn.Linear(rows.width, self.n_components, bias=False)),
                "decoder": torch.nn.Sequential(torch.nn.Linear(self.n_components, rows.width, bias=False)),
            }
        )
        mean = np.asarray(rows.matrix.mean(axis=0, dtype=np.float64), dtype=np.float32)
        self._train(network, _objective(torch.from_numpy(mean)), rows, work)
        weight = folded(network["encoder"])[0].weight  # type: ignore[arg-type]
        self.layers = [
            Layer(weight, -weight @ mean, "linear"),
            Layer(folded(network["decoder"])[0].weight, mean, "linear"),  # type: ignore[arg-type]
        ]
        return Space(self.n_components, Kind.DENSE, Metric(self.metric))

    @property
    def components(self) -> NDArray[np.float32]:
        """The output of each hidden unit (n_components, dim)."""
        return self.layers[1].weight.T

    def _encode(self, items: Any) -> Codes:
        return forward(self.layers[:1], items)

    def _decode(self, codes: Codes) -> Items:
        return forward(self.layers[1:], np.asarray(codes, dtype=np.float32))

    def state(self) -> State:
        """Return the two affine maps."""
        return to_state("layers", self.layers)

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.layers = from_state("layers", state, ["linear", "linear"])


def _objective(mean: Tensor) -> Any:
    def objective(network: nn.Module, batch: Tensor) -> Tensor:
        centred = batch - mean.to(batch.device)
        output = network["decoder"](network["encoder"](centred))  # type: ignore[index]
        loss: Tensor = (output.float() - centred).square().sum(dim=1).mean()
        return loss

    return objective
