"""Reconstruction error of several methods at each width of the code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import NearbyError
from encoders.registry import create

WIDTHS = (1, 2, 5, 10, 20, 30, 50)
#: Method -> its spec; {} is the width of the code.
METHODS = {
    "pca": "pca:{},solver=randomized",
    "nmf": "nmf:{}",
    "linear-ae": "linear-ae:{},epochs=40",
    "deep-ae": "deep-ae:256-128-{},epochs=60",
}
HELD_OUT = 0.2


def errors_by_width(
    rows: NDArray[Any], say: Callable[[str], None], widths: Sequence[int] = WIDTHS, seed: int = 0
) -> tuple[list[int], dict[str, list[float]]]:
    """Return the share of the variance of held-out rows that each method loses at each width.

    Parameters
    ----------
    rows : ndarray float32 (n, dim)
        A fifth is held out; the methods are fitted on the rest.
    say : callable
        Called with one line per method.
    widths : sequence of int
        Widths that are too large for the rows are left out.
    seed : int
        Seed of the choice of held-out rows.

    Returns
    -------
    widths : list of int
    lost : dict of str to list of float
        NaN where a method cannot be fitted, for example on negative values.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    held = max(1, round(HELD_OUT * len(rows)))
    test, train = rows[order[:held]], rows[order[held:]]
    used = [width for width in widths if width < min(train.shape)]
    total = float(np.square(test - train.mean(axis=0)).sum())
    lost: dict[str, list[float]] = {}
    for method, spec in METHODS.items():
        if method == "nmf" and float(rows.min()) < 0:
            continue
        say(f"fitting {method} at {len(used)} widths")
        lost[method] = [_lost(spec.format(width), train, test, total) for width in used]
    return used, lost


def _lost(spec: str, train: NDArray[Any], test: NDArray[Any], total: float) -> float:
    try:
        encoder = create(spec).fit(train)
    except NearbyError:
        return float("nan")
    return float(np.square(test - encoder.decode(encoder.encode(test))).sum()) / max(total, 1e-12)
