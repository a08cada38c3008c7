"""The unit of stored codes: a power of two by which they are multiplied, so that float32 holds their squares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from encoders.errors import BadItemError
from encoders.items import as_matrix
from encoders.scaling import largest_of, times, unit_of
from indexers.validation import LARGEST


class Unit:
    """The factor between the codes that are given and those that are stored.

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
        """Return the unit in which no square of these codes over- or underflows."""
        with np.errstate(over="ignore", invalid="ignore"):
            largest = largest_of(as_matrix(codes))
        return cls(unit_of(largest, highest=LARGEST) if largest else 0.0)

    @classmethod
    def from_json(cls, value: Any) -> Unit:
        """Read the factor that a manifest holds.

        Raises
        ------
        ValueError
            When it is no power of two.
        """
        if not isinstance(value, int | float) or not math.isfinite(value) or (value and math.frexp(value)[0] != 0.5):
            raise ValueError(f"the unit of the codes is no power of two: {value!r}")
        return cls(float(value))

    def require_plain(self, name: str, codes: Codes) -> None:
        """Refuse codes that an index would have to multiply, and does not.

        Raises
        ------
        BadItemError
        """
        if not self.is_plain:
            raise BadItemError(
                f"'{name}' cannot compare codes of the order of {largest_of(as_matrix(codes)):.0e}: float32 cannot "
                f"hold their squares; multiply them by 2^{int(np.log2(self.factor))} first"
            )

    def stored(self, codes: Codes) -> Codes:
        """Return given codes as they are stored and compared."""
        return codes if self.is_plain else times(as_matrix(codes), self.factor)

    def given(self, codes: Codes) -> Codes:
        """Return stored codes as they were given."""
        return codes if self.is_plain else times(codes, 1 / self.factor)

    def given_scores(self, scores: NDArray[np.float32]) -> NDArray[Any]:
        """Return products or squared distances of stored codes as those of the given ones: float64 if they differ."""
        return scores if self.is_plain else np.asarray(scores.astype(np.float64) / self.factor / self.factor)
