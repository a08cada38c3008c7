"""k-means and HAC on MNIST beside scikit-learn, fastcluster and scipy; how many clusters, beside the truth.

Run: ``NEARBY_DATA=... python benchmarks/clustering.py [kmeans hac count]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from record import answered, latest, record, say, seeded, timed

from encoders.cluster.linkage import cut, tree
from encoders.cluster.membership import clusters_of
from encoders.registry import create
from retrieval.analysis.cluster_count import study
from retrieval.analysis.cluster_quality import agreement
from retrieval.corpora.registry import open_corpus

SEEDS = (0, 1, 2)
#: A deep code of a minute of training, for trees over codes; its width was chosen on the last 10,000 pictures of
#: training (accuracy of ten clusters .86), the first 10,000 are reported.
CODE = "deep-ae:1000-500-250-10,epochs=20,shift=1"
COUNTS = {
    "digits": ("pixels+pca:16", 10),
    "orl-faces": ("pixels+pca:40", 40),
    "20newsgroups": ("tfidf:stop=english,stem=none,min-df=3+lsa:20", 20),
}


def mnist(rows: int | None = None) -> tuple[Any, list[Any]]:
    items = list(open_corpus("mnist"))[:rows]
    return create("pixels").fit_encode(np.stack([item.content for item in items])), [item.label for item in items]


def kmeans() -> dict[str, Any]:
    """Fit k = 10 on all 60,000 pictures, the same number of starts on both sides."""
    from sklearn.cluster import KMeans as Peer

    pixels, labels = mnist()
    runs: dict[str, list[dict[str, float]]] = {"nearby": [], "scikit-learn": []}
    for seed in SEEDS:
        encoder: Any = create(f"kmeans:10,restarts=4,seed={seed}")
        with timed() as taken:
            encoder.fit(pixels)
        clusters = clusters_of(encoder.encode(pixels))
        inertia = float(np.square(pixels - encoder.centroids[clusters]).sum())
        runs["nearby"].append({"seconds": taken.value, "inertia": inertia, **agreement(clusters, labels)})
        peer = Peer(10, n_init=4, random_state=seed)
        with timed() as taken:
            peer.fit(pixels)
        quality = agreement(peer.labels_, labels)
        runs["scikit-learn"].append({"seconds": taken.value, "inertia": float(peer.inertia_), **quality})
        say(runs["nearby"][-1], runs["scikit-learn"][-1])
    return {
        whose: {
            key: [float(np.mean([run[key] for run in of])), float(np.std([run[key] for run in of]))] for key in of[0]
        }
        for whose, of in runs.items()
    }


def hac() -> dict[str, Any]:
    """Build trees over 10,000 pictures and over 60,000; compare heights with scipy's."""
    import fastcluster
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import pdist

    pixels, labels = mnist(10_000)
    found: dict[str, Any] = {}
    pca = create("pca:30").fit_encode(pixels)
    differences = {}
    for method in ("ward", "average", "complete", "single"):
        differences[method] = float(np.abs(tree(pca, method)[:, 2] - linkage(pca.astype(float), method)[:, 2]).max())
    found["largest difference of heights from scipy"] = differences
    with timed() as ours:
        merges = tree(pixels, "ward")
    with timed() as fast:
        theirs = fastcluster.linkage(pdist(pixels.astype(float)), "ward")
    with timed() as vector:
        fastcluster.linkage_vector(pca.astype(float), "ward")
    found["seconds, 10,000 x 784, ward"] = {"nearby": ours.value, "pdist + fastcluster": fast.value}
    found["seconds of fastcluster.linkage_vector, 10,000 x 30"] = vector.value
    found["difference of heights from fastcluster"] = float(np.abs(merges[:, 2] - theirs[:, 2]).max())
    everything, every_label = mnist()
    with timed() as training:
        codes = [deep_code(everything, seed) for seed in SEEDS]
    spaces = {"pixels": [pixels], "pca:30": [pca], CODE: [code.encode(pixels) for code in codes]}
    runs = {
        f"{name}, {method}": [agreement(cut(tree(rows, method), 10), labels) for rows in of_seeds]
        for name, of_seeds in spaces.items()
        for method in ("ward", "average")
    }
    found["quality"] = {name: means(of) for name, of in runs.items()}
    found["quality by seed"] = {name: of for name, of in runs.items() if len(of) > 1}
    kmeans_runs = [
        agreement(clusters_of(create(f"kmeans:10,seed={seed}").fit_encode(pixels)), labels) for seed in SEEDS
    ]
    found["quality"]["pixels, k-means"] = means(kmeans_runs)
    found["training seconds of the code"] = training.value / len(SEEDS)
    say(found)
    found["60,000 pictures"] = large()
    encoder: Any = create("hac:10")
    with timed() as taken:
        encoder.fit(codes[0].encode(everything))
    clusters = clusters_of(encoder.encode(codes[0].encode(everything)))
    found["60,000 codes"] = {"seconds": taken.value, **agreement(clusters, every_label)}
    say(found)
    return found


def deep_code(pixels: Any, seed: int) -> Any:
    """Return the code of digits, trained from one seed."""
    code: Any = create(seeded(CODE, seed))
    code.input_space = create("pixels").fit([item.content for item in list(open_corpus("mnist"))[:1]]).space
    return code.fit(pixels)


def means(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of every measure over some runs."""
    return {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}


def large() -> dict[str, Any]:
    """Fit in a process of its own, so that its memory is its own."""
    program = (
        "import sys; sys.path.insert(0, 'benchmarks')\n"
        "import resource, json, numpy as np\nfrom clustering import *\n"
        "pixels, labels = mnist()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "encoder = create('hac:10')\n"
        "with timed() as taken: encoder.fit(pixels)\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "clusters = clusters_of(encoder.encode(pixels))\n"
        "print(json.dumps({'seconds': taken.value, 'peak_mib_before': before, 'peak_mib': after, 'leaves':"
        " len(encoder.leaves), **agreement(clusters, labels)}))"
    )
    import json

    done = answered([sys.executable, "-c", program])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def count() -> dict[str, Any]:
    """Ask every criterion how many clusters there are."""
    found = {}
    for name, (spec, truth) in COUNTS.items():
        items = list(open_corpus(name))
        codes = create(spec).fit_encode([item.content for item in items])
        tried = list(range(2, 21)) if truth < 20 else list(range(2, 2 * truth + 1, 2 if truth < 40 else 4))
        with timed() as taken:
            outcome = study(codes, tried)
        best, reason = outcome.answer
        found[name] = {
            "spec": spec,
            "truth": truth,
            "items": outcome.items,
            "tried": [tried[0], tried[-1]],
            "recommended": outcome.recommended,
            "answer": best,
            "reason": reason,
            "seconds": taken.value,
        }
        say(name, found[name])
    return found


PARTS = {"kmeans": kmeans, "hac": hac, "count": count}


def main(*names: str) -> None:
    """Measure the named parts (all by default); the others keep their last figures."""
    before = latest("clustering")
    figures: dict[str, Any] = {} if before is None else before["figures"]
    for name in names or PARTS:
        figures[name] = PARTS[name]()
        record("clustering", figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
