"""Frequencies and reconstruction points of the symbols of one component, from training codes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.compression.integer_model import MAX_SYMBOLS, TOTAL, whole_frequencies
from retrieval.applications.compression.quantizer import SHIFT_UNIT

#: Symbols whose smooth probability is below this are left to the escape.
_RARE = 2.0**-15
#: A symbol without a frequency: the escape, and 32 bits.
_ESCAPE_BITS = 48


class SymbolModel(NamedTuple):
    """See the attributes of `Quantizer`."""

    low: int
    frequencies: NDArray[np.int64]
    shifts: NDArray[np.int8]


def symbol_model(values: NDArray[np.float64], symbols: NDArray[np.int64], dead_zone: float) -> SymbolModel:
    """Count the symbols of a component; few training items are helped out by a smooth distribution.

    Parameters
    ----------
    values : ndarray (n,)
        The components in steps from the offset: symbol 0 stands around 0.
    symbols : ndarray (n,)
    dead_zone : float
        See `Quantizer`.
    """
    low, counts, smooth = _tallied(values, symbols, dead_zone)
    escaped = len(symbols) - counts.sum()
    frequencies = whole_frequencies(np.append(counts + smooth, escaped))
    return SymbolModel(low, frequencies, _shifts(values, symbols, low, len(counts)))


def left_out_bits(values: NDArray[np.float64], symbols: NDArray[np.int64], dead_zone: float) -> float:
    """Return the mean bits of a symbol when the model is counted on all others: an honest rate from few items.

    Counts of the items themselves would make it cheap to give each item its own symbol.
    """
    _, counts, smooth = _tallied(values, symbols, dead_zone)
    total = len(symbols) - 1 + smooth.sum()
    used = counts > 0
    shares = np.maximum((counts[used] - 1 + smooth[used]) / max(total, 1e-9), 1 / TOTAL)
    escaped = len(symbols) - counts.sum()
    return float((escaped * _ESCAPE_BITS - (counts[used] * np.log2(shares)).sum()) / len(symbols))


def _tallied(
    values: NDArray[np.float64], symbols: NDArray[np.int64], dead_zone: float
) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest symbol of a table, the counts from it on, and smooth counts to be added."""
    low, high = int(symbols.min()), int(symbols.max())
    reach = _reach(values)
    low, high = min(low, -reach), max(high, reach)
    if high - low + 2 > MAX_SYMBOLS:  # the rest is written with an escape
        low = max(low, int(np.median(symbols)) - MAX_SYMBOLS // 2 + 1)
        high = low + MAX_SYMBOLS - 2
    inside = symbols[(symbols >= low) & (symbols <= high)]
    counts = np.bincount(inside - low, minlength=high - low + 1).astype(np.float64)
    return low, counts, (4 + 0.5 * len(counts)) * _smooth(values, np.arange(low, high + 1), dead_zone)


def _shifts(values: NDArray[np.float64], symbols: NDArray[np.int64], low: int, size: int) -> NDArray[np.int8]:
    """Return the mean of each cell, in 256ths of a step from its symbol; of cells with few items, nearer to 0."""
    inside = (symbols >= low) & (symbols < low + size)
    rows = symbols[inside] - low
    sums = np.bincount(rows, values[inside] - symbols[inside], minlength=size)
    means = sums / (np.bincount(rows, minlength=size) + 2)
    return np.clip(np.rint(means / SHIFT_UNIT), -127, 127).astype(np.int8)


def _reach(values: NDArray[np.float64]) -> int:
    """Return the largest symbol that is not rare by the smooth distribution."""
    scale = float(np.abs(values).mean())
    return int(min(np.ceil(-scale * np.log(_RARE)), MAX_SYMBOLS))


def _smooth(values: NDArray[np.float64], symbols: NDArray[np.int64], dead_zone: float) -> NDArray[np.float64]:
    """Return the probabilities of the cells under a Laplace or Gaussian distribution, whichever fits better."""
    from scipy.special import ndtr

    deviation, mean = max(float(values.std()), 1e-3), max(float(np.abs(values).mean()), 1e-3)
    edges = np.append(symbols - 0.5, symbols[-1] + 0.5)
    edges += np.where(edges > 0, dead_zone, -dead_zone)
    if np.log(deviation) + 0.5 * np.log(2 * np.pi) + 0.5 < np.log(2 * mean) + 1:  # mean negative log-likelihoods
        cumulative = ndtr(edges / deviation)
    else:
        tails = 0.5 * np.exp(-np.abs(edges) / mean)
        cumulative = np.where(edges > 0, 1 - tails, tails)
    probabilities: NDArray[np.float64] = np.maximum(np.diff(cumulative), 0)
    return probabilities
