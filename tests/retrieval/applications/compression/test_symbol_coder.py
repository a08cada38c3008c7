"""Quantiser, models and coder: exact round trips, and rates and errors near those that theory allows."""

import numpy as np
import pytest

from encoders.errors import ArtifactError, DimensionError
from retrieval.applications.compression.bit_allocation import candidates, component_weights, for_rate, quantizer_of
from retrieval.applications.compression.quantizer import Quantizer
from retrieval.applications.compression.symbol_coder import SymbolCoder

DEVIATIONS = np.linspace(3, 0.1, 24)


def gaussian(rows, seed):
    codes = np.random.default_rng(seed).normal(size=(rows, len(DEVIATIONS))) * DEVIATIONS + 7
    return codes.astype(np.float32)


def trained(bits, codes=None):
    codes = gaussian(4096, 0) if codes is None else codes
    found = candidates(codes, np.ones(codes.shape[1]))
    return quantizer_of(codes, found, for_rate(found, bits))


@pytest.fixture(scope="module")
def quantizer():
    return trained(60)


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_symbols_come_back(quantizer, rows):
    symbols, coder = quantizer.quantize(gaussian(rows, 1)), SymbolCoder(quantizer)
    np.testing.assert_array_equal(coder.decode(coder.encode(symbols), rows), symbols)


def test_far_codes_come_back(quantizer):
    codes = gaussian(50, 1)
    codes[0, 0], codes[1, 0], codes[7, 3], codes[49] = 1e5, -1e5, 1e30, -1e30
    symbols, coder = quantizer.quantize(codes), SymbolCoder(quantizer)
    np.testing.assert_array_equal(coder.decode(coder.encode(symbols), 50), symbols)
    decoded = quantizer.dequantize(symbols)
    assert abs(decoded[0, 0] - 1e5) <= quantizer.steps[0]
    assert abs(decoded[1, 0] + 1e5) <= quantizer.steps[0]


@pytest.mark.parametrize("bits", [10, 40, 100])
def test_rate_and_error_are_near_the_bound_of_shannon(bits):
    """Uniform steps with entropy coding lose at most 1.53 dB to reverse water-filling (Gish & Pierce 1968)."""
    quantizer, test = trained(bits), gaussian(4096, 1)
    symbols = quantizer.quantize(test)
    used = 8 * len(SymbolCoder(quantizer).encode(symbols)) / len(test)
    error = float(np.square(quantizer.dequantize(symbols) - test).sum(axis=1).mean())
    low, high = 1e-9, 9.0
    for _ in range(100):
        level = np.sqrt(low * high)
        if np.maximum(0, 0.5 * np.log2(DEVIATIONS**2 / level)).sum() > used:
            low = level
        else:
            high = level
    bound = np.minimum(DEVIATIONS**2, level).sum()
    assert bits - 2 < used < bits + 0.5
    assert 0 < 10 * np.log10(error / bound) < 1.7


def test_weak_components_are_dropped_and_strong_ones_kept():
    kept = [len(trained(bits).kept) for bits in (5, 20, 60)]
    assert 0 < kept[0] < kept[1] < kept[2] <= 24
    few = trained(5)
    assert few.steps[0] > 0 == few.steps[-1]
    np.testing.assert_allclose(few.dequantize(few.quantize(gaussian(2, 1)))[:, -1], 7, atol=0.1)


def test_a_constant_component_costs_nothing():
    codes = gaussian(500, 0)
    codes[:, 2] = 5
    quantizer = trained(60, codes)
    assert quantizer.steps[2] == 0
    np.testing.assert_array_equal(quantizer.dequantize(quantizer.quantize(codes))[:, 2], 5)


