"""How long every encoder takes to fit data of shapes that nobody thinks of, beside scikit-learn's counterpart.

Wide, tall, sparse, square, tiny, one column, repeated rows: the variance of dense rows falls from direction to
direction, as that of pictures and texts does. Ours and the peer's fit alternate in one run and the least of their
times counts, beside it the processors' own (which others on the machine disturb less); both fit as many components,
for as many passes. A refusal is a figure too.

Run: ``python benchmarks/fit_shapes.py [ENCODER ...] [shape=NAME ...]``
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import TimeoutError as Late
from concurrent.futures.process import BrokenProcessPool
from itertools import groupby
from multiprocessing import get_context
from operator import itemgetter
from typing import Any

import numpy as np
from record import latest, record, say
from scipy.sparse import csr_array
from scipy.sparse import random as random_sparse

from encoders.codes import Modality
from encoders.errors import NearbyError
from encoders.registry import ENCODERS, create, encoder_class

#: Name -> rows, columns.
SHAPES = {
    "wide": (500, 20_000),
    "tall": (50_000, 16),
    "sparse": (20_000, 50_000),
    "square": (3_000, 3_000),
    "tiny": (5, 3),
    "one column": (1_000, 1),
    "repeated rows": (5_000, 64),
}
#: Share of entries of the sparse shape that are there; different rows of the repeated ones.
DENSITY, DIFFERENT = 0.001, 20
#: Repeats of a pair of fits while they took less than this many seconds, and the seconds after which a fit is stopped.
REPEATS, ENOUGH, LIMIT = 7, 10, 150
#: Epochs of the networks: their time is this many times that of one epoch.
EPOCHS = 2


def rows_of(name: str) -> Any:
    """Return non-negative rows of a shape, float32."""
    generator = np.random.default_rng(0)
    rows, columns = SHAPES[name]
    if name == "sparse":
        counts = random_sparse(rows, columns, DENSITY, "csr", np.float32, generator)
        counts.data = np.ceil(5 * counts.data)
        return csr_array(counts)
    if name == "repeated rows":
        return decaying(generator, DIFFERENT, columns)[generator.integers(0, DIFFERENT, rows)]
    return decaying(generator, rows, columns)


def decaying(generator: np.random.Generator, rows: int, columns: int) -> Any:
    side = min(rows, columns, 1_000)
    left = generator.standard_normal((rows, side), dtype=np.float32)
    right = generator.standard_normal((side, columns), dtype=np.float32)
    return np.abs((left * np.float32(np.arange(1, side + 1) ** -0.7)) @ right + 1)


def pair(name: str, shape: str) -> tuple[str, Callable[[Any], Any] | None]:
    """Return the spec of an encoder for a shape, and what fits scikit-learn's counterpart to the same rows."""
    from sklearn import cluster, decomposition, feature_selection, mixture, neighbors, random_projection

    rows, columns = SHAPES[shape]
    k = max(1, min(50, rows - 1, columns - 1))
    few = min(10, rows)
    minibatches: dict[str, Any] = {
        "fit_algorithm": "cd",
        "max_iter": 3,
        "batch_size": min(512, rows),
        "random_state": 0,
    }
    table: dict[str, tuple[str, Callable[[Any], Any] | None]] = {
        "pca": (f"pca:{k}", lambda x: decomposition.PCA(k, random_state=0).fit(x)),
        "lsa": (
            f"lsa:{k}",
            lambda x: decomposition.TruncatedSVD(k, n_iter=4, random_state=0).fit(x),
        ),
        "ica": (
            f"ica:{min(k, 10)},iterations=20",
            # in the precision of ours
            lambda x: decomposition.FastICA(
                min(k, 10), max_iter=20, whiten_solver="eigh" if rows >= columns else "svd", random_state=0
            ).fit(x.astype(np.float64)),
        ),
        "nmf": (  # three sweeps a pass
            f"nmf:{min(k, 20)},iterations=10,tolerance=0",
            lambda x: decomposition.NMF(min(k, 20), init="nndsvda", max_iter=30, tol=0, random_state=0).fit(x),
        ),
        "sparse-coding": (
            f"sparse-coding:{min(k, 20)}",
            (lambda x: decomposition.MiniBatchDictionaryLearning(min(k, 20), alpha=0.5, **minibatches).fit(x))
            if rows <= 5_000  # of more it takes minutes
            else None,
        ),
        "random-projection": (
            f"random-projection:{k}",
            lambda x: random_projection.GaussianRandomProjection(k, random_state=0).fit(x),
        ),
        "select": (f"select:{k}", lambda x: feature_selection.VarianceThreshold().fit(x)),
        "kmeans": (
            f"kmeans:{few}",
            lambda x: cluster.KMeans(few, n_init=4, max_iter=50, random_state=0).fit(x),
        ),
        "hac": (
            f"hac:{few}",
            (lambda x: cluster.AgglomerativeClustering(few).fit(x)) if rows <= 5_000 else None,
        ),
        "mixture": (
            f"mixture:{min(few, 3)},covariance=diag,iterations=20,ridge=0.001",
            lambda x: mixture.GaussianMixture(
                min(few, 3), covariance_type="diag", max_iter=20, reg_covar=0.001, random_state=0
            ).fit(x.astype(np.float64)),  # the precision of ours
        ),
        "kernel-density": ("kernel-density", lambda x: neighbors.KernelDensity(bandwidth="scott").fit(x)),
        "nearest-density": (
            f"nearest-density:{min(few, rows - 1)}",
            lambda x: neighbors.NearestNeighbors().fit(x),
        ),
        "gaussian": (
            "gaussian:0.001",
            lambda x: mixture.GaussianMixture(1, reg_covar=0.001, random_state=0).fit(x.astype(np.float64)),
        ),
        "mf": ("mf:5,epochs=3", None),
        "semantic-hash": (f"semantic-hash:16,hidden=64,epochs={EPOCHS}", None),
        "pretrained-dnn": (f"pretrained-dnn:64-8,epochs={EPOCHS},pretrain-epochs=1", None),
        "linear-ae": (f"linear-ae:8,epochs={EPOCHS}", None),
    }
    if name in table:
        return table[name]
    neural = ENCODERS[name].location.startswith("encoders.neural.")
    return (f"{name}:64-8,epochs={EPOCHS}" if neural else name), None


