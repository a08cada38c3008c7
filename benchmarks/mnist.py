"""Whether 30 numbers retrieve digits better than 784 pixels.

All 10,000 test pictures ask the 60,000 of training.

Run: ``NEARBY_DATA=... python benchmarks/mnist.py [SPEC OF THE AUTOENCODER] [seed=N ...]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from record import nothing_else, record, say, seeded, seeds_of, timed

from encoders.base import Encoder
from encoders.neural.reconstruction_loss import reconstruction_error
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_index

MEASURES = ("P@10", "P@100", "AP@100")
AUTOENCODER = "deep-ae:1000-500-250-30,epochs=200,minutes=7,shift=1"


def main(*arguments: str) -> None:
    """Measure pixels, components and the autoencoder with every seed asked for."""
    if arguments[:1] == ("five-minutes",):
        in_five_minutes()
        return
    seeds, given = seeds_of(arguments)
    autoencoder, *others = given or [AUTOENCODER]
    nothing_else(others)
    for seed in seeds:
        with_seed(autoencoder, seed)


def with_seed(autoencoder: str, seed: int) -> None:
    """Fit every stage once: the codes of one are the items of the next."""
    pictures, labels = read("train")
    asked, asked_labels = read("test")
    pixels = create("pixels").fit(pictures)
    train, test = pixels.encode(pictures), pixels.encode(asked)
    spaces = {"pixels": measured(pixels, train, test, labels, asked_labels)}
    for spec in ("pca:30", autoencoder):
        stage = create(seeded(spec, seed) if spec == autoencoder else spec)
        stage.input_space = pixels.space
        name = f"pixels+{spec}"
        say("fitting", name)
        with timed() as fitting:
            stage.fit(train)
        with timed() as encoding:
            codes = stage.encode(train)
        queries = stage.encode(test)
        row = measured(stage, codes, queries, labels, asked_labels)
        row["fit_seconds"] = fitting.value
        row["encode_per_second"] = len(train) / encoding.value
        row["train_error"] = reconstruction_error(train[:10_000], stage.decode(codes[:10_000]))
        row["test_error"] = reconstruction_error(test, stage.decode(queries))
        row["options"] = stage.spec(full=True)
        if spec == autoencoder:
            row["epochs"] = len(stage.history.seconds)
            row["validation_error"] = min(stage.history.validation_loss)
            row["seconds_per_epoch"] = float(np.median(stage.history.seconds))
        spaces[name] = row
        say(name, row)
        bits = create("binarize").fit(codes)
        spaces[f"{name}+binarize"] = measured(bits, bits.encode(codes), bits.encode(queries), labels, asked_labels)
    record("mnist", {"seed": seed, "autoencoder": f"pixels+{autoencoder}", "spaces": spaces})


def in_five_minutes() -> None:
    """Record the error that the autoencoder reaches in five minutes of training."""
    stage = create(AUTOENCODER.replace("minutes=7", "minutes=5").replace("epochs=200", "epochs=75"))
    pixels = create("pixels").fit(read("train")[0])
    train, test = pixels.encode(read("train")[0]), pixels.encode(read("test")[0])
    stage.input_space = pixels.space
    with timed() as fitting:
        stage.fit(train)
    error = reconstruction_error(test, stage.decode(stage.encode(test)))
    made = {"spec": str(stage), "fit_seconds": fitting.value, "epochs": len(stage.history.seconds)}
    record("mnist_five_minutes", {"test_error": error, **made})


def read(split: str) -> tuple[Any, list[Any]]:
    items = list(open_corpus(f"mnist?split={split}"))
    return np.stack([item.content for item in items]), [item.label for item in items]


def measured(encoder: Encoder, codes: Any, queries: Any, labels: list[Any], asked: list[Any]) -> dict[str, Any]:
    """Return label measures of exact search, and what it costs."""
    index = create_index("exact", encoder.space)
    index.add([str(row) for row in range(len(codes))], codes)
    with timed() as searching:
        index.search_rows(queries, 100)
    means = evaluate_index(index, queries, labels, asked, MEASURES).means
    return {**means, "bytes_per_item": codes.nbytes / len(codes), "queries_per_second": len(queries) / searching.value}


if __name__ == "__main__":
    main(*sys.argv[1:])
