"""What is checked of a space, from which value on it is to be watched or poor, and what to try then.

The limits are conventions; each says where it comes from. No value is a measure of quality: `benchmarks/health.py`
measures whether any predicts it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """The verdict on one value."""

    FINE = "fine"
    WATCH = "watch"
    POOR = "poor"


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    name : str
    meaning : str
        What the value says, in words.
    watch, poor : float
        From which value on it is to be watched, or poor; multiples of the chance level if `relative`. NaN: never.
    source : str
        Where the limits come from.
    lower_is_worse, relative, share : bool
        `share`: the value is a share, shown as a percentage.
    remedies : tuple of str
        What to try, as `retrieval.evaluation.health.remedies` names it.
    advice : str
        What to do besides.
    """

    name: str
    meaning: str
    watch: float
    poor: float
    source: str
    lower_is_worse: bool = False
    relative: bool = False
    share: bool = False
    remedies: tuple[str, ...] = ()
    advice: str = ""

    def judge(self, value: float, chance: float | None = None) -> Level:
        """Return the verdict on a value.

        Examples
        --------
        >>> str(HUBNESS.judge(3.0)), str(CONTRAST.judge(2.0)), str(EFFECTIVE_RANK.judge(1.0, 100.0))
        ('poor', 'fine', 'poor')
        """
        unit = chance if self.relative and chance is not None else 1.0
        sign = -1 if self.lower_is_worse else 1
        for level, limit in ((Level.POOR, self.poor), (Level.WATCH, self.watch)):
            if not math.isnan(limit) and sign * value >= sign * limit * unit:
                return level
        return Level.FINE


_SCORES = ("csls", "mutual proximity")
_ALL = ("centring", "all-but-the-top", "whitening", "fewer components", *_SCORES)
HUBNESS = Check(
    "hubness", "skewness of how often items are among the 10 nearest of others", 1.2, 2.4,
    "1.2: rule of thumb of scikit-hubness (Feldbauer et al., 2020); poor: twice that, ours", remedies=_ALL,
)  # fmt: skip
ANTIHUBS = Check(
    "anti-hubs", "items that are among the 10 nearest of no other", 0.1, 0.3, "ours: a tenth, three tenths",
    share=True, remedies=_ALL,
)  # fmt: skip
TWO_NN = Check(
    "dimension, TwoNN", "numbers that would describe the neighbourhoods", 0.8, float("nan"),
    "ours: a share of chance, from 10 components on; never poor, because good components may be independent",
    relative=True, remedies=("fewer components",),
    advice="neighbourhoods are like those of independent components: they may be noise",
)  # fmt: skip
MLE = Check(
    "dimension, MLE", "the same, from 20 neighbours (Levina & Bickel)", 0.8, float("nan"),
    "ours: as for TwoNN", relative=True, remedies=("fewer components",),
    advice="neighbourhoods are like those of independent components: they may be noise",
)  # fmt: skip
EFFECTIVE_RANK = Check(
    "effective rank", "number of directions that the codes use", 0.25, 0.05, "ours: shares of chance",
    lower_is_worse=True, relative=True, remedies=("whitening", "all-but-the-top", "fewer components"),
)  # fmt: skip
ANISOTROPY = Check(
    "anisotropy", "mean cosine of two items: the share of a code that all items have", 0.1, 0.5,
    "ours: a tenth, half of the squared length is common to all", remedies=("centring", "all-but-the-top", "whitening"),
)  # fmt: skip
CONSTANT = Check(
    "constant components", "components that are the same in every sampled item", 0.01, 0.5, "ours: 1%, half",
    share=True, remedies=("fewer components",),
)  # fmt: skip
NEAR_CONSTANT = Check(
    "near-constant", "other components that vary less than 1% of the one that varies most", 0.1, 0.5,
    "ours: a tenth, half", share=True, remedies=("fewer components", "whitening"),
)  # fmt: skip
EXACT = Check(
    "equal codes", "items with the code of an item of another content", 0.01, 0.1, "ours: 1%, a tenth", share=True,
    advice="a wider code tells more items apart",
)  # fmt: skip
NEAR = Check(
    "near duplicates", "other items with one nearer than 1% of the median distance", 0.05, 0.25,
    "ours: 5%, a quarter", share=True, advice="look at the pair: is the corpus redundant, or the code too coarse?",
)  # fmt: skip
CONTRAST = Check(
    "contrast", "mean distance / distance of the nearest", 1.25, 1.1,
    "ours; towards 1 the nearest is no nearer than any (Beyer et al., 1999)", lower_is_worse=True,
    remedies=("centring", "all-but-the-top", "fewer components"),
)  # fmt: skip
DISAGREEMENT = Check(
    "cosine against dot", "share of the 10 nearest by cosine that dot does not find", 0.25, float("nan"),
    "ours: a quarter; never poor, because it is a choice", share=True, remedies=("the other metric",),
    advice="lengths decide: choose the metric on purpose",
)  # fmt: skip
FAR_QUERIES = Check(
    "far queries", "queries farther from all items than 99% of the items from their nearest", 0.05, 0.25,
    "ours: 5 times chance, a quarter", share=True, advice="queries are unlike items: fit on texts like the queries",
)  # fmt: skip
DISCRIMINATOR = Check(
    "discriminator loss", "how badly a network tells an item's code from another's", 0.5, 0.9,
    "ours: shares of the loss with shuffled codes", relative=True, advice="the code keeps little of its item",
)  # fmt: skip
CHECKS = (
    HUBNESS, ANTIHUBS, TWO_NN, MLE, EFFECTIVE_RANK, ANISOTROPY, CONSTANT, NEAR_CONSTANT, EXACT, NEAR, CONTRAST,
    DISAGREEMENT, FAR_QUERIES, DISCRIMINATOR,
)  # fmt: skip
#: Widths below which an intrinsic dimension is shown, not judged: any cloud of points fills a few components.
JUDGED_WIDTH = 10


def worst(levels: list[Level]) -> Level:
    """Return the worst of some verdicts; fine when there are none.

    Examples
    --------
    >>> str(worst([Level.FINE, Level.WATCH])), str(worst([]))
    ('watch', 'fine')
    """
    order = list(Level)
    return max(levels, key=order.index, default=Level.FINE)
