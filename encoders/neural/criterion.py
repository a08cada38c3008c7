"""The discriminator criterion of a space: how well a network distinguishes matched pairs (item, code) from mismatched.

A code represents its item if a discriminator φ, trained on matched and mismatched pairs, reaches a small loss L_D*.
It needs no reconstruction and no labels; the codes are frozen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes, Kind, Space
from encoders.errors import BadItemError
from encoders.neural.training_config import TrainingConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

#: Share of the items that is held out to measure the discriminator.
JUDGED = 0.25
#: Number of items from which the discriminator selects the item of a code.
CROWD = 256
#: Layer widths of the projections of items and of codes.
WIDTHS = (256, 128)
#: Smallest number of items.
MIN_ITEMS = 64


@dataclass(frozen=True)
class Criterion:
    """The discriminator criterion of one space, measured on held-out items.

    Attributes
    ----------
    loss : float
        L_D*, the binary cross-entropy between matched and mismatched pairs, in nats: 0 is best, ln 2 is chance.
    nats : float
        The infoNCE bound of the mutual information of item and code, in nats; at most `ceiling`.
    ceiling : float
        The largest possible `nats`: the natural logarithm of the number of compared items.
    shuffled : float
        The loss with codes assigned to random items: chance level of this discriminator.
    items : int
        Number of held-out items.
    """

    loss: float
    nats: float
    ceiling: float
    shuffled: float
    items: int


def discriminator_criterion(
    items: Codes, codes: Codes, space: Space | None = None, epochs: int = 20, seed: int = 0
) -> Criterion:
    """Train discriminators on pairs of items and codes, and measure them on held-out items.

    Parameters
    ----------
    items : array or csr_array float32 (n, width)
        The items as vectors: pixels, word counts, embeddings.
    codes : array or csr_array (n, k)
        Frozen codes of the items, in the same order.
    space : Space, optional
        Space of the codes; required for packed bits.
    epochs : int
        Passes over the pairs.
    seed : int
        Random seed of split, weights and order.

    Returns
    -------
    Criterion

    Raises
    ------
    BadItemError
        When there are fewer than `MIN_ITEMS` items, items and codes differ in number, or a value
        is NaN or infinite.

    References
    ----------
    Hjelm et al., Learning deep representations by mutual information estimation and maximization, ICLR 2019;
    van den Oord, Li & Vinyals, Representation learning with contrastive predictive coding, 2018 (the bound).

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(400, 5)).astype(np.float32)
    >>> criterion = discriminator_criterion(rows, rows)
    >>> criterion.loss < 0.35 < criterion.shuffled, criterion.nats > 1.5
    (True, True)
    """
    count = items.shape[0]
    if count != codes.shape[0]:
        raise BadItemError(f"there are {count:,} items and {codes.shape[0]:,} codes: give one code for each item")
    if count < MIN_ITEMS:
        raise BadItemError(f"the discriminator criterion needs at least {MIN_ITEMS} items, got {count:,}")
    order = np.random.default_rng(seed).permutation(count)
    judged, learnt = (
        order[: max(MIN_ITEMS // 2, round(JUDGED * count))],
        order[max(MIN_ITEMS // 2, round(JUDGED * count)) :],
    )
    wide, narrow = _standard(items, learnt), _standard(_numbers(codes, space), learnt)
    other = narrow[np.random.default_rng(seed + 1).permutation(count)]

    def judge(estimator: str, with_codes: NDArray[np.float32]) -> float:
        network = _trained(estimator, wide[learnt], with_codes[learnt], epochs, seed)
        return _judged(network, estimator, wide[judged], with_codes[judged])

    ceiling = math.log(min(CROWD, len(judged)))
    nats = ceiling - judge("infonce", narrow)
    return Criterion(judge("jsd", narrow), max(0.0, nats), ceiling, judge("jsd", other), len(judged))


def _numbers(codes: Codes, space: Space | None) -> Codes:
    """Return packed bits as one number per bit, other codes unchanged."""
    if space is not None and space.kind is Kind.BINARY:
        return np.unpackbits(np.asarray(codes), axis=1, count=space.dim).astype(np.float32)
    return codes


def _standard(rows: Codes, learnt: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return rows standardised to mean 0 and variance 1 per component, as measured on the training rows."""
    dense = np.asarray(rows.toarray() if issparse(rows) else rows, dtype=np.float32)
    if not np.isfinite(dense).all():
        raise BadItemError("the discriminator criterion reads numbers, but an item or a code holds NaN or infinity")
    # in 64 bits: the square of a large value would be infinite
    centre, scale = (moment(dense[learnt], axis=0, dtype=np.float64) for moment in (np.mean, np.std))
    return np.asarray((dense - centre) / np.where(scale > 0, scale, 1), dtype=np.float32)


class _Pairs:
    """Pairs of items and codes, read in mini-batches."""

    def __init__(self, items: NDArray[np.float32], codes: NDArray[np.float32]) -> None:
        from encoders.neural.training_rows import Rows

        self.items, self.codes = Rows(items), Rows(codes)

    def __len__(self) -> int:
        return len(self.items)

    def digest(self) -> str:
        return self.items.digest() + self.codes.digest()

    def take(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        return self.items.take(positions), self.codes.take(positions)


def _trained(estimator: str, items: NDArray[np.float32], codes: NDArray[np.float32], epochs: int, seed: int) -> Any:
    """Return a trained discriminator of pairs: projections of items and of codes, compared by their inner product."""
    import torch

    from encoders.neural.networks import mlp
    from encoders.neural.training import train

    torch.manual_seed(seed)
    network = torch.nn.ModuleDict(
        {name: mlp((rows.shape[1], *WIDTHS), "relu", "batch") for name, rows in (("item", items), ("code", codes))}
    )
    config = TrainingConfig(
        epochs=epochs, batch_size=CROWD, learning_rate=3e-3, weight_decay=0.1, warm_up=0.2, patience=0, validation=0.1,
        precision="fp32", seed=seed,
    )  # fmt: skip
    train(network, _loss(estimator), _Pairs(items, codes), config, method="the discriminator of pairs")
    return network


def _loss(estimator: str) -> Any:
    from encoders.neural.mutual_information import ESTIMATORS, pair_scores, split_pairs

    def loss(network: Any, batch: tuple[Tensor, Tensor]) -> Tensor:
        items, codes = network["item"](batch[0]), network["code"](batch[1])
        return ESTIMATORS[estimator](*split_pairs(pair_scores(codes, items.unsqueeze(1))))

    return loss


def _judged(network: nn.Module, estimator: str, items: NDArray[np.float32], codes: NDArray[np.float32]) -> float:
    """Return the mean loss of a trained discriminator on batches of equal size."""
    import torch

    loss, crowd = _loss(estimator), min(CROWD, len(items))
    pairs, total = _Pairs(items, codes), []
    with torch.no_grad():
        for start in range(0, len(items) - crowd + 1, crowd):
            total.append(float(loss(network, pairs.take(torch.arange(start, start + crowd)))))
    return float(np.mean(total))