def test_wide_codes_share_estimates_and_keep_to_the_bits():
    """Components of codes wider than 1,024 are estimated in groups of alike distribution."""
    rng = np.random.default_rng(0)
    deviations = np.geomspace(3, 0.01, 1300)

    def codes():
        made = rng.normal(size=(500, 1300))
        made[:, ::3] = rng.laplace(size=(500, 434)) / np.sqrt(2)
        return (made * deviations).astype(np.float32)

    quantizer, test = trained(1500, codes()), codes()
    symbols = quantizer.quantize(test)
    used = 8 * len(SymbolCoder(quantizer).encode(symbols)) / len(test)
    assert used == pytest.approx(1500, rel=0.04)
    error = np.square(quantizer.dequantize(symbols) - test).mean(axis=0)
    kept = quantizer.kept
    np.testing.assert_allclose(np.log2(error[kept]), np.log2(np.median(error[kept])), atol=1)  # reverse water-filling
    assert max(error[kept]) < 2.5 * np.square(deviations[max(kept) + 1])


def test_one_item_and_all_the_same():
    for codes in (gaussian(1, 0), np.repeat(gaussian(1, 0), 9, axis=0)):
        quantizer = trained(60, codes)
        coder = SymbolCoder(quantizer)
        data = coder.encode(quantizer.quantize(codes))
        assert data == b""
        np.testing.assert_allclose(quantizer.dequantize(coder.decode(data, len(codes))), codes, rtol=1e-6)


def test_scaling_the_codes_scales_the_steps():
    codes = gaussian(2000, 0)
    one, four = trained(40, codes), trained(40, codes * 4)
    np.testing.assert_allclose(four.steps, one.steps * 4, rtol=1e-5)
    np.testing.assert_array_equal(one.quantize(codes), four.quantize(codes * 4))


def test_weights_are_the_squared_lengths_of_a_linear_decoder():
    matrix = np.random.default_rng(0).normal(size=(24, 50)).astype(np.float32)
    weights = component_weights(lambda codes: codes @ matrix, gaussian(200, 0))
    np.testing.assert_allclose(weights, np.square(matrix).sum(axis=1), rtol=1e-3)


def test_few_training_items_do_not_spoil_the_rate_of_others():
    test = gaussian(4096, 1)
    many, few = trained(60), trained(60, gaussian(100, 0))
    used = [8 * len(SymbolCoder(one).encode(one.quantize(test))) / len(test) for one in (many, few)]
    assert used[1] < used[0] + 6


def test_saved_tables_are_the_same(quantizer):
    again = Quantizer.from_bytes(quantizer.to_bytes())
    symbols = quantizer.quantize(gaussian(100, 1))
    assert SymbolCoder(again).encode(symbols) == SymbolCoder(quantizer).encode(symbols)
    np.testing.assert_array_equal(again.dequantize(symbols), quantizer.dequantize(symbols))


def test_millions_of_dropped_components_take_no_array_each():
    """A few kilobytes of tables said that there were 16 million of them, and took 5 GiB."""
    dim = 1000
    zeros = np.zeros(dim, np.float32)
    none = (np.empty(0, np.int64),) * dim, (np.empty(0, np.int8),) * dim
    again = Quantizer.from_bytes(Quantizer(zeros, zeros, zeros, np.zeros(dim, np.int32), *none).to_bytes())
    assert (again.dim, again.kept) == (dim, [])
    assert len({*map(id, again.frequencies), *map(id, again.shifts)}) == 2


def test_damaged_tables_and_chunks_are_errors(quantizer):
    tables = quantizer.to_bytes()
    for wrong in (b"", tables[:-3], tables[:10] + b"?" + tables[11:]):
        with pytest.raises(ArtifactError, match="corrupt"):
            Quantizer.from_bytes(wrong)
    coder = SymbolCoder(quantizer)
    data = coder.encode(quantizer.quantize(gaussian(20, 1)))
    refused = 0
    for wrong, rows in [
        (data[:-4], 20),
        (data, 19),
        (data + b"\1", 20),
        (b"", 20),
        (data + b"\0\0\0\0", 20),
        (data, 21),
    ]:
        try:
            refused += len(coder.decode(wrong, rows)) < 0
        except ValueError:
            refused += 1
    assert refused >= 3


def test_codes_of_another_width_are_refused(quantizer):
    with pytest.raises(DimensionError, match="24 components, the codes have 3"):
        quantizer.quantize(np.zeros((2, 3), np.float32))
