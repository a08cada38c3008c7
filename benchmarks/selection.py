"""Fifty pixels of MNIST chosen by each criterion: how well extremely randomised trees tell the digits from them.

The criterion is to be chosen on held-out training pictures (`held out`); the test pictures are looked at once for all.
Run: ``NEARBY_DATA=... python benchmarks/selection.py``
"""

from __future__ import annotations

from typing import Any

import numpy as np
from record import record, say, timed
from sklearn.ensemble import ExtraTreesClassifier

from encoders.projection.feature_selection import CRITERIA
from encoders.registry import create
from retrieval.corpora.registry import open_corpus

K, SEEDS = 50, (0, 1, 2)


def main() -> None:
    corpus = open_corpus("mnist")
    items, queries = list(corpus), list(corpus.queries())
    pixels = create("pixels")
    train, labels = (
        pixels.fit_encode(np.stack([item.content for item in items])),
        np.array([item.label for item in items]),
    )
    test, asked = pixels.encode([query.content for query in queries]), np.array([query.label for query in queries])
    found: dict[str, Any] = {}
    for criterion in CRITERIA:
        encoder: Any = create(f"select:{K},criterion={criterion}")
        with timed() as taken:
            encoder.fit(train[:50_000], list(labels[:50_000]))
        chosen, other = encoder.encode(train), encoder.encode(test)
        held = accuracy(chosen[:50_000], labels[:50_000], chosen[50_000:], labels[50_000:])
        final = accuracy(chosen, labels, other, asked)
        found[criterion] = {"fit_seconds": taken.value, "held_out": held, "test": final}
        say(criterion, found[criterion])
    record("selection", {"k": K, "criteria": found})


def accuracy(rows: Any, labels: Any, asked: Any, truth: Any) -> list[float]:
    """Return mean and spread over the seeds of the trees."""
    scores = [
        float(
            (ExtraTreesClassifier(100, n_jobs=-1, random_state=seed).fit(rows, labels).predict(asked) == truth).mean()
        )
        for seed in SEEDS
    ]
    return [float(np.mean(scores)), float(np.std(scores))]


if __name__ == "__main__":
    main()
