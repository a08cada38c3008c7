"""The losses of a discriminator of pairs: chance, direction, and the autoencoder as a special case."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from encoders.neural.mutual_information import (  # noqa: E402
    ESTIMATORS,
    LARGEST_SCORE,
    matched_alone,
    pair_scores,
    reconstruction_scores,
    split_pairs,
)
from encoders.registry import create  # noqa: E402

CHANCE = {"infonce": math.log(1 + 7 * 3), "jsd": math.log(2), "dv": 0.0}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_discriminator_that_knows_nothing_has_the_loss_of_chance(name):
    loss = ESTIMATORS[name](torch.zeros(8, 3), torch.zeros(8, 7, 3))
    assert float(loss) == pytest.approx(CHANCE[name], abs=1e-5)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_telling_pairs_apart_lowers_every_loss_and_mixing_them_up_raises_it(name):
    estimate = ESTIMATORS[name]
    right = float(estimate(torch.full((8, 3), 4.0), torch.full((8, 7, 3), -4.0)))
    wrong = float(estimate(torch.full((8, 3), -4.0), torch.full((8, 7, 3), 4.0)))
    assert right < CHANCE[name] < wrong


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_order_of_the_items_changes_no_loss(name):
    scores = torch.randn(6, 6, 2, generator=torch.Generator().manual_seed(0))
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    losses = [float(ESTIMATORS[name](*split_pairs(one))) for one in (scores, scores[order][:, order])]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_pairs_are_split_by_the_item_that_they_come_of():
    scores = torch.arange(3 * 3 * 2.0).view(3, 3, 2)
    matched, mismatched = split_pairs(scores)
    assert matched.tolist() == [scores[i, i].tolist() for i in range(3)]
    assert mismatched.tolist() == [[scores[i, j].tolist() for j in range(3) if j != i] for i in range(3)]


def test_scores_are_inner_products_that_stay_bounded():
    codes, places = torch.full((2, 4), 1e3), torch.full((2, 1, 4), 1e3)
    assert float(pair_scores(codes, places).max()) <= LARGEST_SCORE
    small = pair_scores(torch.ones(1, 4), torch.ones(1, 1, 4))
    assert float(small) == pytest.approx(4 / math.sqrt(4), rel=1e-2)


def test_an_autoencoder_is_the_discriminator_that_scores_by_reconstruction_and_sees_no_mismatched_pair():
    """φ(x, z) = -|x - D(z)|²: the loss and every gradient are those of `deep-ae`."""
    rows = np.random.default_rng(0).normal(size=(16, 6)).astype(np.float32)
    encoder = create("deep-ae:8-3,epochs=1,norm=none,output=linear,loss=squared")
    prepared, network = encoder._prepare(rows, None)
    batch = prepared.take(torch.arange(16))
    network.eval()

    def gradients(loss):
        network.zero_grad()
        loss.backward()
        return [parameter.grad.clone() for parameter in network.parameters()]

    reconstruction = encoder._objective()(network, batch)
    as_autoencoder = gradients(reconstruction)
    scores = reconstruction_scores(batch, network["decoder"](network["encoder"](batch)))
    discriminated = matched_alone(scores, torch.empty(16, 0, 1))
    assert float(discriminated.detach()) == pytest.approx(float(reconstruction.detach()), rel=1e-5)
    as_discriminator = gradients(discriminated)
    assert len(as_autoencoder) == 8
    for one, other in zip(as_autoencoder, as_discriminator, strict=True):
        assert float((one - other).abs().max()) <= 1e-5
        assert float(one.abs().max()) > 0
