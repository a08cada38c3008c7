"""Steps of a quantiser by rate and distortion: which step of which component buys the most for its bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from retrieval.applications.compression.quantizer import Quantizer, symbols_of
from retrieval.applications.compression.symbol_model import left_out_bits, symbol_model

#: Steps that are tried, in standard deviations of a component: a quarter of a bit apart.
_STEPS = 2.0 ** (np.arange(-28, 9) / 4)
#: Dead zones that are tried with coarse steps.
_DEAD_ZONES = (0.0, 0.08, 0.16)
_COARSE = 0.35
_PAIRS = [(step, zone) for step in _STEPS for zone in (_DEAD_ZONES if step >= _COARSE else _DEAD_ZONES[:1])]
_HALVINGS = 40
#: Items for each symbol below which counts of the items themselves are misleading.
_FEW = 20
#: Components that vary by less than this part of their size differ by rounding alone.
_CONSTANT = 1e-7
#: Codes wider than this: components whose values are distributed alike share their estimates, in so many groups, from
#: so many values of each group.
_WIDE, _GROUPS, _GROUP_VALUES = 1024, 64, 8192
#: Codes from which decoded changes are estimated, and decoded at a time.
_PROBES, _PROBE_ROWS = 48, 2048

Decode = Callable[[Codes], NDArray[np.float32]]


@dataclass(frozen=True)
class Candidates:
    """What each candidate costs and spoils.

    Attributes
    ----------
    steps, dead_zones : ndarray (dim, candidates)
        The last candidate drops the component: step 0.
    rates : ndarray (dim, candidates)
        Bits for each item.
    distortions : ndarray (dim, candidates)
        Expected squared error of a decoded item.
    """

    steps: NDArray[np.float32]
    dead_zones: NDArray[np.float32]
    rates: NDArray[np.float64]
    distortions: NDArray[np.float64]

    def chosen(self, multiplier: float) -> NDArray[np.int64]:
        """Return the candidate of each component with the least ``distortion + multiplier * rate``."""
        chosen: NDArray[np.int64] = np.argmin(self.distortions + multiplier * self.rates, axis=1)
        return chosen

    def rate(self, chosen: NDArray[np.int64]) -> float:
        """Return the bits for each item."""
        return float(self.rates[np.arange(len(chosen)), chosen].sum())

    @property
    def multipliers(self) -> tuple[float, float]:
        """A multiplier with which everything is fine, and one with which everything is dropped."""
        total = max(float(self.distortions[:, -1].sum()), 1e-30)
        return total * 1e-12, total * 1e6


def component_weights(decode: Decode, codes: NDArray[np.float32], seed: int = 0) -> NDArray[np.float64]:
    """Return the squared change of a decoded item for a squared change of 1 in each component (dim,).

    For orthonormal components it is 1. For a network, each component of some training codes is moved by half its
    standard deviation, up or down.
    """
    rng = np.random.default_rng(seed)
    rows = codes[rng.permutation(len(codes))[: max(8, min(_PROBES, 40_000 // codes.shape[1]))]]
    base, moves = decode(rows), 0.5 * codes.std(axis=0, dtype=np.float64)
    weights = np.zeros(codes.shape[1])
    varying = np.flatnonzero(moves > 0)
    for start in range(0, len(varying), max(1, _PROBE_ROWS // len(rows))):
        some = varying[start : start + max(1, _PROBE_ROWS // len(rows))]
        moved = np.repeat(rows[None], len(some), axis=0)
        signs = rng.choice([-1.0, 1.0], (len(some), len(rows)))
        moved[np.arange(len(some))[:, None], np.arange(len(rows)), some[:, None]] += signs * moves[some][:, None]
        changed = decode(moved.reshape(-1, codes.shape[1])).reshape(len(some), *base.shape)
        squares = np.square(changed.astype(np.float64) - base).sum(axis=2).mean(axis=1)
        weights[some] = squares / np.square(moves[some], dtype=np.float64)
    return weights


def candidates(codes: NDArray[np.float32], weights: NDArray[np.float64]) -> Candidates:
    """Try steps and dead zones on training codes (n, dim)."""
    offsets, deviations = codes.mean(axis=0, dtype=np.float64), codes.std(axis=0, dtype=np.float64)
    deviations[deviations < _CONSTANT * np.abs(codes).max(axis=0)] = 0
    values = (codes - offsets) / np.where(deviations > 0, deviations, 1)
    shape = (codes.shape[1], len(_PAIRS) + 1)
    rates, distortions = np.zeros(shape), np.ones(shape)  # of components with the deviation 1
    for some in _alike(values):
        pooled = _pooled(values[:, some])
        for number, (step, zone) in enumerate(_PAIRS):
            rates[some, number], distortions[some, number] = _tried(pooled, step, zone)
    rates[deviations == 0] = 0
    steps, zones = np.array([*_PAIRS, (0.0, 0.0)]).T
    return Candidates(
        np.outer(deviations, steps).astype(np.float32),
        np.tile(zones, (len(deviations), 1)).astype(np.float32),
        rates,
        distortions * (deviations**2 * weights)[:, None],
    )


def _alike(values: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return groups of components: each by itself, in wide codes those whose mean size is alike, of deviation 1."""
    order = np.argsort(np.abs(values).mean(axis=0), kind="stable")
    return np.array_split(order, _GROUPS if len(order) > _WIDE else len(order))


