"""How items and scores are shown to a person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Items, Metric
from retrieval.corpora.base import Item


@dataclass(frozen=True)
class Shown:
    """A query or an answer as it is shown: a picture (uint8) or a title with a snippet."""

    id: str
    label: str | None
    title: str | None = None
    snippet: str | None = None
    picture: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Answer:
    """One answer of one space.

    ``distance`` is in the space's own metric (see ``SpaceResult.metric``): None where answers are ranked by a score
    that is no distance (inner products, BM25).
    """

    shown: Shown
    score: float
    distance: float | None
    relevant: bool | None

    @property
    def number(self) -> float:
        """What is shown beside it: its distance, or its score where there is none."""
        return self.score if self.distance is None else self.distance


def distance_of(score: float, metric: Metric) -> float | None:
    """Turn a score into the distance that a person expects to read; None of an inner product, which is none.

    Examples
    --------
    >>> distance_of(-25.0, Metric.EUCLIDEAN), distance_of(0.75, Metric.COSINE), distance_of(-3.0, Metric.HAMMING)
    (5.0, 0.25, 3.0)
    >>> distance_of(0.0, Metric.EUCLIDEAN), distance_of(1.0000001, Metric.COSINE)
    (0.0, 0.0)
    >>> distance_of(5.8, Metric.DOT) is None
    True
    """
    if metric is Metric.DOT:
        return None
    distance = 1 - score if metric is Metric.COSINE else -score
    nearest = max(distance, 0.0) + 0.0  # rounding makes distances a little negative, and -0.0 is printed with its sign
    return float(np.sqrt(nearest)) if metric is Metric.EUCLIDEAN else nearest


def show(item: Item) -> Shown:
    """Return what is shown of an item: a picture, or title and snippet."""
    content: Items = item.content
    if isinstance(content, str):
        title = item.title or content[:80]
        rest = content[len(title) :] if content.startswith(title) else content
        return Shown(item.id, item.label, title, " ".join(rest.split())[:240])
    if content.dtype == np.uint8 and content.ndim in (2, 3):
        return Shown(item.id, item.label, item.title, picture=content)
    return Shown(item.id, item.label, item.title or item.id)
