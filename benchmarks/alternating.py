"""Two functions timed in turn, so that what else the machine does slows both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np


def alternating(ours: Callable[[], Any], theirs: Callable[[], Any], repeats: int = 9) -> dict[str, float]:
    """Time two functions in turn, after one run of each that is not counted; each goes first every other time."""
    ours(), theirs()
    times: list[tuple[float, float]] = []
    for repeat in range(repeats):
        if repeat % 2:
            other_first = seconds(theirs)
            times.append((seconds(ours), other_first))
        else:
            times.append((seconds(ours), seconds(theirs)))
    mine, other = np.array(times).T
    return {
        "ours_seconds": float(np.median(mine)),
        "theirs_seconds": float(np.median(other)),
        "ratio": float(np.median(other / mine)),
        "repeats": repeats,
    }


def seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
