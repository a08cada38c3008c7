"""A network in integers gives the same outputs in any order of summation, close to those of floats."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from encoders.errors import ArtifactError
from encoders.neural.layers import Layer, forward
from retrieval.applications.compression.fixed_point import FRACTION, activation, rounded_shift
from retrieval.applications.compression.integer_network import MAX_INPUTS, RANGE, IntegerNetwork, fingerprint

RNG = np.random.default_rng(0)
ONE = 1 << FRACTION


def layers(*widths: int, hidden: str = "silu") -> list[Layer]:
    made = []
    for number, (before, after) in enumerate(pairwise(widths)):
        # units of very different size, as a folded batch normalisation gives
        weight = RNG.normal(0, 1 / before**0.5, (after, before)) * RNG.lognormal(0, 1, (after, 1))
        last = number == len(widths) - 2
        made.append(
            Layer(weight.astype(np.float32), RNG.normal(0, 0.5, after).astype(np.float32), "linear" if last else hidden)
        )
    return made


NETWORK = layers(784, 300, 200, 40)
ROWS = RNG.integers(0, ONE + 1, (60, 784)).astype(np.int64)


@pytest.mark.parametrize("hidden", ["silu", "relu", "tanh", "sigmoid"])
def test_outputs_are_close_to_those_of_floats(hidden):
    network = layers(784, 300, 200, 40, hidden=hidden)
    expected = forward(network, (ROWS / ONE).astype(np.float32))
    found = IntegerNetwork(network)(ROWS) / ONE
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=0.02 * expected.std())


def test_outputs_are_those_of_integer_products():
    rows = ROWS
    for layer in IntegerNetwork(NETWORK)._layers:
        sums = np.einsum("nd,kd->nk", rows, layer.weight.astype(np.int64)) + layer.bias
        rows = np.clip(rounded_shift(sums, layer.shift), -ONE << RANGE, ONE << RANGE)
        rows = layer._activation(rows)
    np.testing.assert_array_equal(IntegerNetwork(NETWORK)(ROWS), rows)


def test_a_sum_at_the_limit_of_the_format_is_exact():
    width = 4096
    network = IntegerNetwork([Layer(np.full((3, width), 1, np.float32), np.full(3, 0.25, np.float32), "relu")])
    rows = np.full((2, width), 1, dtype=np.int64)
    rows[:, 0] = (1 << (RANGE + FRACTION)) - width
    assert network(rows).tolist() == [[ONE << RANGE] * 3] * 2
    rows[:, 0] -= 5000
    assert network(rows).tolist() == [[int(rows[0].sum()) + ONE // 4] * 3] * 2


def test_one_row_alone_or_among_others_with_any_threads_gives_the_same():
    network = IntegerNetwork(NETWORK)
    whole = network(ROWS)
    for threads in (1, 2):
        with threadpool_limits(threads):
            np.testing.assert_array_equal(np.concatenate([network(ROWS[row : row + 1]) for row in range(60)]), whole)
            np.testing.assert_array_equal(network(ROWS[::-1])[::-1], whole)
    order = RNG.permutation(784)  # the inputs in another order: another order of summation
    first = NETWORK[0]
    permuted = [Layer(first.weight[:, order].copy(), first.bias, first.activation), *NETWORK[1:]]
    np.testing.assert_array_equal(IntegerNetwork(permuted)(ROWS[:, order]), whole)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 5000.0])
@pytest.mark.parametrize("where", ["weight", "bias"])
def test_weights_that_are_no_moderate_numbers_are_refused(wrong, where):
    parts = {"weight": np.ones((2, 3), np.float32), "bias": np.ones(2, np.float32)}
    parts[where].flat[1] = wrong
    with pytest.raises(ArtifactError, match="not numbers or are above 1,024"):
        IntegerNetwork([Layer(**parts, activation="relu")])


def test_a_layer_that_is_too_wide_is_refused():
    wide = np.broadcast_to(np.float32(1), (1, MAX_INPUTS + 1))
    with pytest.raises(ArtifactError, match="train a smaller network"):
        IntegerNetwork([Layer(wide, np.ones(1, np.float32), "relu")])


def test_units_without_weights_give_their_bias():
    network = IntegerNetwork([Layer(np.zeros((2, 3), np.float32), np.array([0.5, -3], np.float32), "linear")])
    assert (network(ROWS[:1, :3]) / ONE).tolist() == [[0.5, -3]]


def test_a_fingerprint_changes_with_any_weight():
    changed = [Layer(layer.weight.copy(), layer.bias, layer.activation) for layer in NETWORK]
    changed[1].weight[3, 4] += 0.01
    assert fingerprint(IntegerNetwork(NETWORK)) == fingerprint(IntegerNetwork(NETWORK))
    assert fingerprint(IntegerNetwork(NETWORK)) != fingerprint(IntegerNetwork(changed))
    assert activation("linear")(ROWS) is ROWS


def test_layers_that_do_not_fit_each_other_are_refused():
    with pytest.raises(ArtifactError, match="do not fit each other"):
        IntegerNetwork([*layers(5, 4), *layers(3, 2)])
