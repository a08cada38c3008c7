"""What layers learnt without labels are worth to a classifier: MNIST with few labels and with all.

Pretraining sees all 60,000 training pictures, tuning those that have a label; errors on the 10,000 test pictures.
Corruption and learning rates are the better of two each, tried with 1,000 labels as ``tune`` does: labels are taken
from 50,000 training pictures, 10,000 others judge.

Run: ``NEARBY_DATA=... python benchmarks/pretraining.py [LABELS ...]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from mnist import read
from record import record, say, timed

from encoders.registry import create

NETWORK = "pretrained-dnn:1000-1000-500"
#: Labels -> epochs and rows of a mini-batch in tuning; the more labels, the fewer passes.
TUNING = {100: (200, 100), 1000: (60, 100), 3000: (40, 100), 60_000: (25, 256)}
SEEDS = (0, 1, 2)
#: Each start with the learning rate that suits it.
STARTS = {
    "random": "pretrain=none,learning-rate=0.003",
    "layer by layer": "pretrain=layerwise,pretrain-epochs=8,level=0.5,learning-rate=0.001",
}
#: With all labels pictures are moved about in tuning, which hides what few labels show: with 1,000 of them and shifts
#: both starts erred on 5.4 % of held-out pictures.
SHIFTED = 60_000


def main(*arguments: str) -> None:
    tuning = arguments[:1] == ("tune",)
    (images, labels), (others, asked) = read("train"), read("test")
    pixels = create("pixels").fit(images)
    train, test, truth = pixels.encode(images), pixels.encode(others), np.array(asked)
    if tuning:
        train, test, labels, truth = train[:50_000], train[50_000:], labels[:50_000], np.array(labels[50_000:])
    counts = [int(word) for word in arguments if word.isdigit()] or list(TUNING)
    for count in counts:
        for start, options in STARTS.items():
            for seed in SEEDS if not tuning else (0,):
                figures = run(count, options, seed, pixels, train, labels, test, truth)
                say(count, start, seed, figures)
                if not tuning:
                    record("pretraining", {"labels": count, "start": start, "seed": seed, **figures})


def run(
    count: int, options: str, seed: int, pixels: Any, train: Any, labels: list[Any], test: Any, truth: Any
) -> dict[str, Any]:
    """Return the error of one classifier and what it took."""
    count = min(count, len(train))
    epochs, rows = TUNING[count] if count in TUNING else TUNING[60_000]
    spec = f"{NETWORK},{options},epochs={epochs},batch-size={rows},seed={seed}"
    if count >= SHIFTED:
        spec += ",shift=1"
    encoder: Any = create(spec)
    encoder.input_space = pixels.space
    known: list[Any] = [None] * len(train)
    for position in chosen(labels, count, seed):
        known[position] = labels[position]
    with timed() as fitting:
        encoder.fit(train, known)
    error = float((np.array(encoder.classify(test)) != truth).mean())
    return {"error": error, "fit_seconds": fitting.value, "spec": f"pixels+{spec}"}


def chosen(labels: list[Any], count: int, seed: int) -> Any:
    """Return the places of `count` labelled pictures, as many of each digit."""
    generator, digits = np.random.default_rng(seed), np.array(labels)
    if count == len(labels):
        return np.arange(count)
    each = count // 10
    return np.concatenate(
        [generator.choice(np.flatnonzero(digits == d), each, replace=False) for d in np.unique(digits)]
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
