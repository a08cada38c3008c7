"""Reciprocal rank fusion: several lists of hits become one, by rank, because scores of spaces cannot be compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from indexers.base import Hit

#: The constant of Cormack, Clarke and Büttcher; a larger one gives the first ranks less weight.
CONSTANT = 60

#: A rank from 1; a mean rank such as 2.5 for equal scores; None for an item that is not in the list.
Rank = int | float | None


class Fused(NamedTuple):
    """One answer of the fused list.

    Attributes
    ----------
    id : str
    score : float
        Larger is better.
    ranks : tuple of int, float or None
        Its rank in each list, from 1; the mean rank of a group of equal scores; None when it is not in the list.
    """

    id: str
    score: float
    ranks: tuple[Rank, ...]


def reciprocal_rank_fusion(lists: Sequence[Sequence[Hit]], constant: int = CONSTANT) -> list[Fused]:
    """The fused list, best first: every list adds ``1 / (constant + rank)`` to the score of an item.

    Equal scores in a list share their mean rank, so that the order of the corpus has no effect. Equal sums are
    ordered by the best single rank, then by the rank in the first list, in the next, and last by id.

    Parameters
    ----------
    lists : sequence of lists of Hit
        Best first; scores only show which hits are equal.
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
    return sorted(fused, key=fused_order)


def ranks_in(lists: Sequence[Sequence[Hit]]) -> dict[str, tuple[Rank, ...]]:
    """The ranks of every item, one for each list.

    Examples
    --------
    >>> ranks_in([[Hit("a", 7.0), Hit("b", 5.0), Hit("c", 5.0)], [Hit("b", 0.9)]])
    {'a': (1, None), 'b': (2.5, 1), 'c': (2.5, None)}
    """
    ranks = [dict(_mean_ranks(hits)) for hits in lists]
    return {id: tuple(one.get(id) for one in ranks) for known in ranks for id in known}


def _mean_ranks(hits: Sequence[Hit]) -> Iterator[tuple[str, int | float]]:
    """Yield every id with its rank; equal scores share the mean of their ranks."""
    first = 1
    for _, group in groupby(hits, key=lambda hit: hit.score):
        ids = [hit.id for hit in group]
        twice = 2 * first + len(ids) - 1
        for id in ids:
            yield id, twice / 2 if twice % 2 else twice // 2
        first += len(ids)


def _score(ranks: Sequence[Rank], constant: int) -> float:
    # fsum rounds once: a running sum could depend on the order of the lists
    return math.fsum(1 / (constant + rank) for rank in ranks if rank is not None)


def fused_order(fused: Fused) -> tuple[float | str, ...]:
    """Return the key by which fused answers are sorted: the score, the best single rank, every rank, the id."""
    ranks = [math.inf if rank is None else rank for rank in fused.ranks]
    return (-fused.score, min(ranks), *ranks, fused.id)
