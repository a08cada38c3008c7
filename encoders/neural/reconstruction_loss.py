"""Reconstruction loss of an autoencoder: scaling of the input, output activation, and loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes
from encoders.errors import BadItemError, OptionError
from encoders.neural import beta_binomial

if TYPE_CHECKING:
    from torch import Tensor

    from encoders.neural.training_rows import Rows

#: Loss -> output activation of the decoder, unless `output` is set.
OUTPUT_OF_LOSS = {"squared": "linear", "cross-entropy": "sigmoid", "counts": "softmax"}
#: The same with the losses that only a density of the items has.
OUTPUT_OF_LIKELIHOOD = {**OUTPUT_OF_LOSS, "beta-binomial": "beta-mean"}
#: A saved encoder contains the position of its loss and of its output activation in these tuples.
LOSSES, OUTPUTS = tuple(OUTPUT_OF_LIKELIHOOD), tuple(OUTPUT_OF_LIKELIHOOD.values())


@dataclass(frozen=True)
class ReconstructionLoss:
    """A reconstruction loss (``squared``, ``cross-entropy``, ``counts``) and the output activation of the decoder.

    ``beta-binomial`` is a loss of the variational autoencoder only: see `encoders.neural.beta_binomial`.
    """

    loss: str
    output: str

    def value(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each row, summed over the components (n,)."""
        from torch.nn import functional

        logits, target = logits.float().flatten(1), target.flatten(1)
        if self.loss == "squared":
            squared: Tensor = (self.output_of(logits) - target).square()
            return squared.sum(dim=1)
        if self.loss == "cross-entropy":
            return functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(dim=1)
        if self.loss == "beta-binomial":
            return -beta_binomial.log_probability(logits, target).sum(dim=1)
        shares = target.square()  # the input is the root of the shares, see `scaled`
        shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(1e-9)
        return -(shares * functional.log_softmax(logits, dim=1)).sum(dim=1)

    @property
    def unit(self) -> str:
        """The unit of `value`."""
        return {
            "squared": "squared error summed over an item",
            "cross-entropy": "nats per item",
            "beta-binomial": "nats per item",
            "counts": "nats per word",
        }[self.loss]

    def output_of(self, logits: Tensor) -> Tensor:
        """Return the reconstruction: the output activation of the last linear map."""
        if self.output == "linear":
            return logits
        if self.output == "beta-mean":
            return beta_binomial.mean(logits)
        return logits.sigmoid() if self.output == "sigmoid" else logits.softmax(dim=1)

    def start(self, rows: Rows) -> NDArray[np.float32]:
        """Return the initial bias of the output: its output is then the mean of the data."""
        matrix: Any = rows.matrix
        if self.output == "softmax":  # shares: the squares of the rows, see `scaled`
            matrix = matrix.power(2) if rows.sparse else np.square(matrix)
        mean = np.asarray(matrix.mean(axis=0), dtype=np.float64).ravel()
        if self.output == "sigmoid":
            mean = np.clip(mean, 1e-3, 1 - 1e-3)
            mean = np.log(mean / (1 - mean))
        elif self.output == "softmax":
            mean = np.log(mean / max(mean.sum(), 1e-9) + 1e-6)
        elif self.output == "beta-mean":
            mean = np.clip(mean, 1e-3, 1 - 1e-3)
            mean = np.log(np.concatenate([mean, 1 - mean]))
        return mean.astype(np.float32)


def chosen(name: str, loss: str, output: str, rows: Rows, bounded: str = "squared") -> ReconstructionLoss:
    """Return the loss for these rows; ``auto`` depends on their values, `bounded` is its loss for values in [0, 1].

    Raises
    ------
    OptionError
        When the loss does not apply to these values.
    """
    low, high = float(rows.matrix.min()), float(rows.matrix.max())
    within = low >= 0 and high <= 1
    if loss == "auto":
        loss = "counts" if rows.sparse else bounded if within else "squared"
    if loss == "squared":
        return ReconstructionLoss(loss, output if output != "auto" else "sigmoid" if within else "linear")
    if loss == "cross-entropy" and rows.sparse:
        raise OptionError(f"{name}: loss=cross-entropy compares values in [0, 1], sparse rows are counts: loss=counts")
    if loss == "cross-entropy" and not within:
        raise OptionError(f"{name}: loss=cross-entropy needs values in [0, 1], found {low:g} to {high:g}")
    if loss == "beta-binomial":
        beta_binomial.require_levels(name, rows.matrix)
        return ReconstructionLoss(loss, OUTPUT_OF_LIKELIHOOD[loss])
    return ReconstructionLoss(loss, OUTPUT_OF_LOSS[loss])


def scaled(matrix: Codes, loss: str = "auto") -> Codes:
    """Return word counts (sparse, or with ``loss=counts``) as the square root of 100 times their share, about 1.

    Raises
    ------
    BadItemError
        When there are negative counts.
    """
    if not issparse(matrix) and loss != "counts":
        return matrix
    _require_counts(matrix)
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    if not issparse(matrix):
        return np.asarray(np.sqrt(100 * matrix / np.where(sums > 0, sums, 1)[:, None]), dtype=np.float32)
    shares: Any = matrix.copy()
    shares.data = np.repeat(1 / np.where(sums > 0, sums, 1), np.diff(matrix.indptr)) * matrix.data
    shares.data = np.sqrt(shares.data * 100).astype(np.float32)
    return shares


def roots(matrix: Codes) -> Codes:
    """Return square roots of word counts; unlike `scaled`, they depend on the length of the document.

    Raises
    ------
    BadItemError
        When there are negative counts.
    """
    _require_counts(matrix)
    return matrix.sqrt() if issparse(matrix) else np.sqrt(matrix, dtype=np.float32)


def as_scaled(roots: Tensor) -> Tensor:
    """Return the result of `scaled` for counts from their `roots`: the encoder sees shares of any document length.

    Examples
    --------
    >>> import torch
    >>> as_scaled(torch.tensor([[4.0, 3.0]])).tolist() == scaled(np.float32([[16, 9]]), "counts").tolist() == [[8, 6]]
    True
    """
    lengths: Tensor = roots.square().sum(dim=1, keepdim=True).sqrt()
    return 10 * roots / lengths.clamp_min(1e-9)


def _require_counts(matrix: Codes) -> None:
    if matrix.size and matrix.min() < 0:
        raise BadItemError(
            f"sparse rows, and all rows with loss=counts, are word counts, but one value is {matrix.min():g}: "
            "make them dense (lsa, random-projection), or use another loss"
        )


def reconstruction_error(items: NDArray[Any], decoded: NDArray[Any]) -> float:
    """Return the squared error summed over the components, averaged over the items."""
    return float(np.square(items - decoded).sum(axis=1).mean())
