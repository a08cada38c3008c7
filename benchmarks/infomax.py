"""Deep InfoMax on CIFAR-10: how much of the class frozen codes hold, beside the same network untrained and others.

Each layer (last convolution, hidden layer, code of 64) is judged by a ridge regression whose strength is chosen on
held-out training pictures, by 20 nearest neighbours (cosine) and by P@100; the class is used for nothing else. Views
and passes were chosen on 5,000 training pictures held out (``tune``).

Run: ``NEARBY_DATA=... python benchmarks/infomax.py [seed=N ...]``, or ``tune SPEC ...``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from patches import linear
from record import nothing_else, record, say, seeds_of, shuffled, timed

from encoders.neural.deep_infomax import LAYERS
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_index

SPEC = "deep-infomax:64,epochs=15"
RIVALS = ("vectors", "pca:64", "random-projection:64", "deep-ae:2048-1024-512-64,epochs=10")
NEIGHBOURS = 20


def main(*arguments: str) -> None:
    """Measure the encoder with every seed asked for, and with the first its rivals; or tune."""
    train, test, labels, truth = pictures()
    if arguments[:1] == ("tune",):
        held = np.arange(len(train)) % 10 == 0
        known, asked = np.asarray(labels)[~held].tolist(), np.asarray(labels)[held].tolist()
        for spec in arguments[1:]:
            say(spec, trained(spec, train[~held], train[held], known, asked))
        return
    seeds, others = seeds_of(arguments)
    nothing_else(others)
    for seed in seeds:
        spec = f"{SPEC},seed={seed}"
        rows = {"trained": trained(spec, train, test, labels, truth)}
        rows["untrained"] = untrained(spec, train, test, labels, truth)
        if seed == seeds[0]:
            rows["others"] = {rival: other(rival, train, test, labels, truth) for rival in RIVALS}
        record("infomax", {"seed": seed, "spec": spec, **rows})


def pictures() -> tuple[Any, Any, list[Any], list[Any]]:
    """Return the pixels of training and test pictures and their classes."""
    corpus = open_corpus("cifar10")
    items, queries = shuffled(list(corpus)), list(corpus.queries())
    PIXELS.fit([item.content for item in items])
    train, test = (PIXELS.encode([item.content for item in some]) for some in (items, queries))
    return train, test, [item.label for item in items], [query.label for query in queries]


PIXELS = create("pixels")


def stage(spec: str) -> Any:
    encoder = create(spec)
    encoder.input_space = PIXELS.space
    return encoder


def trained(spec: str, train: Any, test: Any, labels: list[Any], truth: list[Any]) -> dict[str, Any]:
    encoder = stage(spec)
    with timed() as fitting:
        encoder.fit(train)
    figures = {"fit_seconds": fitting.value, "epochs": len(encoder.history.seconds)}
    figures["validation_loss"] = min(encoder.history.validation_loss)
    return {**figures, **layers(encoder, train, test, labels, truth)}


def untrained(spec: str, train: Any, test: Any, labels: list[Any], truth: list[Any]) -> dict[str, Any]:
    """Measure the network with its first weights; its normalisations see two mini-batches, lest they be empty."""
    encoder = stage(f"{spec.replace('epochs=15', 'epochs=1')},learning-rate=1e-12")
    encoder.fit(train[:5_000])
    return layers(encoder, train, test, labels, truth)


def layers(encoder: Any, train: Any, test: Any, labels: list[Any], truth: list[Any]) -> dict[str, Any]:
    found = {}
    for layer in LAYERS:
        codes, asked = (encoder.features(rows, layer) for rows in (train, test))
        found[layer] = judged(codes, asked, labels, truth)
        say(layer, found[layer])
    return found


def other(spec: str, train: Any, test: Any, labels: list[Any], truth: list[Any]) -> dict[str, Any]:
    encoder = stage(spec).fit(train)
    found = judged(encoder.encode(train), encoder.encode(test), labels, truth)
    say(spec, found)
    return found


def judged(codes: Any, asked: Any, labels: list[Any], truth: list[Any]) -> dict[str, float]:
    """Return the accuracies of a linear map and of neighbours, and P@100, with cosine."""
    from encoders.codes import Kind, Metric, Space

    index = create_index("exact", Space(codes.shape[1], Kind.DENSE, Metric.COSINE))
    index.add([str(row) for row in range(len(codes))], codes)
    precision = evaluate_index(index, asked, labels, truth, ("P@100",)).means["P@100"]
    rows = index.search_rows(asked, NEIGHBOURS).rows
    names, classes = np.unique(labels, return_inverse=True)
    votes = np.stack([(classes[rows] == position).sum(axis=1) for position in range(len(names))], axis=1)
    near = float((names[votes.argmax(axis=1)] == np.asarray(truth)).mean())
    return {"linear": linear(codes, labels, asked, truth)["linear"], "kNN": near, "P@100": precision}


if __name__ == "__main__":
    main(*sys.argv[1:])
