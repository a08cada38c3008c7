"""Terms of the losses of a generative adversarial network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def gradient_penalty(discriminator: Any, items: Tensor, codes: Tensor) -> Tensor:
    """Return the mean squared length of the discriminator's gradient at matched pairs (R1).

    Parameters
    ----------
    discriminator : callable
        ``discriminator(items, codes)`` -> logits (n,).
    items : Tensor (n, width)
    codes : Tensor (n, k)

    Returns
    -------
    Tensor ()
        With a graph, so that its gradient can be computed.

    References
    ----------
    Mescheder, Geiger & Nowozin 2018, equation 9.

    Examples
    --------
    >>> import torch
    >>> slope = torch.tensor([3.0, 4.0])
    >>> float(gradient_penalty(lambda x, z: x @ slope, torch.zeros(5, 2), torch.zeros(5, 1)).detach())
    25.0
    """
    import torch

    with torch.autocast(items.device.type, enabled=False), torch.enable_grad():
        items, codes = items.detach().requires_grad_(), codes.detach().requires_grad_()
        gradients = torch.autograd.grad(
            discriminator(items, codes).sum(), (items, codes), create_graph=True, materialize_grads=True
        )
        squares = [gradient.square().sum(dim=1) for gradient in gradients]
    total: Tensor = torch.stack(squares).sum(dim=0).mean()
    return total


def logistic_loss(high: Tensor, low: Tensor) -> Tensor:
    """Return the loss of a player that wants some logits of the discriminator high, and others low.

    Parameters
    ----------
    high, low : Tensor (n,)

    Returns
    -------
    Tensor ()

    Examples
    --------
    >>> import torch
    >>> at_random = torch.zeros(4)
    >>> round(float(logistic_loss(at_random, at_random)), 3)
    1.386
    """
    from torch.nn import functional

    total: Tensor = functional.softplus(-high.float()).mean() + functional.softplus(low.float()).mean()
    return total


def lost_variance(items: Tensor, copies: Tensor) -> Tensor:
    """Return the squared error of copies as a share of that of the mean item.

    Parameters
    ----------
    items, copies : Tensor (n, width)

    Returns
    -------
    Tensor ()

    Examples
    --------
    >>> import torch
    >>> items = torch.tensor([[0.0], [2.0]])
    >>> float(lost_variance(items, items)), float(lost_variance(items, torch.ones(2, 1)))
    (0.0, 1.0)
    """
    error, variance = (copies - items).square().sum(), (items - items.mean(dim=0)).square().sum()
    return error / variance.clamp_min(1e-12)
