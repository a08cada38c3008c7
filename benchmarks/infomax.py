"""Deep InfoMax on CIFAR-10: how much of the class frozen codes hold, beside the same network untrained and others.

Each layer (last convolution, hidden layer, code of 64) is judged by a ridge regression whose strength is chosen on
held-out training pictures, by 20 nearest neighbours (cosine) and by P@100; the class is used for nothing else. Views
and passes were chosen on 5,000 training pictures held out (``tune``). Everything that has a random seed starts from N.

Memory: 2.5 GB where the last convolution is judged, whose codes are 0.8 GB. Pictures are held as bytes, as floats only
while something is fitted; codes are in a file that is mapped into memory.

Run: ``NEARBY_DATA=... python benchmarks/infomax.py [seed=N ...]``, or ``tune SPEC ...``
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from patches import linear
from record import nothing_else, record, say, seeds_of, shuffled, timed, with_seed

from encoders.codes import Kind, Metric, Space
from encoders.neural.deep_infomax import LAYERS
from encoders.neural.torch_encoding import PIECE
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_index

SPEC = "deep-infomax:64,epochs=15"
RIVALS = ("vectors", "pca:64", "random-projection:64", "deep-ae:2048-1024-512-64,epochs=10")
NEIGHBOURS = 20


def main(*arguments: str) -> None:
    """Measure the encoder, the same untrained, and its rivals with every seed asked for; or tune."""
    seeds, others = seeds_of(arguments)
    nothing_else([] if others[:1] == ["tune"] else others)
    data = Data.read()
    if arguments[:1] == ("tune",):
        data = data.held_out()
        for spec in arguments[1:]:
            say(spec, trained(spec, data))
        return
    for seed in seeds:
        spec = f"{SPEC},seed={seed}"
        with timed() as whole:
            rows: dict[str, Any] = {"trained": trained(spec, data), "untrained": untrained(spec, data)}
            rows["others"] = {rival: other(with_seed(rival, seed), data) for rival in RIVALS}
        record("infomax", {"seed": seed, "spec": SPEC, "seconds": whole.value, **rows})


@dataclass(frozen=True)
class Data:
    """Pictures as bytes, uint8 (n, height, width, 3), and their classes."""

    train: Any
    labels: list[Any]
    test: Any
    truth: list[Any]

    @classmethod
    def read(cls) -> Data:
        """Read CIFAR-10; the training pictures in an order that says nothing about their class."""
        corpus = open_corpus("cifar10")
        items, queries = shuffled(list(corpus)), list(corpus.queries())
        train, test = (np.stack([item.content for item in some]) for some in (items, queries))
        PIXELS.fit(train[:1])
        return cls(train, [item.label for item in items], test, [query.label for query in queries])

    def held_out(self) -> Data:
        """Return the training pictures alone, a tenth of them as test pictures."""
        held = np.arange(len(self.train)) % 10 == 0
        labels = np.asarray(self.labels)
        return Data(self.train[~held], labels[~held].tolist(), self.train[held], labels[held].tolist())


PIXELS = create("pixels")
#: Pictures that are encoded at a time: whole pieces of `torch_encoding`, so that codes are those of all at once.
PART = 10 * PIECE


def stage(spec: str) -> Any:
    encoder = create(spec)
    encoder.input_space = PIXELS.space
    return encoder


def trained(spec: str, data: Data) -> dict[str, Any]:
    encoder, rows = stage(spec), PIXELS.encode(data.train)
    with timed() as fitting:
        encoder.fit(rows)
    del rows
    figures = {"fit_seconds": fitting.value, "epochs": len(encoder.history.seconds)}
    figures["validation_loss"] = min(encoder.history.validation_loss)
    return {**figures, **layers(encoder, data)}


def untrained(spec: str, data: Data) -> dict[str, Any]:
    """Measure the network with its first weights; its normalisations see two mini-batches, lest they be empty."""
    encoder = stage(f"{spec.replace('epochs=15', 'epochs=1')},learning-rate=1e-12")
    encoder.fit(PIXELS.encode(data.train[:5_000]))
    return layers(encoder, data)


def layers(encoder: Any, data: Data) -> dict[str, Any]:
    found = {}
    for layer in LAYERS:
        found[layer] = judged(lambda rows, layer=layer: encoder.features(rows, layer), data)
        say(layer, found[layer])
    return found


def other(spec: str, data: Data) -> dict[str, Any]:
    encoder = stage(spec).fit(PIXELS.encode(data.train))
    found = judged(encoder.encode, data)
    say(spec, found)
    return found


def judged(encode: Any, data: Data) -> dict[str, float]:
    """Return the accuracies of a linear map and of neighbours, and P@100, with cosine."""
    with tempfile.TemporaryDirectory() as folder:
        codes, asked = (
            filed(encode, pictures, Path(folder) / name)
            for name, pictures in (("train", data.train), ("test", data.test))
        )
        near = neighbours(codes, asked, data)
        return {"linear": linear(codes, data.labels, asked, data.truth)["linear"], **near}


def filed(encode: Any, pictures: Any, path: Path) -> Any:
    """Return the codes of pictures, float32 (n, dim), in a file that is mapped into memory."""
    codes: Any = None
    for start in range(0, len(pictures), PART):
        part = encode(PIXELS.encode(pictures[start : start + PART]))
        if codes is None:
            codes = np.lib.format.open_memmap(path, "w+", np.float32, (len(pictures), part.shape[1]))
        codes[start : start + PART] = part
    codes.flush()
    return np.load(path, mmap_mode="r")


def neighbours(codes: Any, asked: Any, data: Data) -> dict[str, float]:
    """Return the accuracy of 20 neighbours and P@100; the index, a copy of the codes, is gone afterwards."""
    index = create_index("exact", Space(codes.shape[1], Kind.DENSE, Metric.COSINE))
    index.add([str(row) for row in range(len(codes))], codes)
    precision = evaluate_index(index, asked, data.labels, data.truth, ("P@100",)).means["P@100"]
    rows = index.search_rows(asked, NEIGHBOURS).rows
    names, classes = np.unique(data.labels, return_inverse=True)
    votes = np.stack([(classes[rows] == position).sum(axis=1) for position in range(len(names))], axis=1)
    near = float((names[votes.argmax(axis=1)] == np.asarray(data.truth)).mean())
    return {"kNN": near, "P@100": precision}


if __name__ == "__main__":
    main(*sys.argv[1:])
