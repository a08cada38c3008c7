"""Waits between the attempts of a request that a server cannot answer at the moment.

docs/decisions/0019-retries.md says why tenacity is not used.
"""

from __future__ import annotations

import random
import time

#: Seconds of the first and of the longest wait.
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0


class Backoff:
    """Waits between attempts, each twice as long as the one before, until the time is over.

    A wait is shortened at random by up to a half, so that many clients do not return at the same moment.

    Parameters
    ----------
    seconds : float
        Total time, from now or from the last `restart`.
    first, longest : float
        Seconds of the first and of the longest wait.
    """

    def __init__(self, seconds: float, first: float = FIRST_WAIT, longest: float = LONGEST_WAIT) -> None:
        self.seconds, self._first, self._longest = seconds, first, longest
        self.restart()

    def restart(self) -> None:
        """Start over after progress: with the first wait and the total time."""
        self._wait, self._end = self._first, time.monotonic() + self.seconds

    @property
    def ended(self) -> bool:
        """True when the next wait would exceed the time."""
        return time.monotonic() + self._wait > self._end

    @property
    def seconds_left(self) -> float:
        """The rest of the time."""
        return max(0.0, self._end - time.monotonic())

    def sleep(self, at_least: float = 0.0) -> None:
        """Wait before the next attempt, no less than the server asks for."""
        time.sleep(max(at_least, self._wait * random.uniform(0.5, 1)))  # noqa: S311  # no secret
        self._wait = min(2 * self._wait, self._longest)
