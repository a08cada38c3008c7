"""A comparison of any size without any fitting: random lists, random measures, titles of usual length."""

from __future__ import annotations

import numpy as np

from retrieval.corpora.base import Item
from retrieval.evaluation.ranking import Rankings
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.search.result import Shown

MEASURES = ("nDCG@10", "AP@100", "P@10", "P@100")
WORDS = "heat transfer in slip flow over a flat plate of a hypersonic wind tunnel with laminar boundary layers".split()


def simulated(n_queries: int, n_spaces: int, pictures: bool = False, seed: int = 0) -> Comparison:
    """Return a comparison in which every item is a query: 10 labels, 100 answers."""
    rng = np.random.default_rng(seed)
    labels = [f"class {label}" for label in rng.integers(0, 10, n_queries)]
    titles = [" ".join(rng.choice(WORDS, 9)) for _ in range(n_queries)]
    faces = rng.integers(0, 256, (n_queries, 28, 28), dtype=np.uint8) if pictures else [None] * n_queries
    shown = [
        Shown(f"item-{n}", label, None if pictures else title, picture=face)
        for n, (label, title, face) in enumerate(zip(labels, titles, faces, strict=True))
    ]
    items = [Item(one.id, title, one.label) for one, title in zip(shown, titles, strict=True)]
    rows = np.arange(n_queries)
    ids = [one.id for one in shown]
    query_set = QuerySet(ids, shown, list(labels), items, rows, None, rng.permutation(n_queries))
    sample = np.sort(rng.permutation(n_queries)[:1500])
    spaces = [_space(f"pixels+pca:{number + 1}", n_queries, sample, rng) for number in range(n_spaces)]
    return Comparison(
        "simulated", "image" if pictures else "text", n_queries, n_queries, "labels", spaces, [], [],
        query_set=query_set, sample=sample,
    )  # fmt: skip


def _space(spec: str, n_queries: int, sample: np.ndarray, rng: np.random.Generator) -> SpaceResult:
    values = {
        measure: np.round(rng.beta(2, 2, n_queries), 1) if measure.startswith("P@") else rng.beta(2, 2, n_queries)
        for measure in MEASURES
    }
    rows = rng.integers(0, n_queries, (n_queries, 100))
    scores = np.sort(rng.normal(size=rows.shape).astype(np.float32))[:, ::-1]
    nothing = np.zeros(n_queries, np.int64)
    return SpaceResult(
        spec=spec, index="exact", dim=8, kind="dense", metric="euclidean", bytes_per_item=32.0, fit_seconds=0.0,
        encode_per_second=1e6, query_ms=0.1, measures={name: float(one.mean()) for name, one in values.items()},
        per_query=values, tied_with_best={}, precision_recall=None, options=spec,
        rankings=Rankings(scores, rows, nothing, np.zeros((n_queries, 1), np.int64)),
        sample_codes=rng.normal(size=(len(sample), 8)).astype(np.float32),
    )  # fmt: skip
