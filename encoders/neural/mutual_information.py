"""Losses of a discriminator between matched and mismatched pairs (x, z), from its scores φ(x, z).

A small loss L_D means that z identifies its x: minus the loss measures the information that x and z share.

References
----------
Hjelm, Fedorov, Lavoie-Marchildon, Grewal, Bachman, Trischler & Bengio, Learning deep representations by mutual
information estimation and maximization, ICLR 2019, section 3 and equations 4 to 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

#: Smooth upper bound of the scores: pairs that are easy to distinguish have little effect on the gradient.
LARGEST_SCORE = 20.0


def pair_scores(global_codes: Tensor, local_codes: Tensor) -> Tensor:
    """Return the score of every code with every position of every item.

    Parameters
    ----------
    global_codes : Tensor (n, d)
        One vector per item.
    local_codes : Tensor (n, positions, d)
        One vector for each position of each item.

    Returns
    -------
    Tensor (n, n, positions)
        ``[i, j, l]``: code i with position l of item j; matched if i = j.

    References
    ----------
    Bachman, Hjelm & Buchwalter, Learning representations by maximizing mutual information across views, NeurIPS 2019,
    section 3.4 (bounded scores).
    """
    import torch

    scores = torch.einsum("id,jld->ijl", global_codes, local_codes) / math.sqrt(global_codes.shape[1])
    bounded: Tensor = LARGEST_SCORE * torch.tanh(scores / LARGEST_SCORE)
    return bounded


def split_pairs(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scores of matched pairs (n, positions) and of mismatched pairs (n, n - 1, positions).

    Examples
    --------
    >>> import torch
    >>> matched, mismatched = split_pairs(torch.arange(4.0).view(2, 2, 1))
    >>> matched.flatten().tolist(), mismatched.flatten().tolist()
    ([0.0, 3.0], [1.0, 2.0])
    """
    import torch

    count, _, positions = scores.shape
    matched = torch.diagonal(scores, dim1=0, dim2=1).T
    # after the first score, each row of count + 1 ends with one of the diagonal
    rows = scores.flatten(0, 1)[1:].view(max(0, count - 1), count + 1, positions)
    return matched, rows[:, :-1].reshape(count, max(0, count - 1), positions)


def jensen_shannon(matched: Tensor, mismatched: Tensor) -> Tensor:
    """Return the binary cross-entropy between matched and mismatched pairs, in nats; ln 2 is chance.

    Examples
    --------
    >>> import torch
    >>> round(float(jensen_shannon(torch.zeros(2, 1), torch.zeros(2, 1, 1))), 4)
    0.6931
    """
    from torch.nn import functional

    loss: Tensor = (functional.softplus(-matched).mean() + functional.softplus(mismatched).mean()) / 2
    return loss


def info_nce(matched: Tensor, mismatched: Tensor) -> Tensor:
    """Return the cross-entropy of finding the matched pair among the mismatched ones of its code, in nats.

    With m mismatched pairs, chance is ln(m + 1). Chance minus the loss is a lower bound of the mutual information.

    Examples
    --------
    >>> import torch
    >>> round(float(info_nce(torch.zeros(4, 1), torch.zeros(4, 3, 1))), 4)  # one of four
    1.3863

    References
    ----------
    van den Oord, Li & Vinyals, Representation learning with contrastive predictive coding, 2018, equation 4.
    """
    import torch

    others = mismatched.flatten(1).logsumexp(dim=1, keepdim=True)
    loss: Tensor = (torch.logaddexp(others, matched) - matched).mean()
    return loss


def donsker_varadhan(matched: Tensor, mismatched: Tensor) -> Tensor:
    """Return minus the bound of Donsker and Varadhan in nats; 0 is chance.

    Examples
    --------
    >>> import torch
    >>> float(donsker_varadhan(torch.ones(4, 1), torch.ones(4, 3, 1)))
    0.0

    References
    ----------
    Belghazi et al., Mutual information neural estimation, ICML 2018, equation 10.
    """
    loss: Tensor = mismatched.flatten().logsumexp(dim=0) - math.log(mismatched.numel()) - matched.mean()
    return loss


def matched_alone(matched: Tensor, mismatched: Tensor) -> Tensor:
    """Return minus the mean score of matched pairs, without mismatched pairs.

    With the score φ(x, z) = -|x - D(z)|², this is the loss of an autoencoder with the decoder D.
    """
    loss: Tensor = -matched.mean()
    return loss


def reconstruction_scores(items: Tensor, reconstructions: Tensor) -> Tensor:
    """Return φ(x, z) = -|x - D(z)|² for matched pairs (n, 1): with it, the training is that of an autoencoder.

    Parameters
    ----------
    items, reconstructions : Tensor (n, width)
    """
    return -(items - reconstructions).square().sum(dim=1, keepdim=True)


Estimator = Callable[["Tensor", "Tensor"], "Tensor"]
ESTIMATORS: dict[str, Estimator] = {"infonce": info_nce, "jsd": jensen_shannon, "dv": donsker_varadhan}
