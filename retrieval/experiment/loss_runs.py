"""The runs behind the losses of a space: exact search once, and search in the codes of each index that quantises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind
from encoders.errors import NotInvertibleError
from indexers.base import Index
from indexers.registry import create_index
from retrieval.corpora.base import Item
from retrieval.evaluation.attribution import Attribution, attribute, ideal_values
from retrieval.evaluation.expected_measures import expected_measures
from retrieval.evaluation.ranking import Rankings, rank
from retrieval.evaluation.relevance import Relevance
from retrieval.experiment.label_ladder.rung import Rung
from retrieval.experiment.loss import DiskBytes, Loss
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun
from retrieval.experiment.score import measures_of
from retrieval.spaces.build import fill

#: Exact search is slow where an approximate index is worth it: losses are measured on at most this many queries.
MAX_QUERIES = 2_000
#: Number of answers that are compared with those of exact search.
RECALL_AT = 10
#: Scores of one pair may differ by rounding, relative to the score, when two engines compute them.
ROUNDING = 1e-6


def attribute_losses(
    items: Iterable[Item], query_set: QuerySet, runs: Sequence[SpaceRun], items_bytes: int | None = None
) -> None:
    """Set `SpaceRun.loss` of the runs of one space, when any of their indexes is not exact.

    Parameters
    ----------
    items : iterable of Item
        The corpus; read again only where no index gives its codes.
    query_set : QuerySet
    runs : sequence of SpaceRun
        Of one space; the codes that they hold for this purpose are freed.
    items_bytes : int, optional
        Size of the stored items of a collection.
    """
    judged = query_set.judged_by != Rung.AGREEMENT  # else nothing is relevant, and nothing is lost
    if judged and not all(run.index.is_exact for run in runs):
        asked = _Asked.of(query_set)
        ready = next((run for run in runs if run.index.is_exact and run.index.holds_codes), None)
        reference = reference_index(items, runs[-1], len(query_set.ids)) if ready is None else ready.index
        exact = asked.rank(reference, runs[0]) if ready is None else asked.listed(ready)
        for run in runs:
            run.loss = _loss(asked, run, reference, exact, _disk(run, items_bytes))
    for run in runs:
        run.codes = None


@dataclass(frozen=True)
class _Asked:
    """The queries that are measured: their numbers, their relevance, and the way to rank them in any index."""

    query_set: QuerySet
    numbers: NDArray[np.int64]
    relevance: Relevance

    @classmethod
    def of(cls, query_set: QuerySet) -> _Asked:
        numbers = np.arange(len(query_set.queries))
        if len(numbers) > MAX_QUERIES:
            numbers = np.linspace(0, len(numbers) - 1, MAX_QUERIES).astype(np.int64)
        return cls(query_set, numbers, query_set.relevance.select(numbers))

    def codes(self, run: SpaceRun) -> Codes:
        queries: Codes = run.queries[self.numbers]
        return queries

    def rank(self, index: Index, run: SpaceRun) -> Rankings:
        asked = self.query_set
        rows = asked.query_rows[self.numbers]
        return rank(index, self.codes(run), asked.depth, rows, asked.priority, self.relevance)

    def listed(self, run: SpaceRun) -> Rankings:
        """The answers of the run itself to these queries."""
        whole, some = run.rankings, self.numbers
        return Rankings(whole.scores[some], whole.rows[some], whole.group_size[some], whole.group_tally[some])


def _loss(asked: _Asked, run: SpaceRun, reference: Index, exact: Rankings, disk: DiskBytes) -> Loss:
    chain, is_joint = {"exact": exact}, False
    try:
        quantised = None if run.index.is_exact else run.index.quantised()
    except NotInvertibleError:
        is_joint = True
    else:
        if quantised is not None:
            chain["codes"] = asked.rank(quantised, run)
    chain["index"] = asked.listed(run)
    return Loss(
        queries=[asked.query_set.queries[number].id for number in asked.numbers.tolist()],
        measures=attributions(asked.relevance, chain, measures_of(asked.query_set, run)),
        recall=recall_against(reference, exact, chain["index"], asked.codes(run)),
        disk=disk,
        is_exact=run.index.is_exact,
        is_joint=is_joint,
    )


def attributions(
    relevance: Relevance, chain: Mapping[str, Rankings], measures: Sequence[str]
) -> dict[str, Attribution]:
    """The losses along a chain of rankings, for every measure.

    Parameters
    ----------
    relevance : Relevance
    chain : mapping of str to Rankings
        Stage (``exact``, ``codes``, ``index``, ``filter``, ``fusion``) -> the answers to the same queries there.
    measures : sequence of str
    """
    values = {
        stage: expected_measures(rankings, relevance, measures, complete=True).per_query
        for stage, rankings in chain.items()
    }
    ideal = ideal_values(relevance, measures)
    return {
        measure: attribute(
            {"ideal": ideal[measure], **{stage: per_measure[measure] for stage, per_measure in values.items()}}
        )
        for measure in measures
    }


def recall_against(
    reference: Index, exact: Rankings, answers: Rankings, queries: Codes, k: int = RECALL_AT
) -> NDArray[np.float64]:
    """The share of the first `k` answers that are as near as the k-th answer of exact search, float64 (n,).

    Every score is computed again from the codes, so that any of several equally near items counts, and no score of an
    approximate index is believed (Aumüller, Bernhardsson & Faithfull, "ANN-Benchmarks", 2020).

    Parameters
    ----------
    reference : Index
        An exact index that holds the codes.
    exact, answers : Rankings
        Of `reference` and of the other index.
    queries : codes (n, dim)
    k : int
    """
    wanted = np.minimum(np.count_nonzero(exact.rows >= 0, axis=1), k)
    last = np.take_along_axis(exact.scores, np.maximum(wanted - 1, 0)[:, None], axis=1)
    rows = answers.rows[:, :k]
    near = reference.score_rows(queries, rows) >= last - ROUNDING * np.abs(last)
    hits = np.count_nonzero(near & (rows >= 0), axis=1)
    return np.where(wanted > 0, np.minimum(hits, wanted) / np.maximum(wanted, 1), 1.0)


def reference_index(items: Iterable[Item], run: SpaceRun, total: int | None = None) -> Index:
    """An exact index of a space: the one that holds its codes, where it is of the kind that ``auto`` chooses.

    Parameters
    ----------
    items : iterable of Item
        They are encoded again when no index gives their codes, as on a server.
    run : SpaceRun
    total : int, optional
        Number of items, for the progress bar.
    """
    holder = run.index if run.codes is None else run.codes
    if not holder.holds_codes:
        return fill(run.encoder, items, None, total).index
    exact = create_index(None, run.encoder.space)
    if holder.is_exact and (run.encoder.space.kind is not Kind.SPARSE or holder.name == exact.name):
        return holder
    exact.fit(holder.codes()).add(list(holder.ids), holder.codes())
    return exact


def _disk(run: SpaceRun, items_bytes: int | None) -> DiskBytes:
    holder = run.codes
    beside = 0 if run.index.holds_codes else None if holder is None else holder.bytes_on_disk()
    return DiskBytes(run.index.bytes_on_disk(), beside, items_bytes)
