"""Entropy models of whole frequencies, so that what one machine codes every other machine decodes.

constriction's ``Categorical`` turns float probabilities into whole frequencies out of 2^24. It gives every symbol 1 and
scales the probabilities to what is left. When the given numbers are ``frequency - 1``, their sum is exactly what is
left, so the scale is exactly 1, and every number on the way is a whole number below 2^53: nothing is rounded, on any
machine. `tests/retrieval/applications/compression/test_integer_model.py` compares the coder with one of Python's
whole numbers, word for word.

References
----------
.. [1] Bamler, Understanding Entropy Coding With Asymmetric Numeral Systems, arXiv:2201.01741, 2022.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Frequencies are stored in 2 bytes: they add up to 2^16.
PRECISION = 16
TOTAL = 1 << PRECISION
#: The coder's own precision.
_CODER_BITS = 24
#: Largest number of symbols of a model.
MAX_SYMBOLS = 1 << 12


def whole_frequencies(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Return frequencies from 1 on that add up to 2^16, close to the proportions of counts.

    Parameters
    ----------
    counts : ndarray (symbols,)
        From 2 to 4,096 numbers, not negative.

    Examples
    --------
    >>> whole_frequencies(np.array([3, 1, 0])).tolist()
    [49151, 16384, 1]
    """
    counts = np.asarray(counts, np.float64)
    if not 2 <= len(counts) <= MAX_SYMBOLS:
        raise ValueError(f"a model has from 2 to {MAX_SYMBOLS:,} symbols, not {len(counts):,}")
    shares = counts / counts.sum() if counts.sum() > 0 else np.full(len(counts), 1 / len(counts))
    exact = shares * (TOTAL - len(counts))
    whole = np.floor(exact).astype(np.int64)
    rest = TOTAL - len(counts) - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1  # largest remainders
    frequencies: NDArray[np.int64] = whole + 1
    return frequencies


def integer_model(frequencies: NDArray[Any]) -> Any:
    """Return a model of constriction with exactly these frequencies.

    Parameters
    ----------
    frequencies : ndarray (symbols,)
        Whole numbers from 1 on that add up to 2^16 (more precisely, to a power of two up to 2^24).

    Raises
    ------
    ValueError
        When they are not such frequencies.
    """
    import constriction

    frequencies = np.asarray(frequencies, np.int64)
    total = int(frequencies.sum())
    if len(frequencies) < 2 or frequencies.min() < 1 or total & (total - 1) or total > 1 << _CODER_BITS:
        raise ValueError("frequencies are whole numbers from 1 on whose sum is a power of two, at most 2^24")
    scaled = frequencies << (_CODER_BITS - (total.bit_length() - 1))
    return constriction.stream.model.Categorical((scaled - 1).astype(np.float64), perfect=False)
