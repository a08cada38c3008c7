"""Classification: labels and their probabilities, from an encoder that was trained on labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from encoders.base import Encoder
from encoders.errors import UnsupportedSpaceError
from retrieval.collection.base import Collection
from retrieval.search.query import Query
from retrieval.search.read_query import read_query
from retrieval.search.searcher import encode_query


@dataclass(frozen=True)
class Verdict:
    """The most probable labels of an item, best first."""

    query: Query
    spec: str
    labels: list[tuple[str, float]]

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        asked = self.query.shown
        labels = [{"label": label, "probability": probability} for label, probability in self.labels]
        return {"query": {"id": asked.id, "label": asked.label}, "space": self.spec, "labels": labels}


def classified(collection: Collection, spec: str, text: str, k: int = 3) -> Verdict:
    """Return the `k` most probable labels of an item.

    Raises
    ------
    UnsupportedSpaceError
        When the space was not trained on labels.
    QueryError
        When the space knows no word of a text.
    """
    encoder = collection.space(spec).encoder
    query = read_query(collection, text)
    if isinstance(query.content, str):
        encode_query(encoder, query.content)  # raises QueryError when no word is known
    names, probabilities = _probabilities(encoder, [query.content])
    best = np.argsort(-probabilities[0], kind="stable")[:k]
    return Verdict(query, str(encoder), [(names[column], float(probabilities[0][column])) for column in best])


def _probabilities(encoder: Encoder, items: Any) -> tuple[list[str], Any]:
    classifier: Any = encoder.parts[-1]
    if not hasattr(classifier, "class_probabilities"):
        raise UnsupportedSpaceError(
            f"'{encoder}' was not trained on labels, so it cannot classify: choose a space that was, such as "
            "pixels+pretrained-dnn:1000-1000-500"
        )
    _, rows = encoder.up_to_last(items)
    return classifier.classes, classifier.class_probabilities(rows)
