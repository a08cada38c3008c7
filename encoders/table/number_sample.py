"""All numbers of a column, or a random sample of them, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

#: Numbers of a column that are kept: of longer tables every second, fourth ... one.
KEPT = 2**19
_DAY = 86_400.0


class NumberSample:
    """All numbers of a column, or a random sample of them: a regular one would miss what repeats regularly.

    Each number draws a key from 0 to 1 and is kept if the key is below a limit, which is halved when too many are
    kept. So the sample does not depend on how the numbers are divided into batches.

    Attributes
    ----------
    seen : int
        Number of numbers.
    stride : int
        One of so many is kept, on average.
    whole, days : bool
        Whether all are whole numbers, and whole days in seconds.
    """

    def __init__(self) -> None:
        self.seen, self.stride = 0, 1
        self.whole = self.days = True
        self._parts: list[NDArray[np.float64]] = []  # keys and numbers (2, n)
        self._kept = 0
        self._rng = np.random.default_rng(0)

    @classmethod
    def of(cls, samples: Sequence[NumberSample]) -> NumberSample:
        """Return samples joined into one, in which each number counts the same."""
        made = cls()
        made.seen = sum(one.seen for one in samples)
        made.stride = max(one.stride for one in samples)
        made.whole, made.days = all(one.whole for one in samples), all(one.days for one in samples)
        made._keep(part for one in samples for part in one._parts)
        return made

    def add(self, numbers: NDArray[np.float64]) -> None:
        """Add numbers, none of them NaN."""
        self.seen += len(numbers)
        self.whole = self.whole and bool((numbers == np.floor(numbers)).all())
        self.days = self.days and not bool(np.any(numbers % _DAY))
        self._keep([np.stack([self._rng.random(len(numbers)), numbers])])

    def _keep(self, parts: Iterable[NDArray[np.float64]]) -> None:
        for part in parts:
            self._parts.append(part[:, part[0] < 1 / self.stride])
            self._kept += self._parts[-1].shape[1]
        while self._kept > KEPT:
            self.stride *= 2
            whole = np.concatenate(self._parts, axis=1)
            self._parts = [whole[:, whole[0] < 1 / self.stride]]
            self._kept = self._parts[0].shape[1]

    def numbers(self) -> NDArray[np.float64]:
        """Return the numbers that are kept."""
        return np.concatenate(self._parts, axis=1)[1] if self._parts else np.empty(0)
