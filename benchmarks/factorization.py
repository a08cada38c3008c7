"""NMF beside scikit-learn's on MNIST and faces: the objective after the same time, the time to the same objective.

Run: ``NEARBY_DATA=... python benchmarks/factorization.py``
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from record import record, say, timed
from sklearn.decomposition import NMF as Peer

from encoders.projection import nmf_updates
from encoders.projection.nmf import NMF, _first_factors
from encoders.registry import create
from retrieval.corpora.registry import open_corpus

K = 49
#: Peer's passes: what a user waits for.
PASSES = (10, 30, 60)
SEEDS = (0, 1, 2)


def main() -> None:
    warnings.simplefilter("ignore")  # scikit-learn's, that it has not converged: its number of iterations is fixed
    figures: dict[str, Any] = {}
    for name, spec in (("mnist", "pixels"), ("orl-faces", "pixels:46x56")):
        rows = create(spec).fit_encode([item.content for item in open_corpus(name)])
        figures[name] = {
            "shape": list(rows.shape),
            "race": [race(rows, passes) for passes in PASSES],
            "plain": plain(rows),
            "sparsity": sparsity(rows),
            "missing": missing(rows),
        }
        say(name, figures[name])
        record("factorization", figures)


def race(rows: Any, passes: int) -> dict[str, Any]:
    """Let scikit-learn run for some passes; then ours for as long, and until it is as good."""
    peer = Peer(K, max_iter=passes, tol=0, init="nndsvda", random_state=0)
    with timed() as taken:
        weights = peer.fit_transform(rows)
    theirs = objective(rows, weights, peer.components_)
    runs = [ours(rows, taken.value, theirs, seed) for seed in SEEDS]
    return {
        "passes": passes,
        "seconds": taken.value,
        "theirs": theirs,
        "ratio": [run["objective"] / theirs for run in runs],
        "seconds_to_theirs": [run["reached"] for run in runs],
    }


def ours(rows: Any, budget: float, theirs: float, seed: int) -> dict[str, Any]:
    """Run our updates against the clock; measuring the objective does not count."""
    encoder, spent, reached, value = NMF(K, seed=seed), 0.0, None, np.inf
    started = time.perf_counter()
    weights, encoder.components = _first_factors(rows, K, seed)
    spent = time.perf_counter() - started
    result = None
    while spent < budget or reached is None:
        started = time.perf_counter()
        weights = encoder._updated(rows, weights)
        spent += time.perf_counter() - started
        value = nmf_updates.squared_error(rows, weights, encoder.components) / 2
        if value <= theirs and reached is None:
            reached = spent
        if spent >= budget and result is None:
            result = value
        if spent > 5 * budget:
            break
    return {"objective": value if result is None else result, "reached": reached}


def plain(rows: Any) -> dict[str, float]:
    """Return the objective after 100 plain multiplicative updates, and ours after 100 passes."""
    peer = Peer(K, max_iter=100, tol=0, init="random", solver="mu", random_state=0)
    weights = peer.fit_transform(rows)
    encoder = create(f"nmf:{K},iterations=100,tolerance=0").fit(rows)
    return {"multiplicative": objective(rows, weights, peer.components_), "ours": encoder.objectives[-1]}  # type: ignore[attr-defined]


def sparsity(rows: Any) -> dict[str, float]:
    """Return Hoyer's sparsity, averaged over the components: 0 where all entries are equal, 1 where one is not 0."""
    found = {}
    for spec in (f"nmf:{K}", f"pca:{K}", f"kmeans:{K}", f"ica:{K}"):
        encoder: Any = create(spec).fit(rows)
        parts = np.abs(encoder.centroids if spec.startswith("kmeans") else encoder.components).astype(float)
        root = np.sqrt(parts.shape[1])
        share = parts.sum(axis=1) / np.maximum(np.linalg.norm(parts, axis=1), 1e-12)
        found[spec] = float(((root - share) / (root - 1)).mean())
    return found


def missing(rows: Any) -> dict[str, float]:
    """Hide 20 % of the entries; compare the error over all of them with that of a fit that saw all."""
    rows = rows[:10_000]
    holes = np.random.default_rng(0).random(rows.shape) < 0.2
    hidden = np.where(holes, np.nan, rows)
    spec = f"nmf:{K},iterations=300,tolerance=0.00001"
    whole: Any = create(spec).fit(rows)
    part: Any = create(spec).fit(hidden)
    seen, guessed = whole.decode(whole.encode(rows)), part.decode(part.encode(hidden))
    return {
        "all_seen": float(np.square(rows - seen).sum() / 2),
        "a_fifth_hidden": float(np.square(rows - guessed).sum() / 2),
        "refitted_with_its_parts": float(np.square(rows - part.decode(part.encode(rows))).sum() / 2),
    }


def objective(rows: Any, weights: Any, components: Any) -> float:
    return (
        nmf_updates.squared_error(
            rows, np.ascontiguousarray(weights.T, dtype=np.float32), np.asarray(components, dtype=np.float32)
        )
        / 2
    )


if __name__ == "__main__":
    main()
