"""The unit of stored codes: a power of two by which they are multiplied, so that float32 holds their squares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from encoders.errors import BadItemError
from encoders.items import as_matrix
from encoders.npy import released
from encoders.scaling import largest_of, times, unit_of
from indexers.validation import BLOCK_ROWS, LARGEST


class Unit:
    """The factor between given codes and stored codes.

    Parameters
    ----------
    factor : float
        A power of two; 0 as long as every code is zero.

    Attributes
    ----------
    is_plain : bool
        True when codes are stored as they are given.
    """

    __slots__ = ("factor", "is_plain")

    def __init__(self, factor: float = 0.0) -> None:
        self.factor, self.is_plain = factor, factor in (0.0, 1.0)

    @classmethod
    def of(cls, codes: Codes) -> Unit:
        """Return a unit in which no square of these codes overflows or underflows."""
        with np.errstate(over="ignore", invalid="ignore"):
            largest = _largest(codes)
        return cls(unit_of(largest, highest=LARGEST) if largest else 0.0)

    @classmethod
    def from_json(cls, value: Any) -> Unit:
        """Read the factor from a manifest.

        Raises
        ------
        ValueError
            When it is not a power of two.
        """
        if not isinstance(value, int | float) or not math.isfinite(value) or (value and math.frexp(value)[0] != 0.5):
            raise ValueError(f"the unit of the codes is not a power of two: {value!r}")
        return cls(float(value))

    def require_plain(self, name: str, codes: Codes) -> None:
        """Refuse codes whose unit would have to be changed, for an index that cannot do that.

        Raises
        ------
        BadItemError
        """
        if not self.is_plain:
            raise BadItemError(
                f"'{name}' cannot compare codes as large or small as {largest_of(as_matrix(codes)):.0e}: float32 "
                f"cannot hold their squares; multiply them by 2^{int(np.log2(self.factor))} first"
            )

    def stored(self, codes: Codes) -> Codes:
        """Return given codes in the unit in which they are stored and compared."""
        return codes if self.is_plain else times(as_matrix(codes), self.factor)

    def given(self, codes: Codes) -> Codes:
        """Return stored codes as they were given."""
        return codes if self.is_plain else times(codes, 1 / self.factor)

    def given_scores(self, scores: NDArray[np.float32]) -> NDArray[Any]:
        """Return scores of stored codes in the unit of the given codes: float64 if the units differ."""
        return scores if self.is_plain else np.asarray(scores.astype(np.float64) / self.factor / self.factor)


def _largest(codes: Codes) -> float:
    """Return the largest absolute value; many codes are read part by part, as they may be mapped."""
    if not isinstance(codes, np.ndarray) or len(codes) <= BLOCK_ROWS:
        return largest_of(as_matrix(codes))
    try:
        return max(largest_of(as_matrix(part)) for part in released(codes, BLOCK_ROWS))
    except BadItemError:
        return largest_of(as_matrix(codes))  # it names the row