def _pooled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values of a component, or at most `_GROUP_VALUES` of several, in equal intervals."""
    return values[:, 0] if values.shape[1] == 1 else values.ravel()[:: -(-values.size // _GROUP_VALUES)]


def _tried(values: NDArray[np.float64], step: float, zone: float) -> tuple[float, float]:
    """Return bits and mean squared error of one step.

    The bits are Miller and Madow's estimate of the entropy where there are many items for each symbol.
    """
    scaled = values / step
    symbols = np.copysign(np.maximum(np.floor(np.abs(scaled) + (0.5 - zone)), 0), scaled).astype(np.int64)
    rows = symbols - symbols.min()
    counts, sums = np.bincount(rows), np.bincount(rows, values)
    used = counts > 0
    counts, sums, count = counts[used], sums[used], len(values)
    error = float(np.square(values).mean() - (np.square(sums) / counts).sum() / count)  # cells decode to their means
    if count < _FEW * len(counts):
        return left_out_bits(scaled, symbols, zone), max(error, step**2 / 12 if len(counts) > 1 else 0.0)
    entropy = np.log2(count) - float((counts * np.log2(counts)).sum()) / count
    return entropy + (len(counts) - 1) / (2 * count * np.log(2)), error


def quantizer_of(codes: NDArray[np.float32], candidates: Candidates, chosen: NDArray[np.int64]) -> Quantizer:
    """Return the quantiser with the chosen steps, and models counted on training codes."""
    rows = np.arange(len(chosen))
    steps, zones, offsets = (
        candidates.steps[rows, chosen],
        candidates.dead_zones[rows, chosen],
        codes.mean(axis=0, dtype=np.float64),
    )
    symbols = symbols_of(codes, steps, offsets, zones)
    models = [
        symbol_model((codes[:, at].astype(np.float64) - offsets[at]) / steps[at], symbols[:, at], float(zones[at]))
        if steps[at] > 0
        else None
        for at in rows
    ]
    return Quantizer(
        steps,
        offsets.astype(np.float32),
        zones,
        np.array([0 if model is None else model.low for model in models], np.int32),
        tuple(np.empty(0, np.int64) if model is None else model.frequencies for model in models),
        tuple(np.empty(0, np.int8) if model is None else model.shifts for model in models),
    )


def for_rate(candidates: Candidates, bits: float) -> NDArray[np.int64]:
    """Return the candidates with the least distortion that cost at most `bits` for each item.

    References
    ----------
    .. [1] Shoham & Gersho, Efficient bit allocation for an arbitrary set of quantizers, IEEE Transactions on Acoustics,
       Speech, and Signal Processing 36(9), 1988. For Gaussian components the result is reverse water-filling (Cover &
       Thomas, Elements of Information Theory, section 10.3.3).
    """
    low, high = candidates.multipliers
    if candidates.rate(candidates.chosen(low)) <= bits:
        return candidates.chosen(low)
    return candidates.chosen(
        _least(low, high, lambda multiplier: candidates.rate(candidates.chosen(multiplier)) <= bits)
    )


def for_error(
    candidates: Candidates, error: float, measured: Callable[[NDArray[np.int64]], float]
) -> NDArray[np.int64]:
    """Return the cheapest candidates whose measured error is at most `error`; the finest if there are none."""
    low, high = candidates.multipliers
    if measured(candidates.chosen(high)) <= error:
        return candidates.chosen(high)
    # the largest multiplier that keeps the error, by the inverse of `_least`
    return candidates.chosen(
        1 / _least(1 / high, 1 / low, lambda inverse: measured(candidates.chosen(1 / inverse)) <= error, 24)
    )


def _least(low: float, high: float, holds: Callable[[float], bool], halvings: int = _HALVINGS) -> float:
    """Return about the least number from `low` to `high` for which a monotonic condition holds; it holds at `high`."""
    for _ in range(halvings):
        middle = float(np.sqrt(low) * np.sqrt(high))
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
