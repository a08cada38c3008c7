"""How good rankings are: nDCG, AP, RR, P, R and Success of judged rankings, equal to trec_eval by qrels.

Every measure takes the `Judged` rankings of n queries and returns float64 ``(n,)``, each value from 0 to 1; larger is
better. A query without any relevant item scores 0, as in trec_eval.

Equal scores leave the order of the answers open. `retrieval.evaluation.evaluate.evaluate_run` orders them as trec_eval
does, by descending id. `retrieval.evaluation.expected_measures`, which ``nearby compare`` uses, takes the mean of the
measure over all orders of equal scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: The recall levels of the standard precision-recall curve.
RECALL_LEVELS: Floats = np.arange(11) / 10


@dataclass(frozen=True)
class Judged:
    """The rankings of n queries with the grade of every answer, as matrices: column j is rank j + 1; 0 (False) pads.

    Attributes
    ----------
    gains : ndarray int32 or bool (n, depth)
        Grade of each answer; 0 when it is not relevant, not judged, or judged below zero.
    relevant : ndarray bool (n, depth)
        Whether each answer is relevant.
    n_relevant : ndarray int64 (n,)
        Number of relevant items, found or not.
    ideal : ndarray int32 or bool (n, width)
        The grades of a perfect ranking, best first.
    by_label : bool
        Whether labels decide what is relevant: an item with the query's label is. It changes the divisor of AP@k
        (see `average_precision`).
    known_depth : int, optional
        The rank at which the rankings stop although more items could follow; None when they are complete.
    """

    gains: NDArray[Any]
    relevant: NDArray[np.bool_]
    n_relevant: NDArray[np.int64]
    ideal: NDArray[Any]
    by_label: bool = False
    known_depth: int | None = None


def ndcg(judged: Judged, cutoff: int | None) -> Floats:
    """nDCG@k: the discounted cumulative gain of the first k answers, divided by that of a perfect ranking.

    Answers: are the most relevant items at the top? It is the only measure here that uses grades.
    Definition: DCG@k = sum over ranks i = 1..k of grade(i) / log2(i + 1); nDCG@k = DCG@k / DCG@k of all relevant items
    in the order of descending grade. The gain is the grade itself, as in trec_eval, not 2^grade - 1.
    Range: 0 (no relevant answer) to 1 (a perfect ranking).
    Ties: every rank of a group of equal scores counts the mean grade of the group.
    Source: Järvelin & Kekäläinen, ACM TOIS 20(4), 2002; trec_eval's ``ndcg`` and ``ndcg_cut_k``.
    """
    return ratio(_dcg(judged.gains[:, :cutoff]), _dcg(judged.ideal[:, :cutoff]))


def average_precision(judged: Judged, cutoff: int | None) -> Floats:
    """AP@k: the sum of the precisions at the ranks of the relevant answers, divided by how many there could be.

    Answers: are the relevant items found, and before all others?
    Definition: sum over the relevant answers at ranks i <= k of P@i, divided by R, the number of relevant items, found
    or not. When labels decide what is relevant, the divisor is min(R, k): a class can hold thousands of items, and no
    list of k answers can hold them all. The two agree wherever R <= k, and for ``AP`` without a cutoff.
    Range: 0 (no relevant answer) to 1 (all R relevant items first); when R > k, the highest value is k / R with qrels
    and 1 with labels.
    Ties: P@i is replaced by its mean over the orders in which the answer at rank i is relevant.
    Source: Buckley & Voorhees, "Evaluating Evaluation Measure Stability", SIGIR 2000; trec_eval's ``map`` and
    ``map_cut_k``, which always divide by R.
    """
    relevant = judged.relevant[:, :cutoff]
    query, rank = np.nonzero(relevant)
    hits = np.count_nonzero(relevant, axis=1)
    first = np.concatenate(([0], np.cumsum(hits)[:-1]))
    precision = (np.arange(len(query)) - first[query] + 1) / (rank + 1)
    return ratio(np.bincount(query, precision, len(relevant)), average_precision_divisor(judged, cutoff))


def average_precision_divisor(judged: Judged, cutoff: int | None) -> NDArray[np.int64]:
    """The largest possible sum of precisions that `average_precision` divides by, int64 (n,)."""
    if judged.by_label and cutoff is not None:
        return np.minimum(judged.n_relevant, cutoff)
    return judged.n_relevant


def reciprocal_rank(judged: Judged, cutoff: int | None) -> Floats:
    """RR@k: 1 divided by the rank of the first relevant answer.

    Answers: how far must you read until the first relevant answer? Its mean over the queries is called MRR.
    Definition: 1 / rank of the first relevant answer; 0 when none of the first k is relevant.
    Range: 0 (none) to 1 (the first answer is relevant).
    Ties: the mean of 1 / rank, where the rank of the first relevant item of a group is hypergeometric.
    Source: Voorhees, "The TREC-8 Question Answering Track Report", 1999; trec_eval's ``recip_rank``.
    """
    relevant = judged.relevant[:, :cutoff]
    return ratio(np.asarray(relevant.any(axis=1)), relevant.argmax(axis=1) + 1)


def precision(judged: Judged, cutoff: int) -> Floats:
    """P@k: the share of the first k answers that are relevant.

    Answers: how clean is the first page of k answers?
    Definition: relevant answers among the first k, divided by k. Missing answers count as not relevant.
    Range: 0 to 1; at most R / k for a query with R relevant items.
    Ties: every rank of a group of equal scores counts the share of relevant items in the group.
    Source: van Rijsbergen, *Information Retrieval*, 1979, chapter 7; trec_eval's ``P_k``.
    """
    return np.asarray(np.count_nonzero(judged.relevant[:, :cutoff], axis=1) / cutoff)


def recall(judged: Judged, cutoff: int) -> Floats:
    """R@k: the share of the relevant items that are among the first k answers.

    Answers: how much of what is relevant do k answers hold?
    Definition: relevant answers among the first k, divided by R, the number of relevant items.
    Range: 0 to 1; at most k / R for a query with R relevant items.
    Ties: every rank of a group of equal scores counts the share of relevant items in the group.
    Source: van Rijsbergen, *Information Retrieval*, 1979, chapter 7; trec_eval's ``recall_k``.
    """
    return ratio(np.count_nonzero(judged.relevant[:, :cutoff], axis=1), judged.n_relevant)


def success(judged: Judged, cutoff: int) -> Floats:
    """Success@k: 1 when any of the first k answers is relevant, else 0.

    Answers: for what share of the queries do k answers hold at least one relevant item? Also called hit rate.
    Definition: 1 when the first relevant answer has rank k or less, else 0.
    Range: 0 or 1; the mean over the queries is a share.
    Ties: the probability that one of the first k answers is relevant.
    Source: trec_eval's ``success_k``.
    """
    return np.asarray(judged.relevant[:, :cutoff].any(axis=1), np.float64)


def precision_at_recall(relevant: NDArray[np.bool_], n_relevant: NDArray[np.int64]) -> Floats:
    """The precision-recall curve: the interpolated precision at recall 0, .1, ..., 1.

    Answers: how clean is the list while you read on until a given share of the relevant items is found?
    Definition: the precision at a recall level is the highest precision at any rank that reaches that recall; 0 when
    no rank does.
    Range: 0 to 1, never rising with recall.
    Ties: the caller decides their order; ``nearby compare`` orders equal scores by a random priority of the items.
    Source: Manning, Raghavan & Schütze, *Introduction to Information Retrieval*, 2008, section 8.4; trec_eval's
    ``iprec_at_recall``.

    Parameters
    ----------
    relevant : ndarray bool (n, depth)
        Whether each answer is relevant, best answer first.
    n_relevant : ndarray int64 (n,)
        Number of relevant items, found or not.

    Returns
    -------
    ndarray float64 (n, 11)

    Examples
    --------
    >>> precision_at_recall(np.array([[True, False, True, False]]), np.array([2]))[0, [0, 5, 6, 10]].round(3)
    array([1.   , 1.   , 0.667, 0.667])
    """
    curve = np.zeros((len(relevant), len(RECALL_LEVELS)))
    # trec_eval rounds "level x R relevant documents" this way, so that a level never needs a fraction of a document.
    needed = np.floor(RECALL_LEVELS * n_relevant[:, None] + 0.9).astype(np.int64)
    # One query at a time: only the ranks of relevant answers matter, and a float matrix (n, depth) of full rankings
    # does not fit in memory.
    for row, answers in enumerate(relevant):
        ranks = np.flatnonzero(answers) + 1
        best = np.maximum.accumulate((np.arange(1, len(ranks) + 1) / ranks)[::-1])[::-1]
        reached = needed[row] <= len(ranks) if len(ranks) else np.zeros(len(RECALL_LEVELS), bool)
        curve[row, reached] = best[np.maximum(needed[row, reached], 1) - 1]
    return curve


def _dcg(gains: NDArray[Any]) -> Floats:
    discount = 1 / np.log2(np.arange(2, gains.shape[1] + 2))
    return np.asarray(gains @ discount, np.float64)


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    """Divide, with 0 where the divisor is 0."""
    result = np.zeros(len(whole))
    np.divide(part, whole, out=result, where=whole > 0)
    return result
