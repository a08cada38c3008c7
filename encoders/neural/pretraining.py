"""Greedy layer-wise pretraining: first weights found one layer at a time, each on the codes of the one below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from encoders.codes import Codes
from encoders.errors import OptionError
from encoders.neural.reconstruction_loss import Visible
from encoders.neural.rows import Rows

if TYPE_CHECKING:
    from torch import Tensor, nn

#: ``train(layer, loss, rows, number, rate)``: the one loop, told the number of the layer and a factor of the rate.
Train = Callable[..., None]
#: A layer of the encoder and the layer of the decoder that undoes it.
Pair = tuple[Any, Any]
#: Gaussian hidden units bear a tenth of the rate of binary ones (Hinton & Salakhutdinov 2006, supporting text).
GAUSSIAN_RATE = 0.1
#: Rows sent through a layer at a time.
PIECE = 4096


def layerwise(
    pairs: Sequence[Pair], rows: Rows, visible: Visible, spoilt: Callable[[Tensor, bool], Tensor], train: Train
) -> None:
    """Train each layer as an autoencoder of the codes below it, in place, the layers below fixed.

    Parameters
    ----------
    pairs : sequence of (encoder layer, decoder layer)
        From the input to the code.
    rows : Rows
    visible : Visible
        The loss of the first layer; codes further up are compared by squared error.
    spoilt : callable
        ``spoilt(batch, training)`` -> what each layer sees: with noise, a stacked denoising autoencoder.
    train : callable

    References
    ----------
    Bengio, Lamblin, Popovici & Larochelle, Greedy layer-wise training of deep networks, NIPS 2006, section 4;
    Vincent et al., Stacked denoising autoencoders, JMLR 11, 2010.
    """
    import torch

    hidden = Visible("squared", "linear")
    for number, (down, up) in enumerate(pairs, start=1):
        side = visible if number == 1 else hidden

        def loss(layer: nn.Module, batch: Tensor, side: Visible = side) -> Tensor:
            return side.value(layer[1](layer[0](spoilt(batch, layer.training))), batch).mean()  # type: ignore[index]

        train(torch.nn.ModuleList([down, up]), loss, rows, number)
        if number < len(pairs):
            rows = Rows(_through(down, rows))


def rbm(
    name: str, pairs: Sequence[Pair], rows: Rows, visible: Visible, train: Train, binary_code: bool = False
) -> None:
    """Train each layer as a restricted Boltzmann machine by one step of contrastive divergence, in place.

    Units are binary, those of the code Gaussian with variance 1 unless it is a `binary_code`. The gradient of the
    difference of free energies of data and of their one-step reconstruction IS the update of contrastive divergence, so
    that the one loop serves.

    Raises
    ------
    OptionError
        When the values are no probabilities, or the layers or the output no plain sigmoid units.

    References
    ----------
    Hinton, Training products of experts by minimizing contrastive divergence, Neural Computation 14, 2002;
    Hinton & Salakhutdinov, Science 313, 2006, supporting online material.
    """
    from torch import nn

    low, high = float(rows.matrix.min()), float(rows.matrix.max())
    if low < 0 or high > 1:
        raise OptionError(f"{name}: pretrain=rbm needs values in [0, 1], found {low:g} to {high:g}")
    for number, (down, _) in enumerate(pairs, start=1):
        behind = [type(part) for part in down[1:]]
        if behind != [nn.Sigmoid] and not (number == len(pairs) and behind == []):
            raise OptionError(f"{name}: pretrain=rbm learns sigmoid units: add activation=sigmoid,norm=none")
    if visible.output != "sigmoid":
        raise OptionError(
            f"{name}: pretrain=rbm paints by a sigmoid, the decoder by {visible.output}: leave output out"
        )
    for number, (down, up) in enumerate(pairs, start=1):
        top = number == len(pairs)
        gaussian = top and not binary_code
        machine = nn.ParameterList([down[0].weight, down[0].bias, up[0].bias])
        train(machine, _contrastive(gaussian), rows, number, GAUSSIAN_RATE if gaussian else 1.0)
        if isinstance(up[0], nn.Linear):
            up[0].weight.data.copy_(down[0].weight.data.T)
        if not top:
            rows = Rows(_through(down, rows))


def _contrastive(gaussian: bool) -> Any:
    """Return the loss: free energies apart in training, squared error of the reconstruction where it is measured."""
    import torch
    from torch.nn import functional

    def energy(machine: Any, visible: Tensor) -> Tensor:
        weight, hidden_bias, visible_bias = machine
        into = functional.linear(visible, weight, hidden_bias).float()
        hidden = into.square() / 2 if gaussian else functional.softplus(into)
        total: Tensor = -(visible @ visible_bias) - hidden.sum(dim=1)
        return total

    def loss(machine: Any, batch: Tensor) -> Tensor:
        weight, hidden_bias, visible_bias = machine
        with torch.no_grad():
            mean = functional.linear(batch, weight, hidden_bias).float()
            mean = mean if gaussian else mean.sigmoid()
            if machine.training:
                hidden = mean + torch.randn_like(mean) if gaussian else torch.bernoulli(mean)
            else:
                hidden = mean
            seen = functional.linear(hidden, weight.T, visible_bias).float().sigmoid()
        if not machine.training:
            error: Tensor = (seen - batch).square().sum(dim=1)
            return error.mean()
        return (energy(machine, batch) - energy(machine, seen)).mean()

    return loss


def _through(layer: nn.Module, rows: Rows) -> Codes:
    """Return the codes of all rows, a piece at a time, the layer in evaluation mode."""
    import torch

    layer.eval()
    with torch.no_grad():
        pieces = torch.arange(len(rows)).split(PIECE)  # type: ignore[no-untyped-call]
        return np.concatenate([layer(rows.take(places)).numpy() for places in pieces])