def names() -> list[str]:
    """Return every registered encoder that reads rows of any shape; pictures and texts have none."""
    pictures = {"conv-ae", "unet-ae", "fpn-ae"}
    return [name for name in ENCODERS if encoder_class(name).reads is Modality.VECTOR and name not in pictures]


def measured(name: str, shape: str) -> dict[str, Any]:
    """Fit ours and the peer in turn; whoever refuses says why."""
    warnings.simplefilter("ignore")
    spec, peer = pair(name, shape)
    rows = rows_of(shape)
    labels = [str(row % 3) for row in range(rows.shape[0])] if name == "pretrained-dnn" else None
    found: dict[str, Any] = {"encoder": name, "shape": shape, "rows": list(rows.shape), "spec": spec}
    fits: dict[str, Callable[[], Any]] = {"seconds": lambda: create(spec).fit(rows, labels)}
    if peer is not None:
        fits["peer_seconds"] = lambda: peer(rows)
    times: dict[str, list[float]] = {key: [] for key in fits}
    work: dict[str, list[float]] = {key: [] for key in fits}
    if ENCODERS[name].location.startswith("encoders.neural."):
        import torch  # noqa: F401  # not part of a fit
    for _ in range(REPEATS):
        if sum(map(sum, times.values())) > ENOUGH:
            break
        for key in list(fits):
            started, worked = time.perf_counter(), time.process_time()
            try:
                fits[key]()
            except (NearbyError, ValueError, TypeError, MemoryError) as error:
                found["refused" if key == "seconds" else "peer_refused"] = str(error).splitlines()[0]
                del fits[key], times[key], work[key]
                continue
            times[key].append(time.perf_counter() - started)
            work[key].append(time.process_time() - worked)
    found |= {key: min(kept) for key, kept in times.items() if kept}
    found |= {f"cpu_{key}": min(kept) for key, kept in work.items() if kept}
    if "seconds" in found and "peer_seconds" in found:
        found["ratio"] = found["seconds"] / found["peer_seconds"]
        found["cpu_ratio"] = found["cpu_seconds"] / found["cpu_peer_seconds"]
    return found


class Bounded:
    """Measures in a process of its own, which is ended when a fit takes too long."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, get_context("spawn"))

    def measured(self, name: str, shape: str) -> dict[str, Any]:
        try:
            return self.pool.submit(measured, name, shape).result(LIMIT)
        except (Late, BrokenProcessPool) as failure:
            self.end()
            self.pool = ProcessPoolExecutor(1, get_context("spawn"))
            why: dict[str, Any] = {"longer_than": LIMIT} if isinstance(failure, Late) else {"killed": True}
            return {"encoder": name, "shape": shape, "spec": pair(name, shape)[0], **why}

    def end(self) -> None:
        for process in list(self.pool._processes.values()):
            process.kill()
        self.pool.shutdown(cancel_futures=True)


def asked(arguments: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    shapes = [word.removeprefix("shape=") for word in arguments if word.startswith("shape=")] or list(SHAPES)
    chosen = [word for word in arguments if not word.startswith("shape=")] or names()
    unknown = [word for word in chosen if word not in names()] + [word for word in shapes if word not in SHAPES]
    if unknown:
        raise SystemExit(f"not understood: {' '.join(unknown)}; encoders: {', '.join(names())}; shapes: {list(SHAPES)}")
    for shape in shapes:
        for name in chosen:
            yield name, shape


def main(*arguments: str) -> None:
    before = latest("fit_shapes")
    rows = {(row["encoder"], row["shape"]): row for row in (before["figures"]["fits"] if before else ())}
    process = Bounded()
    for shape, pairs in groupby(asked(arguments), itemgetter(1)):
        for name, _ in pairs:
            row = process.measured(name, shape) | {"load": round(os.getloadavg()[0], 1)}
            rows[name, shape] = row
            say(*(f"{key}={value:.4g}" if isinstance(value, float) else value for key, value in row.items()))
        record("fit_shapes", {"fits": list(rows.values())})
    process.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
