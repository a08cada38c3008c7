"""Plain PyTorch loops of the methods with several players, as an engineer would write them: fp32, AdamW, shuffled rows.

Each takes the networks of our encoder (new ones, with their first weights) and steps on the same rows, in mini-batches
of the same size, with the same losses. What can be shared within a step is computed once: generated items and inferred
codes serve both players, and the content of a mini-batch all updates of the adversary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch.nn import functional

from encoders.neural.disentangle_networks import SAVED, partners
from encoders.neural.gan import PENALTY_STRIDE
from encoders.neural.gan_losses import gradient_penalty
from encoders.neural.mutual_information import ESTIMATORS, split_pairs


def infomax(model: Any, network: Any, examples: Any, training: Any, epochs: int) -> None:
    """One player: the encoder with the discriminator of pairs (local term)."""
    encoder, discriminator = network["encoder"], network["local"]
    optimizer = _optimizer(network.parameters(), 0.9)
    estimate = ESTIMATORS[model.estimator]
    for rows in _batches(model, examples, training, epochs):
        pictures = encoder.pictures(rows)
        first, second = (encoder(model._view(pictures)) for _ in range(2))
        loss: Any = 0.0
        for one, other in ((first, second), (second, first)):
            scores = discriminator(one.code, model._some(other.positions))
            loss = loss + model.local_weight / 2 * estimate(*split_pairs(scores))
        _step(optimizer, loss)


def gan(model: Any, network: Any, examples: Any, training: Any, epochs: int) -> None:
    """Two players: the discriminator of pairs, and generator with inference network; a moving average of the latter."""
    generator, inference, discriminator = (network[name] for name in ("generator", "inference", "discriminator"))
    judging = _optimizer(discriminator.parameters(), 0.5)
    deceiving = _optimizer([*generator.parameters(), *inference.parameters()], 0.5)
    for rows in _batches(model, examples, training, epochs):
        codes = torch.randn(len(rows), model.n_components)
        made = model._output.output_of(generator(codes))
        inferred = inference(inference.pictures(rows)).code
        real, fake = discriminator(rows, inferred.detach()), discriminator(made.detach(), codes)
        loss = functional.softplus(-real).mean() + functional.softplus(fake).mean()
        part = len(rows) // PENALTY_STRIDE
        loss = loss + model.penalty * gradient_penalty(discriminator, rows[:part], inferred[:part])
        _step(judging, loss / 2)
        deceived = (
            functional.softplus(discriminator(rows, inferred)).mean()
            + functional.softplus(-discriminator(made, codes)).mean()
        )
        _step(deceiving, deceived / 2)
        for name in ("generator", "inference"):
            network[f"average {name}"].update(network[name])


def disentangle(model: Any, network: Any, examples: Any, training: Any, epochs: int) -> None:
    """Two players: encoders with decoder and reader, and the adversary, which is updated several times."""
    adversary = network["adversary"]
    learning = _optimizer([one for name in (*SAVED, "reader") for one in network[name].parameters()], 0.9)
    opposing = _optimizer(adversary.parameters(), 0.9)
    for rows, classes in _batches(model, examples, training, epochs):
        clean = network["content"](rows)
        content = clean + torch.randn_like(clean)
        nuisance = network["nuisance"](rows)
        copy = network["decoder"](torch.cat([content, nuisance[partners(classes)]], dim=1))
        loss = model._output.value(copy, rows).mean()
        loss = loss + model.bottleneck * clean.square().sum(dim=1).mean() / 2
        loss = loss + model.nuisance_weight * functional.cross_entropy(network["reader"](nuisance), classes)
        guess = adversary(content).log_softmax(dim=1).mean()
        _step(learning, loss - model.adversary_weight * (guess + math.log(len(model.classes))))
        with torch.no_grad():
            clean = network["content"](rows)
        for _ in range(model.adversary_steps):
            _step(opposing, functional.cross_entropy(adversary(clean + torch.randn_like(clean)), classes))


def _optimizer(parameters: Any, momentum: float) -> Any:
    return torch.optim.AdamW(parameters, lr=1e-3, betas=(momentum, 0.999))


def _batches(model: Any, examples: Any, training: Any, epochs: int) -> Iterator[Any]:
    for _ in range(epochs):
        order = training[torch.randperm(len(training))]
        for start in range(0, len(order), model.batch_size):
            yield examples.take(order[start : start + model.batch_size])


def _step(optimizer: Any, loss: Any) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


#: Names of methods with several players -> their loops.
LOOPS = {"deep InfoMax": infomax, "GAN": gan, "disentangled": disentangle}
