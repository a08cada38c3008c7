"""Remedies tried on the spot: what each changes in the health of a space, and in its answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Metric, Space
from retrieval.evaluation.difference import Verdict
from retrieval.evaluation.health import checks
from retrieval.evaluation.health.ranked import Answers, influence, measured
from retrieval.evaluation.health.remedies import (
    VectorRemedy,
    csls,
    mean_of_nearest,
    moments,
    mutual_proximity,
    vector_remedies,
)
from retrieval.evaluation.health.similarity import distance_matrix, mask_query_rows, score_matrix
from retrieval.evaluation.health.values import (
    Values,
    Vectors,
    answered,
    component_values,
    score_values,
    vector_values,
)
from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.evaluation.relevance import Relevance
from retrieval.evaluation.significance import Interval

Floats = NDArray[np.float64]
#: Remedies that change scores, not vectors.
SCORE_REMEDIES = ("csls", "mutual proximity")
#: The smallest difference that is visible in three decimals; nothing is claimed below it.
VISIBLE = 0.0005
#: Random sign assignments of the test of a remedy.
ROUNDS = 2000


@dataclass(frozen=True, eq=False)
class Questions:
    """Queries whose relevant items are known.

    Attributes
    ----------
    rows, pool : array or csr_array float64 (n_queries, dim), (n_pool, dim)
        The queries, and the items that are searched: the sample, and relevant items besides.
    query_rows : ndarray int64 (n_queries,)
        The row of each query itself in the pool; -1 when it is no item.
    relevance : Relevance
    measure : str
        ``P@10`` or ``nDCG@10``.
    choosing : ndarray bool (n_queries,)
        The queries that choose a remedy; the others measure it.
    repeats : ndarray int64 (n_queries,), optional
        A number for each query, the same for the same content; None where items ask.
    """

    rows: Any
    pool: Any
    query_rows: NDArray[np.int64]
    relevance: Relevance
    measure: str
    choosing: NDArray[np.bool_]
    repeats: NDArray[np.int64] | None = None

    def measured(self, scores: Floats) -> Answers:
        """Return the measure of every query, its own row left out."""
        return measured(mask_query_rows(scores, self.query_rows), self.relevance, self.measure)

    def as_it_is(self, vectors: Vectors) -> Answers:
        """Return the measure of every query in the space of some vectors."""
        scores = score_matrix(self.rows, self.pool, vectors.metric)
        return self.measured(answered(scores, vectors.positive_only))


@dataclass(frozen=True)
class Gain:
    """What a remedy changes in a measure, on the queries that did not choose it.

    Attributes
    ----------
    before, after, difference : float
        Means over the queries.
    interval : Interval
        95% interval of the difference; infinite with too few queries.
    queries : int
    verdict : Verdict
        Of the remedy against the space as it is; a difference that three decimals do not show is never called one.
    """

    before: float
    after: float
    difference: float
    interval: Interval
    queries: int
    verdict: Verdict


@dataclass(frozen=True)
class Trial:
    """One remedy, tried.

    Attributes
    ----------
    name, detail, stage : str
        See `VectorRemedy`; a score remedy has no stage.
    values : dict of str to float
        Name of a check -> its value with the remedy.
    choosing : float or None
        Mean difference of the measure on the queries that choose.
    gain : Gain or None
        On the other queries.
    """

    name: str
    detail: str
    stage: str
    values: Values
    choosing: float | None = None
    gain: Gain | None = None

    @property
    def label(self) -> str:
        """Name and parameter."""
        return f"{self.name} ({self.detail})" if self.detail else self.name


def try_remedies(vectors: Vectors, space: Space, questions: Questions | None, dimension: float | None) -> list[Trial]:
    """Return what each remedy that applies to a space changes.

    Parameters
    ----------
    vectors : Vectors
        The sampled items, from which the remedies are learnt (without labels).
    space : Space
    questions : Questions, optional
        None when nothing says what is relevant.
    dimension : float, optional
        The intrinsic dimension.
    """
    before = None if questions is None else questions.as_it_is(vectors)
    trials = []
    for remedy in vector_remedies(vectors.rows, space, dimension):
        changed = _changed(vectors, remedy)
        after = None if questions is None else _moved(questions, remedy).as_it_is(changed)
        values = vector_values(changed) | component_values(changed)
        trials.append(_trial(remedy.name, remedy.detail, remedy.stage, values, questions, before, after))
    for name, scores, pool_scores in _score_remedies(vectors, questions):
        after = None if questions is None or pool_scores is None else questions.measured(pool_scores)
        trials.append(_trial(name, "", "", score_values(scores), questions, before, after))
    return trials


def best_by_choice(trials: list[Trial]) -> Trial | None:
    """Return the remedy with the largest gain on the queries that choose; None when none gains."""
    gaining = [trial for trial in trials if trial.choosing is not None and trial.choosing >= VISIBLE]
    return max(gaining, key=lambda trial: trial.choosing or 0.0, default=None)


def best_for(check: checks.Check, value: float, trials: list[Trial]) -> Trial | None:
    """Return the remedy that improves a value most, among those to try for it; None when none does."""
    tried = [trial for trial in trials if trial.name in check.remedies and check.name in trial.values]

    def badness(of: float) -> float:
        return -of if check.lower_is_worse else abs(of)

    best = min(tried, key=lambda trial: badness(trial.values[check.name]), default=None)
    return best if best is not None and badness(best.values[check.name]) < badness(value) - 1e-9 else None


def gain_of(
    before: Floats,
    after: Floats,
    influences: tuple[Floats, Floats] | None = None,
    repeats: NDArray[np.int64] | None = None,
) -> Gain:
    """Return the difference of a measure over the same queries, with its interval.

    Parameters
    ----------
    before, after : ndarray float64 (n_queries,)
    influences : tuple of ndarray float64 (n_queries,), optional
        What each query contributes to the others as an answer, before and after; None for independent queries.
    repeats : ndarray int64 (n_queries,), optional
        Queries with the same number are one query to the test.

    Examples
    --------
    >>> gain = gain_of(np.array([0.1, 0.2, 0.3, 0.2] * 5), np.array([0.5, 0.5, 0.8, 0.6] * 5))
    >>> str(gain.verdict), round(gain.difference, 3), gain.interval.low > 0
    ('better', 0.4, True)
    """
    added = None if influences is None else {"before": influences[0], "after": influences[1]}
    comparison = multiple_comparison({"after": after, "before": before}, added, rounds=ROUNDS, repeats=repeats)
    pair = comparison.of("after", "before")
    difference, interval, verdict = pair.difference, pair.interval, pair.verdict
    if pair.first == "before":
        difference, interval = -difference, Interval(-interval.high, -interval.low)
        verdict = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}.get(verdict, verdict)
    if abs(difference) < VISIBLE and verdict in (Verdict.BETTER, Verdict.WORSE):
        verdict = Verdict.CANNOT_TELL
    return Gain(float(before.mean()), float(after.mean()), difference, interval, len(before), verdict)


def _trial(
    name: str,
    detail: str,
    stage: str,
    values: Values,
    questions: Questions | None,
    before: Answers | None,
    after: Answers | None,
) -> Trial:
    if questions is None or before is None or after is None:
        return Trial(name, detail, stage, values)
    choose, judge = questions.choosing, ~questions.choosing
    chosen = float((after.values[choose] - before.values[choose]).mean()) if choose.any() else None
    if not judge.any():
        return Trial(name, detail, stage, values, chosen)
    first, second = (
        influence(answers, questions.relevance, questions.query_rows, questions.measure, judge)
        for answers in (before, after)
    )
    repeats = None if questions.repeats is None else questions.repeats[judge]
    gain = gain_of(before.values[judge], after.values[judge], (first, second), repeats)
    return Trial(name, detail, stage, values, chosen, gain)


def _changed(vectors: Vectors, remedy: VectorRemedy) -> Vectors:
    rows = remedy.transform(vectors.rows)
    asking = rows if vectors.asking is vectors.rows else remedy.transform(vectors.asking)
    still_sparse = vectors.positive_only and remedy.name == "the other metric" and remedy.metric is not Metric.EUCLIDEAN
    return Vectors(rows, asking, remedy.metric, still_sparse)


def _moved(questions: Questions, remedy: VectorRemedy) -> Questions:
    return replace(questions, rows=remedy.transform(questions.rows), pool=remedy.transform(questions.pool))


def _score_remedies(vectors: Vectors, questions: Questions | None) -> Iterator[tuple[str, Floats, Floats | None]]:
    """Give the name of each score remedy, its scores among the sampled items, and those of the queries."""
    query_rows = np.arange(vectors.rows.shape[0])
    for name in SCORE_REMEDIES:
        among = mask_query_rows(
            _rescored(name, vectors, vectors.asking, vectors.rows, vectors.asking, query_rows), query_rows
        )
        if questions is None:
            yield name, among, None
        else:
            yield name, among, _for_questions(name, among, vectors, questions)


def _for_questions(name: str, among: Floats, vectors: Vectors, questions: Questions) -> Floats:
    """Return the scores of a score remedy for the queries; those of the sample where its items ask."""
    if questions.pool is vectors.rows and (questions.query_rows >= 0).all():
        return among[questions.query_rows]
    return _rescored(name, vectors, questions.rows, questions.pool, questions.pool, questions.query_rows)


def _rescored(
    name: str, vectors: Vectors, queries: Any, rows: Any, askers: Any, query_rows: NDArray[np.int64]
) -> Floats:
    """Return the scores of a score remedy; `askers` are the rows as queries, whose scores tell which rows are hubs."""
    metric = vectors.metric
    plain = _likeness(queries, rows, metric)
    none = ~np.isfinite(answered(plain, vectors.positive_only))
    theirs = plain if queries is askers else _likeness(askers, rows, metric)
    itself = np.arange(theirs.shape[1])
    if name == "csls":
        ours = mean_of_nearest(mask_query_rows(plain, query_rows))
        scores = csls(plain, ours, mean_of_nearest(mask_query_rows(theirs, itself).T))
    else:
        scores = mutual_proximity(-plain, moments(-plain, query_rows), moments(-theirs.T, itself))
    return np.where(none, -np.inf, scores)


def _likeness(queries: Any, rows: Any, metric: Metric) -> Floats:
    """Return cosines or dot products as they are, and distances (not squared) with a minus."""
    if metric in (Metric.COSINE, Metric.DOT):
        return score_matrix(queries, rows, metric)
    return -distance_matrix(queries, rows, metric)
