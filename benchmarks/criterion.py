"""Does the criterion of the discriminator say which space retrieves well? Spaces of MNIST and of 20 Newsgroups.

For every space: the held-out loss of a discriminator of pairs (item, code), chance being ln 2, the infoNCE bound in
nats, and P@10 by label of the test items asking; then Kendall's tau of loss and bound with P@10. The label is read by
P@10 alone. Spaces with a random seed, and the discriminator, start from N. The items of a pair are pixels, or 500
random directions of tf-idf.

Run: ``NEARBY_DATA=... python benchmarks/criterion.py [seed=N ...]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from record import nothing_else, record, say, seeds_of, shuffled, timed, with_seed
from scipy.stats import kendalltau

from encoders.neural.criterion import discriminator_criterion
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_index

ITEMS, QUERIES = 8_000, 2_000
CORPORA = {
    "mnist": ("pixels", "pixels", (
        "pixels", "pixels+pca:2", "pixels+pca:30", "pixels+random-projection:30", "pixels+nmf:30", "pixels+ica:30",
        "pixels+kmeans:10", "pixels+kmeans:100,codes=triangle", "pixels+pca:30+binarize", "pixels+deep-ae:500-250-30",
        "pixels+deep-ae:500-250-2", "pixels+vae:500-30", "pixels+denoising-ae:500-30", "pixels+semantic-hash:30",
    )),
    "20newsgroups": ("tfidf:stop=english,min-df=3", "random-projection:500", (
        "tfidf:stop=english,min-df=3+lsa:10", "tfidf:stop=english,min-df=3+lsa:128",
        "tfidf:stop=english,min-df=3+random-projection:128", "tfidf:2000,stop=english+nmf:30",
        "tfidf:stop=english,min-df=3+lsa:128+binarize", "bow:2000,stop=english+deep-ae:250-30",
        "tfidf:stop=english,min-df=3+lsa:20+kmeans:20", "tfidf:stop=english,min-df=3+lsa:128+pca:30",
    )),
}  # fmt: skip


def main(*arguments: str) -> None:
    """Measure every space of both corpora with every seed asked for."""
    seeds, others = seeds_of(arguments)
    nothing_else(others)
    for _, _, specs in CORPORA.values():
        for spec in specs:
            create(spec)  # a misspelt one stops the run before it costs anything
    for seed in seeds:
        with timed() as whole:
            corpora = {name: corpus(name, seed) for name in CORPORA}
        record("criterion", {"seed": seed, "corpora": corpora, "seconds": whole.value})


def corpus(name: str, seed: int) -> dict[str, Any]:
    base, reference, specs = CORPORA[name]
    source = open_corpus(name)
    items, queries = shuffled(list(source))[:ITEMS], shuffled(list(source.queries()))[:QUERIES]
    contents, asked = [item.content for item in items], [query.content for query in queries]
    first = create(base).fit(contents)
    rows = first.encode(contents)
    if reference != base:
        rows = create(reference).fit(rows).encode(rows)
    labels, truth = [item.label for item in items], [query.label for query in queries]
    spaces = {}
    for spec in specs:
        encoder = create(with_seed(spec, seed)).fit(contents)
        codes = encoder.encode(contents)
        index = create_index("exact", encoder.space)
        index.add([item.id for item in items], codes)
        precision = evaluate_index(index, encoder.encode_queries(asked), labels, truth, ("P@10",)).means["P@10"]
        with timed() as taken:
            found = discriminator_criterion(rows, codes, encoder.space, seed=seed)
        spaces[spec] = {"P@10": precision, **vars(found), "seconds": taken.value}
        say(spec, spaces[spec])
    quality = [row["P@10"] for row in spaces.values()]
    taus = {key: float(kendalltau([row[key] for row in spaces.values()], quality)[0]) for key in ("loss", "nats")}
    say(name, taus)
    return {"spaces": spaces, "tau": taus, "items": len(items), "mean": float(np.mean(quality))}


if __name__ == "__main__":
    main(*sys.argv[1:])
