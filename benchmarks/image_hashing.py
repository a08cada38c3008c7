"""Bits of pictures against pixels: CIFAR-10, 50,000 items, test pictures ask, the same class is relevant.

Euclidean distance in pixel space, PCA, random hyperplanes, LSH of PCA, and the bits of a very deep autoencoder; then
a shortlist by 28 bits re-ranked by 256. The noise of the bits is the better of 1 and 4 for patch codes on training
pictures held out (as ``tune`` does); widths and epochs were not tuned.

Run: ``NEARBY_DATA=... python benchmarks/image_hashing.py [seed=N ...]``, or ``tune SPEC ...``; then ``nearby compare
"cifar10?split=test" -s pixels -s out/image-hashing/256-numbers -s out/image-hashing/256-bits -s
out/image-hashing/28-bits -o out/cifar10`` shows the answers side by side, distances under each picture.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from record import nothing_else, record, say, seeded, seeds_of, shuffled, timed

from encoders.base import Encoder
from encoders.codes import Kind
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_index, evaluate_labels

DEEP = "2048-1024-512"
PATCHES = "patch-kmeans:400"
SPACES = {
    "256 numbers": f"pixels+deep-ae:{DEEP}-256,epochs=10",
    "256 bits": f"pixels+semantic-hash:256,hidden={DEEP},noise=1,epochs=10",
    "28 bits": f"pixels+semantic-hash:28,hidden={DEEP}-256,noise=1,epochs=10",
    "patches, 256 bits": f"{PATCHES}+semantic-hash:256,hidden=1024,noise=1,epochs=10",
    "patches, 28 bits": f"{PATCHES}+semantic-hash:28,hidden=1024-256,noise=1,epochs=10",
}
RIVALS = {
    "pixels": "pixels",
    "PCA, 256 numbers": "pixels+pca:256",
    "random hyperplanes, 256 bits": "pixels+random-projection:256+binarize",
    "random hyperplanes, 28 bits": "pixels+random-projection:28+binarize",
    "PCA signs, 28 bits": "pixels+pca:28+binarize",
}
#: Where the trained encoders are kept, for the page of answers side by side.
OUT = Path("out/image-hashing")
MEASURES = tuple(f"P@{k}" for k in (1, 2, 5, 10, 20, 50, 100))


def main(*arguments: str) -> None:
    """Measure every space and the shortlists, or tune."""
    if arguments[:1] == ("tune",):
        tune(arguments[1:])
        return
    seeds, others = seeds_of(arguments)
    nothing_else(others)
    data = pictures()
    for seed in seeds:
        with_seed(seed, *data)


def with_seed(seed: int, train: Any, test: Any, labels: list[Any], asked: list[Any]) -> None:
    spaces, kept = {}, {}
    for name, spec in {**RIVALS, **SPACES}.items():
        folder = OUT / name.replace(", ", "-").replace(" ", "-")
        spec = seeded(spec, seed) if name in SPACES else spec
        spaces[name], kept[name] = row(spec, train, test, labels, asked, folder)
        say(name, spaces[name])
        if name in SPACES:  # for the page, and for a run that was interrupted
            kept[name][0].save(folder)
    shortlists = [
        {"bits": of, **found}
        for of in ("", "patches, ")
        for found in shortlisted(kept[f"{of}28 bits"], kept[f"{of}256 bits"], labels, asked)
    ]
    counts = {"items": len(train), "queries": len(test)}
    record("image_hashing", {"seed": seed, "spaces": spaces, "shortlists": shortlists, **counts})


def pictures() -> tuple[Any, Any, list[Any], list[Any]]:
    """Return items and queries; the items are shuffled: a shortlist cuts equal distances in the order of the items."""
    corpus = open_corpus("cifar10")
    items, queries = shuffled(list(corpus)), list(corpus.queries())
    train, test = (np.stack([item.content for item in some]) for some in (items, queries))
    return train, test, [item.label for item in items], [query.label for query in queries]


def row(
    spec: str, train: Any, test: Any, labels: list[Any], asked: list[Any], folder: Path | None = None
) -> tuple[dict[str, Any], tuple[Any, Any, Any]]:
    """Return the measures of a space, and its encoder and codes; one that lies in the folder is not trained again."""
    encoder: Any = create(spec)
    there = folder is not None and (folder / "manifest.json").exists()
    if there and str(Encoder.load(folder)) == str(encoder):
        encoder = Encoder.load(folder)
        seconds = sum(sum(phase.seconds) for phase in encoder.stages[-1].phases.values())
    else:
        with timed() as fitting:
            encoder.fit(train)
        seconds = fitting.value
    with timed() as encoding:
        codes = encoder.encode(train)
    queries = encoder.encode(test)
    index = create_index("exact", encoder.space)
    index.add([str(position) for position in range(len(codes))], codes)
    with timed() as searching:
        index.search_rows(queries, 100)
    figures = evaluate_index(index, queries, labels, asked, MEASURES).means
    figures |= {"fit_seconds": seconds, "encode_per_second": len(train) / encoding.value, "spec": spec}
    figures |= {"bytes_per_item": codes.nbytes / len(codes), "queries_per_second": len(test) / searching.value}
    if encoder.space.kind is Kind.BINARY:
        bits = np.unpackbits(codes, axis=1, count=encoder.space.dim)
        figures["share_of_ones"] = [float(bits.mean(axis=0).min()), float(bits.mean(axis=0).max())]
    return figures, (encoder, codes, queries)


def shortlisted(coarse: Any, fine: Any, labels: list[Any], asked: list[Any]) -> list[dict[str, Any]]:
    """Return what a shortlist by the coarse bits keeps of the fine bits' answers, by the share that it scans."""
    from retrieval.search.shortlist import shortlisted as rerank

    indexes = []
    for encoder, codes, _ in (coarse, fine):
        index = create_index("exact", encoder.space)
        index.add([str(position) for position in range(len(codes))], codes)
        indexes.append(index)
    whole = indexes[1].search_rows(fine[2], 100).rows
    best = evaluate_index(indexes[1], fine[2], labels, asked, ("P@100",)).means["P@100"]
    found = []
    for share in (0.01, 0.02, 0.05, 0.1):
        with timed() as taken:
            rows = rerank(indexes[0], indexes[1], coarse[2], fine[2], int(share * len(labels)), 100).rows
        kept = np.mean([len(np.intersect1d(a, b)) / 100 for a, b in zip(rows, whole, strict=True)])
        measure = evaluate_labels(rows, labels, asked, ("P@100",)).means["P@100"]
        found.append(
            {"share": share, "P@100": measure, "of_full": measure / best, "answers_kept": float(kept), "s": taken.value}
        )
        say("shortlist", found[-1])
    return found


def tune(specs: tuple[str, ...]) -> None:
    """Print figures on 5,000 pictures held out of the training ones."""
    train, _, labels, _ = pictures()
    held = np.random.default_rng(0).permutation(len(train))
    here, other = np.sort(held[5_000:]), np.sort(held[:5_000])
    known, asked = [labels[position] for position in here], [labels[position] for position in other]
    for spec in specs:
        say(spec, row(spec, train[here], train[other], known, asked)[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
