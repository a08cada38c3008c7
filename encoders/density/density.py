"""The base of every density: an encoder whose code is a log-likelihood."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Codes, Kind, Metric, Space, n_rows
from encoders.errors import BadItemError

#: ln 2 pi.
LOG_TAU = float(np.log(2 * np.pi))
#: The code of a density: one number, the log-likelihood.
SPACE = Space(1, Kind.DENSE, Metric.EUCLIDEAN)
#: Items per block.
ROWS = 1024


@dataclass
class Density(Encoder):
    """An encoder whose code is one number: the log-likelihood of the item, in nats.

    The smaller the number, the less the item resembles the training items. A subclass implements ``_log_likelihood``.
    """

    reads_sparse: ClassVar[bool] = False

    @abstractmethod
    def _log_likelihood(self, items: NDArray[Any]) -> NDArray[np.float64]:
        """Return the log-likelihood of checked items (n,)."""

    def log_likelihood(self, items: Any) -> NDArray[np.float64]:
        """Return the log-likelihood of every item in nats, float64 (n,).

        Raises
        ------
        NotFittedError, BadItemError, DimensionError
        """
        _ = self.space
        checked = self.checked(items)
        likelihoods = np.empty(n_rows(checked))
        for start in range(0, len(likelihoods), ROWS):
            likelihoods[start : start + ROWS] = self._log_likelihood(checked[start : start + ROWS])
        return likelihoods

    def _encode(self, items: Any) -> Codes:
        return self.log_likelihood(items)[:, None].astype(np.float32)


def require_above_ridge(name: str, variances: NDArray[np.float64], ridge: float) -> None:
    """Raise an error if variances (dim,) are tiny compared with the ridge: all items would be equally likely.

    Raises
    ------
    BadItemError
    """
    variance = float(variances.max(initial=0.0))
    if 0 < variance < 1e-3 * ridge:
        raise BadItemError(
            f"{name}: ridge={ridge:g} is more than 1,000 times the largest variance, {variance:.1e}, so all items "
            "would be equally likely: scale the data, or lower ridge"
        )


def log_sum_exp(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return ln sum exp of each row (n,), without overflow.

    Examples
    --------
    >>> log_sum_exp(np.array([[1000.0, 1000.0]])).round(4).tolist()
    [1000.6931]
    """
    largest = values.max(axis=1, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(values - largest).sum(axis=1)) + largest[:, 0], dtype=np.float64)
