"""Losses of a discriminator that tells matched pairs (x, z) from mismatched ones, by its scores φ(x, z).

A small loss L_D means that z says which x it came from: minus the loss is a lower bound of what x and z have in common.

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

#: What a score is kept below, smoothly: a few pairs that are told apart with ease take no part in the gradient.
LARGEST_SCORE = 20.0


def pair_scores(global_codes: Tensor, local_codes: Tensor) -> Tensor:
    """Return the score of every code with every place of every item.

    Parameters
    ----------
    global_codes : Tensor (n, d)
        One vector an item.
    local_codes : Tensor (n, places, d)
        One vector for each place of each item.

    Returns
    -------
    Tensor (n, n, places)
        ``[i, j, l]``: code i with place l of item j; matched where i = j.

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
    """Return the scores of matched pairs (n, places) and of mismatched ones (n, n - 1, places).

    Examples
    --------
    >>> import torch
    >>> matched, mismatched = split_pairs(torch.arange(4.0).view(2, 2, 1))
    >>> matched.flatten().tolist(), mismatched.flatten().tolist()
    ([0.0, 3.0], [1.0, 2.0])
    """
    import torch

    count = len(scores)
    matched = torch.diagonal(scores, dim1=0, dim2=1).T
    others = ~torch.eye(count, dtype=torch.bool, device=scores.device)
    return matched, scores[others].view(count, count - 1, -1)


def jensen_shannon(matched: Tensor, mismatched: Tensor) -> Tensor:
    """Return the binary cross-entropy of telling the two kinds of pairs apart, in nats; ln 2 is chance.

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

    With m mismatched pairs, chance is ln(m + 1); that less the loss bounds the mutual information from below.

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
    """Return minus the mean score of matched pairs: no mismatched pair takes part.

    With the score φ(x, z) = -|x - D(z)|², this is the loss of an autoencoder with the decoder D.
    """
    loss: Tensor = -matched.mean()
    return loss


def reconstruction_scores(items: Tensor, reconstructions: Tensor) -> Tensor:
    """Return φ(x, z) = -|x - D(z)|² for matched pairs (n, 1): the discriminator that makes an autoencoder.

    Parameters
    ----------
    items, reconstructions : Tensor (n, width)
    """
    return -(items - reconstructions).square().sum(dim=1, keepdim=True)


Estimator = Callable[["Tensor", "Tensor"], "Tensor"]
ESTIMATORS: dict[str, Estimator] = {"infonce": info_nce, "jsd": jensen_shannon, "dv": donsker_varadhan}
