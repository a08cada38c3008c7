"""Greedy layer-wise pretraining: initial weights of one layer at a time, each from the codes of the layer below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from encoders.codes import Codes
from encoders.errors import OptionError
from encoders.neural.reconstruction_loss import ReconstructionLoss
from encoders.neural.training_rows import Rows

if TYPE_CHECKING:
    from torch import Tensor, nn

#: ``train(layer, loss, rows, number, rate)``: trains layer `number`; `rate` multiplies the learning rate.
Train = Callable[..., None]
#: A layer of the encoder and the matching layer of the decoder.
Pair = tuple[Any, Any]
#: Learning rate of Gaussian hidden units, relative to binary ones (Hinton & Salakhutdinov 2006, supporting text).
GAUSSIAN_RATE = 0.1
#: Rows per forward pass.
ROWS = 4096


def layerwise(
    pairs: Sequence[Pair],
    rows: Rows,
    reconstruction_loss: ReconstructionLoss,
    corrupted: Callable[[Tensor, bool], Tensor],
    train: Train,
) -> None:
    """Train each layer in place as an autoencoder of the codes below it; the layers below are fixed.

    Parameters
    ----------
    pairs : sequence of (encoder layer, decoder layer)
        From the input to the code.
    rows : Rows
    reconstruction_loss : ReconstructionLoss
        The loss of the first layer; the loss of the other layers is the squared error.
    corrupted : callable
        ``corrupted(batch, training)`` -> the input of each layer; with noise, a stacked denoising autoencoder.
    train : callable

    References
    ----------
    Bengio, Lamblin, Popovici & Larochelle, Greedy layer-wise training of deep networks, NIPS 2006, section 4;
    Vincent et al., Stacked denoising autoencoders, JMLR 11, 2010.
    """
    import torch

    hidden_loss = ReconstructionLoss("squared", "linear")
    for number, (down, up) in enumerate(pairs, start=1):
        layer_loss = reconstruction_loss if number == 1 else hidden_loss

        def loss(layer: nn.Module, batch: Tensor, layer_loss: ReconstructionLoss = layer_loss) -> Tensor:
            return layer_loss.value(layer[1](layer[0](corrupted(batch, layer.training))), batch).mean()  # type: ignore[index]

        train(torch.nn.ModuleList([down, up]), loss, rows, number)
        if number < len(pairs):
            rows = Rows(_through(down, rows))


def rbm(
    name: str,
    pairs: Sequence[Pair],
    rows: Rows,
    reconstruction_loss: ReconstructionLoss,
    train: Train,
    binary_code: bool = False,
) -> None:
    """Train each layer as a restricted Boltzmann machine by one step of contrastive divergence, in place.

    Units are binary; those of the code are Gaussian with variance 1 unless it is a `binary_code`. The gradient of the
    difference between the free energies of the data and of their one-step reconstruction is the update of contrastive
    divergence, so the same training loop is used.

    Raises
    ------
    OptionError
        When the values are not probabilities, or the layers or the output are not plain sigmoid units.

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
        activations = [type(module) for module in down[1:]]
        if activations != [nn.Sigmoid] and not (number == len(pairs) and activations == []):
            raise OptionError(f"{name}: pretrain=rbm trains sigmoid units: add activation=sigmoid,norm=none")
    if reconstruction_loss.output != "sigmoid":
        raise OptionError(
            f"{name}: pretrain=rbm needs a sigmoid output, the decoder has {reconstruction_loss.output}: "
            "leave output out"
        )
    for number, (down, up) in enumerate(pairs, start=1):
        is_code = number == len(pairs)
        gaussian = is_code and not binary_code
        machine = nn.ParameterList([down[0].weight, down[0].bias, up[0].bias])
        train(machine, _contrastive(gaussian), rows, number, GAUSSIAN_RATE if gaussian else 1.0)
        if isinstance(up[0], nn.Linear):
            up[0].weight.data.copy_(down[0].weight.data.T)
        if not is_code:
            rows = Rows(_through(down, rows))


def _contrastive(gaussian: bool) -> Any:
    """Return the loss: difference of free energies in training, squared reconstruction error in validation."""
    import torch
    from torch.nn import functional

    def energy(machine: Any, visible: Tensor) -> Tensor:
        weight, hidden_bias, visible_bias = machine
        inputs = functional.linear(visible, weight, hidden_bias).float()
        hidden = inputs.square() / 2 if gaussian else functional.softplus(inputs)
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
    """Return the codes of all rows, block by block, with the layer in evaluation mode."""
    import torch

    layer.eval()
    with torch.no_grad():
        blocks = torch.arange(len(rows)).split(ROWS)  # type: ignore[no-untyped-call]
        return np.concatenate([layer(rows.take(positions)).numpy() for positions in blocks])
