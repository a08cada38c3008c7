"""The names of measures of a ranking, and what they stand for.

A measure is written as its name and its cutoff: ``nDCG@10``, ``nDCG``, ``AP``, ``AP@100``, ``RR``, ``RR@10``,
``P@10``, ``R@100``, ``Success@10``. `MEASURES` is the table of all of them; `ranking_measures` computes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from encoders.errors import OptionError, UnknownNameError
from retrieval.evaluation.ranking_measures import (
    Floats,
    Judged,
    average_precision,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    success,
)

_OPTIONAL, _REQUIRED = False, True
#: The table of measures: name -> the function, and whether it needs a cutoff.
MEASURES: dict[str, tuple[Callable[[Judged, Any], Floats], bool]] = {
    "nDCG": (ndcg, _OPTIONAL),
    "AP": (average_precision, _OPTIONAL),
    "RR": (reciprocal_rank, _OPTIONAL),
    "P": (precision, _REQUIRED),
    "R": (recall, _REQUIRED),
    "Success": (success, _REQUIRED),
}

#: Names that trec_eval, ir_measures and papers use (lower-case letters only) -> our name.
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
    """A measure with its cutoff, such as ``nDCG@10``; call it to compute it.

    ``str(measure)`` is the text that `parse_measure` reads.
    """

    name: str
    cutoff: int | None = None

    def __post_init__(self) -> None:
        if self.name not in MEASURES:
            raise UnknownNameError("measure", self.name, MEASURES, _suggestion(self.name))
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
            When the rankings stop before the measure's cutoff.
        """
        known = judged.known_depth
        if known is not None and (self.cutoff is None or self.cutoff > known):
            needed = "full rankings" if self.cutoff is None else f"the first {self.cutoff} answers"
            instead = f"ask for {self.name}@{known} or search deeper" if known else "search deeper"
            raise OptionError(
                f"{self} needs {needed}, but some rankings stop after {known} although the index holds more items: "
                f"{instead}"
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
        raise UnknownNameError("measure", text, MEASURES, _suggestion(text))
    if not at:
        return Measure(name)
    # No leading zeros: one measure has one text.
    if not re.fullmatch(r"[1-9][0-9]*", cutoff):
        raise OptionError(f"{text}: the cutoff should be a whole number above 0; got '{cutoff}'")
    return Measure(name, int(cutoff))


def _suggestion(text: str) -> str | None:
    """The measure that trec_eval, ir_measures or a paper writes as `text`; None when the name is unknown.

    Examples
    --------
    >>> _suggestion("map"), _suggestion("ndcg_cut_10"), _suggestion("MRR@10"), _suggestion("hit")
    ('AP', 'nDCG@10', 'RR@10', 'Success@10')
    """
    match = re.fullmatch(r"([a-z][a-z _-]*?)[ _.@-]*([1-9][0-9]*)?", text.strip().lower())
    name = "" if match is None else re.sub("[^a-z]", "", match[1])
    same = {known.lower(): known for known in MEASURES} | OTHER_NAMES
    if match is None or name not in same:
        return None
    cutoff = match[2] or ("10" if MEASURES[same[name]][1] is _REQUIRED else "")
    return f"{same[name]}@{cutoff}" if cutoff else same[name]


def parse_measures(texts: Iterable[str | Measure]) -> list[Measure]:
    """Read several measures, in their order; repeated ones are dropped."""
    return list(dict.fromkeys(parse_measure(text) for text in texts))
