"""Agreement: how much of a space's answers the other spaces give too. It needs no label, and knows no quality.

A space scores high when it answers as most of the others do: it measures popularity, not performance. Several
variants of one method vote for each other, and a space that is better than all others *because* it is different comes
last (Aslam & Savell 2003).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from encoders.errors import OptionError
from retrieval.evaluation.rank_overlap import Floats, Rows, rbo

#: The name of the measure.
AGREEMENT = "agreement"
#: Answers of each space that are compared; with p = .9 the later ones have half a percent of the weight.
DEPTH = 50
#: Two spaces agree as much with each other as the other way round: that orders nothing.
FEWEST_SPACES = 3


def agreement(rows: Sequence[Rows], encoders: Sequence[str]) -> list[Floats]:
    """The mean rank-biased overlap of each row of a comparison with those of the other encoders, for every query.

    Parameters
    ----------
    rows : sequence of ndarray int64 (n_queries, k)
        The answers of each row of the comparison; -1 after the last answer.
    encoders : sequence of str
        The encoder of each. Rows of one encoder in several indexes are not compared with each other.

    Returns
    -------
    list of ndarray float64 (n_queries,)

    Raises
    ------
    OptionError
        With fewer than three encoders.

    References
    ----------
    I. Soboroff, C. Nicholas, P. Cahan, "Ranking retrieval systems without relevance judgments", SIGIR 2001. J. Aslam,
    R. Savell, "On the effectiveness of evaluating retrieval systems in the absence of relevance judgments", SIGIR
    2003, which shows that this measures popularity, by the mean overlap of each system with the others.

    Examples
    --------
    >>> same, other = np.array([[0, 1]]), np.array([[2, 3]])
    >>> [values.tolist() for values in agreement([same, same, other], ["a", "b", "c"])]
    [[0.5], [0.5], [0.0]]
    """
    require_enough(encoders)
    depth = min(DEPTH, *(one.shape[1] for one in rows))
    pairs: dict[tuple[int, int], Floats] = {}
    for first in range(len(rows)):
        for second in range(first):
            if encoders[first] != encoders[second]:
                pairs[first, second] = rbo(rows[first][:, :depth], rows[second][:, :depth])
                pairs[second, first] = pairs[first, second]
    return [
        np.asarray(np.mean([value for (mine, _), value in pairs.items() if mine == number], axis=0))
        for number in range(len(rows))
    ]


def require_enough(encoders: Sequence[str]) -> None:
    """Refuse to order fewer than three encoders.

    Raises
    ------
    OptionError
    """
    if (count := len(set(encoders))) < FEWEST_SPACES:
        raise OptionError(
            f"without labels or known items, spaces are ordered by their agreement, which needs at least "
            f"{FEWEST_SPACES} spaces, but {count} {'is' if count == 1 else 'are'} given: add -s"
        )
