"""The items whose codes are kept, for maps: a sample that does not depend on the order of the corpus."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun

#: Number of items on a map: more dots hide each other.
SAMPLE = 1_500


def sampled_rows(query_set: QuerySet, count: int = SAMPLE) -> NDArray[np.int64]:
    """Return the rows of at most `count` items, ascending: those that query themselves first, then by priority.

    Parameters
    ----------
    query_set : QuerySet
    count : int
    """
    asked = np.zeros(len(query_set.ids), bool)
    asked[query_set.query_rows[query_set.query_rows >= 0]] = True
    order = np.lexsort((query_set.priority, ~asked))
    return np.sort(order[:count])


def codes_of(query_set: QuerySet, run: SpaceRun, rows: NDArray[np.int64]) -> Codes | None:
    """Return the codes of items; None when neither the index holds them nor the items were queries.

    Parameters
    ----------
    query_set : QuerySet
    run : SpaceRun
    rows : ndarray int64 (n,)
    """
    if run.index.holds_codes:
        return run.index.codes()[rows]
    query_of = np.full(len(query_set.ids), -1)
    asked = np.flatnonzero(query_set.query_rows >= 0)
    query_of[query_set.query_rows[asked]] = asked
    queries = query_of[rows]
    return None if (queries < 0).any() else run.queries[queries]
