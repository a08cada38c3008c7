"""The measures of a run, each one small function of who is relevant where; equal to trec_eval on qrels.

A measure's text is its identity: ``nDCG@10``, ``nDCG``, ``AP``, ``AP@100``, ``RR``, ``RR@10``, ``P@10``,
``R@100``, ``Success@10``. Every function takes `Judged` rankings of n queries and returns float64 ``(n,)``;
what a query without anything relevant scores is 0, as in trec_eval.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError, UnknownNameError

Floats = NDArray[np.float64]

#: The recall levels of the standard precision-recall curve.
RECALL_LEVELS: Floats = np.arange(11) / 10


@dataclass(frozen=True)
class Judged:
    """The rankings of n queries as matrices: column j is rank j + 1, 0 (False) pads.

    Attributes
    ----------
    gains : ndarray int32 or bool (n, depth)
        Grade of each answer; 0 where it is not relevant, unjudged or judged below zero.
    relevant : ndarray bool (n, depth)
        Whether each answer is relevant.
    n_relevant : ndarray int64 (n,)
        Number of relevant items, retrieved or not.
    ideal : ndarray int32 or bool (n, width)
        The grades of a perfect ranking, best first.
    by_label : bool
        Judged by "same class is relevant", where AP@k is defined differently (see `average_precision`).
    known_depth : int, optional
        The rank at which the rankings stop although items are left; None where they hold all that there is
        to hold.
    """

    gains: NDArray[Any]
    relevant: NDArray[np.bool_]
    n_relevant: NDArray[np.int64]
    ideal: NDArray[Any]
    by_label: bool = False
    known_depth: int | None = None


def ndcg(judged: Judged, cutoff: int | None) -> Floats:
    """Return the normalised discounted cumulative gain, gain = grade (Järvelin & Kekäläinen 2002)."""
    return _ratio(_dcg(judged.gains[:, :cutoff]), _dcg(judged.ideal[:, :cutoff]))


def average_precision(judged: Judged, cutoff: int | None) -> Floats:
    """Return the mean of the precisions at the ranks of relevant answers.

    On qrels the mean is over all relevant documents, with a cutoff too (trec_eval's ``map`` and ``map_cut``).

    By label, ``AP@k`` is the mean over the relevant answers *among the first k* (0 where there is none). A
    class can hold thousands of items, so that dividing by all of them would press every AP@100 towards 0.
    It says how well the first k are ordered and filled, and is not comparable with trec_eval's
    ``map_cut_k``. ``AP`` without a cutoff is the same in both.
    """
    relevant = judged.relevant[:, :cutoff]
    query, rank = np.nonzero(relevant)
    found = np.count_nonzero(relevant, axis=1)
    first = np.concatenate(([0], np.cumsum(found)[:-1]))
    precision = (np.arange(len(query)) - first[query] + 1) / (rank + 1)
    divisor = judged.n_relevant if cutoff is None or not judged.by_label else found
    return _ratio(np.bincount(query, precision, len(relevant)), divisor)


def reciprocal_rank(judged: Judged, cutoff: int | None) -> Floats:
    """Return 1 / rank of the first relevant answer."""
    relevant = judged.relevant[:, :cutoff]
    return _ratio(np.asarray(relevant.any(axis=1)), relevant.argmax(axis=1) + 1)


def precision(judged: Judged, cutoff: int) -> Floats:
    """Return the share of relevant answers among the first k; missing answers are not relevant."""
    return np.asarray(np.count_nonzero(judged.relevant[:, :cutoff], axis=1) / cutoff)


def recall(judged: Judged, cutoff: int) -> Floats:
    """Return the share of the relevant items that are among the first k."""
    return _ratio(np.count_nonzero(judged.relevant[:, :cutoff], axis=1), judged.n_relevant)


def success(judged: Judged, cutoff: int) -> Floats:
    """Return 1 where any of the first k answers is relevant."""
    return np.asarray(judged.relevant[:, :cutoff].any(axis=1), np.float64)


def precision_at_recall(relevant: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> Floats:
    """Return the interpolated precision at recall 0, .1, ..., 1 (trec_eval's ``iprec_at_recall``).

    The precision at a level is the best precision at any rank where that recall is reached; 0 where it
    never is.

    Parameters
    ----------
    relevant : ndarray bool (n, depth)
        In the order of the ranks.
    n_relevant : ndarray int64 (n,)
        Number of relevant items, retrieved or not.

    Returns
    -------
    ndarray float64 (n, 11)

    Examples
    --------
    >>> precision_at_recall(np.array([[True, False, True, False]]), np.array([2]))[0, [0, 5, 6, 10]].round(3)
    array([1.   , 1.   , 0.667, 0.667])
    """
    curve = np.zeros((len(relevant), len(RECALL_LEVELS)))
    # trec_eval rounds "level x R relevant documents" this way, and so never asks for a fraction of one.
    needed = np.floor(RECALL_LEVELS * n_relevant[:, None] + 0.9).astype(np.int64)
    # Query by query: only the ranks of relevant answers matter, and full rankings are too wide for (n,
    # depth) floats.
    for row, answers in enumerate(relevant):
        ranks = np.flatnonzero(answers) + 1
        best = np.maximum.accumulate((np.arange(1, len(ranks) + 1) / ranks)[::-1])[::-1]
        reached = needed[row] <= len(ranks) if len(ranks) else np.zeros(len(RECALL_LEVELS), bool)
        curve[row, reached] = best[np.maximum(needed[row, reached], 1) - 1]
    return curve


_OPTIONAL, _REQUIRED = False, True
#: name -> the function, and whether it needs a cutoff.
MEASURES: dict[str, tuple[Callable[[Judged, Any], Floats], bool]] = {
    "nDCG": (ndcg, _OPTIONAL),
    "AP": (average_precision, _OPTIONAL),
    "RR": (reciprocal_rank, _OPTIONAL),
    "P": (precision, _REQUIRED),
    "R": (recall, _REQUIRED),
    "Success": (success, _REQUIRED),
}

#: What trec_eval, ir_measures and papers call them, in small letters alone.
OTHER_NAMES = {
    "map": "AP",
    "mapcut": "AP",
    "averageprecision": "AP",
    "meanaverageprecision": "AP",
    "mrr": "RR",
    "reciprank": "RR",
    "reciprocalrank": "RR",
    "meanreciprocalrank": "RR",
    "ndcgcut": "nDCG",
    "prec": "P",
    "precision": "P",
    "rec": "R",
    "recall": "R",
    "hit": "Success",
    "hits": "Success",
    "hitrate": "Success",
    "hr": "Success",
}


@dataclass(frozen=True)
class Measure:
    """A measure with its cutoff; ``str`` gives the text that `parse_measure` reads, a call computes it."""

    name: str
    cutoff: int | None = None

    def __post_init__(self) -> None:
        if self.name not in MEASURES:
            raise UnknownNameError("measure", self.name, MEASURES, _meant(self.name))
        if self.cutoff is None and MEASURES[self.name][1] is _REQUIRED:
            raise OptionError(f"the measure {self.name} needs a cutoff, as in {self.name}@10")
        if self.cutoff is not None and self.cutoff < 1:
            raise OptionError(f"{self}: the cutoff should be at least 1; got {self.cutoff}")

    def __str__(self) -> str:
        return self.name if self.cutoff is None else f"{self.name}@{self.cutoff}"

    def __call__(self, judged: Judged) -> Floats:
        """Compute the measure for every query, float64 ``(n,)``.

        Raises
        ------
        OptionError
            When the rankings stop before the rank that the measure looks at.
        """
        known = judged.known_depth
        if known is not None and (self.cutoff is None or self.cutoff > known):
            deepest = f"{self.name}@{known}" if known else "a deeper ranking"
            needed = "full rankings" if self.cutoff is None else f"the first {self.cutoff} answers"
            raise OptionError(
                f"{self} needs {needed}, but some stop at {known} although items are left: ask for {deepest}"
            )
        return MEASURES[self.name][0](judged, self.cutoff)


def parse_measure(text: str | Measure) -> Measure:
    """Read a measure such as ``nDCG@10``.

    Raises
    ------
    UnknownNameError
        When there is no such measure.
    OptionError
        When the cutoff is missing, or not a whole number above 0.

    Examples
    --------
    >>> parse_measure("nDCG@10")
    Measure(name='nDCG', cutoff=10)
    >>> parse_measure("P")
    Traceback (most recent call last):
    encoders.errors.OptionError: the measure P needs a cutoff, as in P@10
    """
    if isinstance(text, Measure):
        return text
    name, at, cutoff = text.partition("@")
    if name not in MEASURES:
        raise UnknownNameError("measure", text, MEASURES, _meant(text))
    if not at:
        return Measure(name)
    # No leading zeros: one measure has one text.
    if not re.fullmatch(r"[1-9][0-9]*", cutoff):
        raise OptionError(f"{text}: the cutoff should be a whole number above 0; got '{cutoff}'")
    return Measure(name, int(cutoff))


def _meant(text: str) -> str | None:
    """Return a measure by what trec_eval, ir_measures or a paper call it; None where that cannot be told.

    Examples
    --------
    >>> _meant("map"), _meant("ndcg_cut_10"), _meant("MRR@10"), _meant("recall.100"), _meant("hit")
    ('AP', 'nDCG@10', 'RR@10', 'R@100', 'Success@10')
    """
    match = re.fullmatch(r"([a-z][a-z _-]*?)[ _.@-]*([1-9][0-9]*)?", text.strip().lower())
    name = "" if match is None else re.sub("[^a-z]", "", match[1])
    same = {known.lower(): known for known in MEASURES} | OTHER_NAMES
    if match is None or name not in same:
        return None
    cutoff = match[2] or ("10" if MEASURES[same[name]][1] is _REQUIRED else "")
    return f"{same[name]}@{cutoff}" if cutoff else same[name]


def parse_measures(texts: Iterable[str | Measure]) -> list[Measure]:
    """Read several measures, in their order, each once."""
    return list(dict.fromkeys(parse_measure(text) for text in texts))


def _dcg(gains: NDArray[Any]) -> Floats:
    discount = 1 / np.log2(np.arange(2, gains.shape[1] + 2))
    return np.asarray(gains @ discount, np.float64)


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """Divide, giving 0 where there is nothing to divide by."""
    result = np.zeros(len(whole))
    np.divide(part, whole, out=result, where=whole > 0)
    return result
