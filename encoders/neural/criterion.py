"""The criterion of the discriminator, for any space: how well are pairs (item, code) told from mismatched ones.

A code represents its item where a discriminator φ, trained on matched and mismatched pairs, reaches a small loss L_D*.
Nothing is reconstructed and no label is read; the codes are frozen.
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

#: Items on which pairs are judged, as a share of all; the discriminator never sees them.
JUDGED = 0.25
#: Items among which a code looks for its own.
CROWD = 256
#: Widths of the maps of items and of codes, before their inner product.
WIDTHS = (256, 128)
#: Fewer items say nothing: a crowd to train on and one to judge.
LEAST = 64


@dataclass(frozen=True)
class Criterion:
    """What a discriminator learnt about the pairs of one space, judged on items that it never saw.

    Attributes
    ----------
    loss : float
        L_D*, the binary cross-entropy of telling matched from mismatched pairs, in nats: 0 is best, ln 2 is chance.
    nats : float
        The infoNCE bound of what item and code have in common, in nats; at most `ceiling`.
    ceiling : float
        The natural logarithm of the items among which a code looks for its own.
    shuffled : float
        The loss with codes given to other items: what chance is for this discriminator.
    items : int
        Items judged.
    """

    loss: float
    nats: float
    ceiling: float
    shuffled: float
    items: int


def discriminator_criterion(
    items: Codes, codes: Codes, space: Space | None = None, epochs: int = 20, seed: int = 0
) -> Criterion:
    """Train discriminators on pairs of items and codes, and judge them on held-out items.

    Parameters
    ----------
    items : array or csr_array float32 (n, width)
        What the codes are of, as numbers: pixels, word counts, vectors.
    codes : array or csr_array (n, k)
        Frozen codes of the items, in the same order.
    space : Space, optional
        Of the codes; packed bits need it.
    epochs : int
        Passes over the pairs.
    seed : int
        Of split, weights and order.

    Returns
    -------
    Criterion

    Raises
    ------
    BadItemError
        When there are fewer than `LEAST` items, or items and codes differ in number.

    References
    ----------
    Hjelm et al., Learning deep representations by mutual information estimation and maximization, ICLR 2019;
    van den Oord, Li & Vinyals, Representation learning with contrastive predictive coding, 2018 (the bound).

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(400, 5)).astype(np.float32)
    >>> found = discriminator_criterion(rows, rows)
    >>> found.loss < 0.35 < found.shuffled, found.nats > 1.5
    (True, True)
    """
    count = items.shape[0]
    if count != codes.shape[0]:
        raise BadItemError(f"there are {count:,} items and {codes.shape[0]:,} codes: give one code for each item")
    if count < LEAST:
        raise BadItemError(f"the criterion of the discriminator needs at least {LEAST} items, got {count:,}")
    order = np.random.default_rng(seed).permutation(count)
    judged, learnt = order[: max(LEAST // 2, round(JUDGED * count))], order[max(LEAST // 2, round(JUDGED * count)) :]
    wide, narrow = _standard(items, learnt), _standard(_numbers(codes, space), learnt)
    other = narrow[np.random.default_rng(seed + 1).permutation(count)]

    def judge(estimator: str, with_codes: NDArray[np.float32]) -> float:
        network = _trained(estimator, wide[learnt], with_codes[learnt], epochs, seed)
        return _judged(network, estimator, wide[judged], with_codes[judged])

    ceiling = math.log(min(CROWD, len(judged)))
    nats = ceiling - judge("infonce", narrow)
    return Criterion(judge("jsd", narrow), max(0.0, nats), ceiling, judge("jsd", other), len(judged))


def _numbers(codes: Codes, space: Space | None) -> Codes:
    """Return bits as one number each, other codes as they are."""
    if space is not None and space.kind is Kind.BINARY:
        return np.unpackbits(np.asarray(codes), axis=1, count=space.dim).astype(np.float32)
    return codes


def _standard(rows: Codes, learnt: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return rows with mean 0 and variance 1 in every number, by those that the discriminator learns from."""
    dense = np.asarray(rows.toarray() if issparse(rows) else rows, dtype=np.float32)
    centre, scale = dense[learnt].mean(axis=0), dense[learnt].std(axis=0)
    return np.asarray((dense - centre) / np.where(scale > 0, scale, 1), dtype=np.float32)


class _Pairs:
    """Items beside their codes, a mini-batch at a time."""

    def __init__(self, items: NDArray[np.float32], codes: NDArray[np.float32]) -> None:
        from encoders.neural.rows import Rows

        self.items, self.codes = Rows(items), Rows(codes)

    def __len__(self) -> int:
        return len(self.items)

    def digest(self) -> str:
        return self.items.digest() + self.codes.digest()

    def take(self, places: Tensor) -> tuple[Tensor, Tensor]:
        return self.items.take(places), self.codes.take(places)


def _trained(estimator: str, items: NDArray[np.float32], codes: NDArray[np.float32], epochs: int, seed: int) -> Any:
    """Return a discriminator of pairs: maps of items and of codes, compared by their inner product."""
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
    """Return the mean loss of a trained discriminator on crowds of equal size."""
    import torch

    loss, crowd = _loss(estimator), min(CROWD, len(items))
    pairs, total = _Pairs(items, codes), []
    with torch.no_grad():
        for start in range(0, len(items) - crowd + 1, crowd):
            total.append(float(loss(network, pairs.take(torch.arange(start, start + crowd)))))
    return float(np.mean(total))
