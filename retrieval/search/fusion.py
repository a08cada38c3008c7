"""Several lists of hits as one, by the ranks alone: scores of different spaces are no numbers of one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from indexers.base import Hit

#: The constant of Cormack, Clarke and Büttcher: how little it matters which of the first ranks it was.
CONSTANT = 60


class Fused(NamedTuple):
    """One answer of the lists together.

    Attributes
    ----------
    id : str
    score : float
        Larger is better.
    ranks : tuple of int or None
        Its rank in each list, from 1; None where it is not on it.
    """

    id: str
    score: float
    ranks: tuple[int | None, ...]


def reciprocal_rank_fusion(lists: Sequence[Sequence[Hit]], constant: int = CONSTANT) -> list[Fused]:
    """Fuse lists of hits, best first: every list gives an item ``1 / (constant + rank)``.

    Equal sums are put in order by the best single rank, then by the first list, then by the next.

    Parameters
    ----------
    lists : sequence of lists of Hit
        Best first; the scores are not looked at.
    constant : int

    References
    ----------
    G. V. Cormack, C. L. A. Clarke, S. Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
    learning methods", SIGIR 2009.

    Examples
    --------
    >>> words, codes = [Hit("a", 7.0), Hit("b", 5.0)], [Hit("b", 0.9), Hit("c", 0.8)]
    >>> [(one.id, round(one.score, 5), one.ranks) for one in reciprocal_rank_fusion([words, codes])]
    [('b', 0.03252, (2, 1)), ('a', 0.01639, (1, None)), ('c', 0.01613, (None, 2))]
    """
    fused = [Fused(id, _score(ranks, constant), ranks) for id, ranks in ranks_in(lists).items()]
    return sorted(fused, key=_order)


def ranks_in(lists: Sequence[Sequence[Hit]]) -> dict[str, tuple[int | None, ...]]:
    """Return the rank in each list of every item that is on one.

    Examples
    --------
    >>> ranks_in([[Hit("a", 7.0), Hit("b", 5.0)], [Hit("b", 0.9)]])
    {'a': (1, None), 'b': (2, 1)}
    """
    places = [{hit.id: rank for rank, hit in enumerate(hits, 1)} for hits in lists]
    return {id: tuple(place.get(id) for place in places) for place in places for id in place}


def _score(ranks: Sequence[int | None], constant: int) -> float:
    # fsum rounds once: the same ranks in other lists are the same score, which a running sum would not always be
    return math.fsum(1 / (constant + rank) for rank in ranks if rank is not None)


def _order(fused: Fused) -> tuple[float, ...]:
    ranks = [math.inf if rank is None else rank for rank in fused.ranks]
    return (-fused.score, min(ranks), *ranks)
