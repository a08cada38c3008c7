"""What a figure of a comparison shows, in one sentence: its title."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from encoders.listed import listed
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.leaders import best_minus, leaders, main_measure

#: Curves that differ by less than this look like one line.
SAME_PRECISION = 0.005


def curves_title(comparison: Comparison) -> str:
    """Return a sentence: which space has the highest precision at every level of recall, or at how many levels."""
    drawn = [(space.label, space.precision_recall) for space in comparison.spaces if space.precision_recall is not None]
    names = [name for name, _ in drawn]
    curves = np.nan_to_num([curve for _, curve in drawn])
    if len(names) < 2:
        return f"Precision of {names[0]} at each level of recall" if names else "Nothing was measured"
    top = curves.max(axis=0)
    if float((top - curves.min(axis=0)).max()) < SAME_PRECISION:
        return f"The curves differ by less than {SAME_PRECISION:g} at every level of recall"
    at_top = curves >= top - 1e-12
    for name, held, held_curve in zip(names, at_top, curves, strict=True):
        if held.all() and at_top.sum(axis=0).max() == 1:
            rest = np.delete(curves, names.index(name), axis=0).mean(axis=1)
            ahead = float(held_curve.mean() - rest.max())
            return f"{name} has the highest precision at every level of recall, by {ahead:.3f} on average"
        if held.all():
            return f"No space is above {name} at any level of recall"
    winners = [int(position) for position in curves.argmax(axis=0)]
    switches = [level for level in range(1, len(winners)) if winners[level] != winners[level - 1]]
    if len(switches) == 1:
        early, late = names[winners[0]], names[winners[-1]]
        until = f"up to recall {(switches[0] - 1) / 10:.1f}" if switches[0] > 1 else "at recall 0"
        return f"{early} has the highest precision {until}, {late} from {switches[0] / 10:.1f} on"
    wins = {winner: winners.count(winner) for winner in winners}
    best = listed(
        [f"{names[at]} at {count}" for at, count in sorted(wins.items(), key=lambda pair: (-pair[1], pair[0]))]
    )
    return f"No space is best everywhere: {best} of 11 levels of recall"


def cost_title(comparison: Comparison) -> str:
    """Return a sentence: the bytes on disk of the best space, and whether a smaller space is as good."""
    measure, led = main_measure(comparison), leaders(comparison)
    if measure is None or led is None:
        return f"{stored_bytes(comparison.spaces).capitalize()} per item"
    best, tied = led
    smallest = min(comparison.spaces, key=lambda space: space.stored_bytes_per_item)
    if best.stored_bytes_per_item <= smallest.stored_bytes_per_item:
        return f"{best.label} has the highest {measure} and no space stores less"
    smaller = min(tied, key=lambda space: space.stored_bytes_per_item, default=best)
    if smaller.stored_bytes_per_item < best.stored_bytes_per_item:
        share = smaller.stored_bytes_per_item / best.stored_bytes_per_item
        return (
            f"{smaller.label} does not differ significantly from {best.label}{_may_lose(comparison, best, smaller)} "
            f"and stores {_percent(share)} of its bytes"
        )
    share = smallest.stored_bytes_per_item / best.stored_bytes_per_item
    lost = best.measures[measure] - smallest.measures.get(measure, math.nan)
    what = f"{_percent(share)} of the bytes of {best.label}"
    if not lost > 0:
        return f"{smallest.label} stores {what}"
    return f"{smallest.label} stores {what} and loses {_percent(lost / best.measures[measure])} of its {measure}"


def _may_lose(comparison: Comparison, best: SpaceResult, other: SpaceResult) -> str:
    """Return how much of the main measure a space may lose that is tied with the best; empty where it is not known."""
    measure = main_measure(comparison) or ""
    significance = comparison.significance.get(measure)
    if significance is None or not best.measures[measure] > 0:
        return ""
    lost = max(0.0, best_minus(significance, best, other).high)
    return "" if lost >= 1 else f" (it may lose up to {_percent(lost / best.measures[measure])} of {measure})"


def stored_bytes(spaces: Sequence[SpaceResult]) -> str:
    """Return the unit of `SpaceResult.stored_bytes_per_item`: bytes on disk, or of codes on a server."""
    unknown = [space.bytes_on_disk_per_item is None for space in spaces]
    if all(unknown):
        return "bytes of the codes"
    return "bytes on disk, or of the codes where a server keeps them," if any(unknown) else "bytes on disk"


def overlap_sentence(comparison: Comparison) -> str | None:
    """Return a sentence: which two spaces agree most on the neighbours and which least; None without overlaps."""
    pairs = [pair for pair in comparison.overlaps if math.isfinite(pair.jaccard)]
    if not pairs:
        return None
    low, high = min(pairs, key=lambda pair: pair.jaccard), max(pairs, key=lambda pair: pair.jaccard)
    if low is high:
        return f"{low.first} and {low.second} share their neighbours with Jaccard@{low.k} {low.jaccard:.2f}"
    return (
        f"{high.first} and {high.second} agree most (Jaccard@{high.k} {high.jaccard:.2f}), "
        f"{low.first} and {low.second} least ({low.jaccard:.2f})"
    )


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
