"""CIFAR-10 by k-means over patches: nearest neighbours and a linear map beside pixels.

The strength of the linear map's ridge is chosen on held-out training pictures. Run:
``NEARBY_DATA=... python benchmarks/patches.py [SPEC]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from record import record, say, timed

from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_index

SPEC = "patch-kmeans:1600"
#: Wide enough that the best of neither space is at an end.
RIDGES = (1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6)
MEASURES = ("P@10", "P@100")


def main(spec: str = SPEC) -> None:
    corpus = open_corpus("cifar10")
    items, queries = list(corpus), list(corpus.queries())
    pictures, asked = [item.content for item in items], [query.content for query in queries]
    labels, truth = [item.label for item in items], [query.label for query in queries]
    figures = {}
    for name in ("pixels", spec):
        encoder = create(name)
        with timed() as fitting:
            encoder.fit(pictures)
        with timed() as encoding:
            codes = encoder.encode(pictures)
        other = encoder.encode(asked)
        index = create_index("exact", encoder.space)
        index.add([str(row) for row in range(len(codes))], codes)
        found = evaluate_index(index, other, labels, truth, MEASURES).means
        figures[name] = {
            **found,
            **linear(codes, labels, other, truth),
            "dim": encoder.space.dim,
            "fit_seconds": fitting.value,
            "encode_per_second": len(codes) / encoding.value,
        }
        say(name, figures[name])
    record("patches", {"spec": spec, "spaces": figures})


def linear(codes: Any, labels: list[Any], other: Any, truth: list[Any]) -> dict[str, float]:
    """Return the test accuracy of ridge regression on the classes, each number scaled to variance 1."""
    names = np.unique(labels)
    wanted = np.where(np.asarray(labels)[:, None] == names, 1.0, -1.0).astype(np.float32)
    centre, scale = codes.mean(axis=0), codes.std(axis=0) + 1e-6
    rows, asked = codes - centre, other - centre  # divided in place: codes may take most of the memory
    rows /= scale
    asked /= scale
    held = np.arange(len(rows)) % 10 == 0
    gram, cross = normal(rows[~held], wanted[~held])
    truth_held = np.asarray(labels)[held]
    scores = {
        ridge: float((names[(rows[held] @ solved(gram, cross, ridge)).argmax(axis=1)] == truth_held).mean())
        for ridge in RIDGES
    }
    ridge = max(scores, key=lambda strength: scores[strength])
    weights = solved(*normal(rows, wanted), ridge)
    return {
        "ridge": ridge,
        "held_out": scores[ridge],
        "linear": float((names[(asked @ weights).argmax(axis=1)] == np.asarray(truth)).mean()),
    }


def normal(rows: Any, wanted: Any) -> tuple[Any, Any]:
    return rows.T @ rows, rows.T @ wanted


def solved(gram: Any, cross: Any, ridge: float) -> Any:
    return np.linalg.solve(gram + ridge * np.eye(len(gram), dtype=gram.dtype), cross)


if __name__ == "__main__":
    main(*sys.argv[1:])
