"""Which items of contaminated data are left out: the strangest of all, by fits that have not seen them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError
from encoders.numbers import counted
from encoders.progress import ProgressCallback
from retrieval.applications.anomaly.combination import mean_rank
from retrieval.applications.anomaly.conformal import percent
from retrieval.applications.anomaly.contamination import LEVEL, has_gap, require_enough, strange_items
from retrieval.applications.anomaly.parts import HELD_OUT, TRAINING, UNUSED, split

Floats = NDArray[np.float64]
Uses = NDArray[np.uint8]
#: From the halves, and the halves without what is not to be fitted on: the scores of all items in each space, each half
#: by spaces that were fitted on the other half.
ScoresOfHalves = Callable[[Uses, Uses], Sequence[Floats]]
#: Where fewer of the items differ, as in a table of a few categories, repeats are the data and stay.
FEWEST_DIFFERENT = 0.5


class Trimmed(NamedTuple):
    """What is left of contaminated data.

    Attributes
    ----------
    uses : ndarray uint8 (n,)
        `parts.UNUSED` for items that are left out, and for repeats that no fit needs.
    share : float
        Share of the items that look strange.
    """

    uses: Uses
    share: float


def trimmed(
    uses: Uses, groups: NDArray[np.int64], digests: NDArray[np.uint64], contaminated: float | str,
    scores_of_halves: ScoresOfHalves, seed: int, say: ProgressCallback,
) -> Trimmed:  # fmt: skip
    """Leave the items that look strange out of training and held-out items.

    Each half of the items is scored by a fit on the other half, so the scores of all items are comparable, whether they
    are for training or held out, and a network has not learnt the strange ones by heart.

    Equal items count once in all fits: a hundred copies of one attack would otherwise teach a space to follow it.
    Held-out items keep their repeats, so p-values hold as before.

    Parameters
    ----------
    uses : ndarray uint8 (n,)
        See `parts.split`.
    groups : ndarray int64 (n,)
        See `repeats.groups_of`.
    digests : ndarray uint64 (n,)
        See `repeats.content_digest`.
    contaminated : float or str
        A share, or ``auto``: what a gap separates from the others.
    scores_of_halves : callable
    seed : int
    say : callable

    Raises
    ------
    OptionError
        When there are too few items to find strange ones among, or all training or held-out items look strange.
    """
    taken = uses != UNUSED
    if isinstance(contaminated, str):
        require_enough(int(taken.sum()))
    say("looking for strange items: each half is scored by a fit on the other")
    halves = split(taken, 0.5, seed=seed, groups=groups)
    fitted = without_repeats(halves, digests, taken)
    scores = scores_of_halves(halves, fitted)
    if isinstance(contaminated, str):
        strange = np.logical_or.reduce([strange_items(values, LEVEL / len(scores)) for values in scores])
    else:
        strange = _strangest(scores, contaminated)
        if strange.any():
            # what is strange has taught both fits: leave it out, and score all items again
            say(f"scoring again by fits without the strangest {percent(contaminated)}")
            fitted[np.flatnonzero(taken)[strange]] = UNUSED
            scores = scores_of_halves(halves, fitted)
            strange = _strangest(scores, contaminated)
    left = uses.copy()
    left[np.flatnonzero(taken)[strange]] = UNUSED
    _require_both_parts(left)
    _say_what_is_left_out(strange, scores, contaminated, say)
    return Trimmed(_fitted_once(left, digests, taken, say), float(strange.mean()))


def without_repeats(uses: Uses, digests: NDArray[np.uint64], taken: NDArray[np.bool_]) -> Uses:
    """Return uses in which only the first of equal items of one use is used; all, if few of the taken items differ.

    Examples
    --------
    >>> uses, all_taken = np.array([1, 2, 1, 1, 2], np.uint8), np.ones(5, bool)
    >>> without_repeats(uses, np.array([7, 7, 7, 5, 8], np.uint64), all_taken).tolist()
    [1, 2, 0, 1, 2]
    >>> without_repeats(uses, np.array([7, 7, 7, 5, 5], np.uint64), all_taken).tolist()
    [1, 2, 1, 1, 2]
    """
    if len(np.unique(digests[taken])) < FEWEST_DIFFERENT * int(taken.sum()):
        return uses.copy()
    once = np.full(len(uses), UNUSED, np.uint8)
    for use in np.unique(uses).tolist():
        rows = np.flatnonzero(uses == use)
        once[rows[np.unique(digests[rows], return_index=True)[1]]] = use
    return once


def _require_both_parts(uses: Uses) -> None:
    """Refuse to leave no item to fit on, or none to calibrate on."""
    for use, name in ((TRAINING, "training"), (HELD_OUT, "held-out")):
        if use not in uses:
            raise OptionError(f"all {name} items look strange: give more data, or name the normal items with --normal")


def _say_what_is_left_out(
    strange: NDArray[np.bool_], scores: Sequence[Floats], contaminated: float | str, say: ProgressCallback
) -> None:
    number, count = int(strange.sum()), len(strange)
    some = f"{counted(number, 'item')} of {count:,} ({percent(number / count)}) {'is' if number == 1 else 'are'}"
    if isinstance(contaminated, str):
        if number:
            say(f"{some} left out: a gap separates their scores from those of the others")
        else:
            say("no gap separates the scores of some items from the others: none is left out")
        return
    if not number:
        say(f"{percent(contaminated)} of {count:,} items is less than one: none is left out")
        return
    say(f"{some} left out: the strangest; if fewer were strange, more normal items are flagged than asked for")
    if not any(map(has_gap, scores)):
        say(
            "no gap separates the scores of the strangest items from the others, so normal items may be among those "
            "left out: the rate of false alarms is uncertain"
        )


def _fitted_once(uses: Uses, digests: NDArray[np.uint64], taken: NDArray[np.bool_], say: ProgressCallback) -> Uses:
    """Return uses without repeats among the training items; held-out items keep theirs."""
    is_training = uses == TRAINING
    once = without_repeats(np.where(is_training, uses, np.uint8(UNUSED)), digests, taken)
    repeats = int(is_training.sum() - (once == TRAINING).sum())
    if repeats:
        say(f"equal items count once in the fit: {counted(repeats, 'repeat')} left out of it")
    return np.where(is_training, once, uses)


def _strangest(scores: Sequence[Floats], share: float) -> NDArray[np.bool_]:
    """Return which items are the strangest ones of this share, of all items together, bool (n,)."""
    strangeness = scores[0] if len(scores) == 1 else mean_rank(scores, scores)
    strangest = np.zeros(len(strangeness), dtype=bool)
    count = min(round(share * len(strangeness)), (len(strangeness) - 1) // 2)
    strangest[np.argsort(-strangeness, kind="stable")[:count]] = True
    return strangest
