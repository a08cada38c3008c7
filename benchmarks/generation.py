"""New digits from several generators, and how near the codes of real digits are to those of their class.

Samples are judged against the 10,000 test digits in the codes of a classifier (``pretrained-dnn``), which was trained
on labels and is the same for all: precision, recall, density, coverage, and the Fréchet distance. The share of each
class among the samples is what that classifier says. A space's 1-NN is the share of test digits whose nearest training
digit has their class. Weights and random codes start from seed N; the classifier is always the same. Settings were
chosen on 5,000 training digits held out (``tune``).

Run: ``NEARBY_DATA=... python benchmarks/generation.py [seed=N ...]``, or ``tune SPEC ...``
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from mnist import read
from record import nothing_else, record, say, seeds_of, timed, with_seed

from encoders.codes import Space
from encoders.registry import create
from indexers.registry import create_index
from retrieval.evaluation.evaluate import evaluate_index
from retrieval.evaluation.sample_quality import sample_quality

GAN = "gan:50,channels=32-64,hidden=512,epochs=12"
#: The VAE and the autoencoder draw from a Gaussian: their prior, or the one that fits their codes.
RIVALS = {"vae": "vae:500-500-50,epochs=12", "deep-ae": "deep-ae:1000-500-250-50,epochs=12", "pca": "pca:50"}
JUDGE = "pretrained-dnn:500-250,pretrain=none,epochs=10"
SAMPLES, HELD, SHOWN = 10_000, 5_000, 24


def main(*arguments: str) -> None:
    """Measure the GAN and its rivals with every seed asked for; or tune."""
    seeds, others = seeds_of(arguments)
    nothing_else([] if others[:1] == ["tune"] else others)
    (train, labels), (test, truth) = (digits(part) for part in ("train", "test"))
    if arguments[:1] == ("tune",):
        known, held = slice(HELD, None), slice(HELD)
        for spec in arguments[1:]:
            figures, _ = measured(
                spec, train[known], labels[known], train[held], labels[held], judge(train[known], labels[known])
            )
            say(spec, figures)
        return
    fixed = judge(train, labels)
    real = quality(fixed, train[:SAMPLES], test)
    for seed in seeds:
        found, rows = {}, []
        with timed() as whole:
            for name, spec in {"gan": GAN, "gan, untrained": untrained(GAN), **RIVALS}.items():
                figures, drawn = measured(with_seed(spec, seed), train, labels, test, truth, fixed, seed)
                found[name] = {**figures, "spec": spec}
                rows.append(drawn[:SHOWN])
                say(name, found[name])
            pixels = nearest(create("vectors").fit(train), train, labels, test, truth)
        sheet(rows, f"generated-digits-{seed}.png")
        record("generation", {"seed": seed, "methods": found, "pixels": pixels, "real": real, "seconds": whole.value})


def sheet(rows: list[Any], name: str) -> None:
    """Write one row of samples for each method to docs/."""
    from PIL import Image

    lines = [np.concatenate([np.pad(one.reshape(28, 28), 2) for one in row], axis=1) for row in rows]
    picture = Image.fromarray(np.uint8(np.round(np.concatenate(lines) * 255)))
    picture.save(Path(__file__).parent.parent / "docs" / name, optimize=True)


def digits(part: str) -> tuple[Any, list[Any]]:
    pictures, labels = read(part)
    return PIXELS.fit(pictures[:1]).encode(pictures), list(labels)


PIXELS = create("pixels")


def untrained(spec: str) -> str:
    """Return the spec of the same network with its first weights: one epoch in which nothing moves."""
    head, _, _ = spec.rpartition(",epochs=")
    return f"{head},epochs=1,learning-rate=1e-12,average=0"


def judge(rows: Any, labels: Any) -> Any:
    return create(JUDGE).fit(rows, labels)


def measured(
    spec: str, train: Any, labels: Any, test: Any, truth: Any, fixed: Any, seed: int = 0
) -> tuple[dict[str, Any], Any]:
    encoder: Any = create(spec)
    encoder.input_space = PIXELS.space
    with timed() as fitting:
        encoder.fit(train)
    drawn = np.clip(encoder.decode(codes_of(encoder, train, seed)), 0, 1)
    figures = {"1-NN": nearest(encoder, train, labels, test, truth), **quality(fixed, drawn, test)}
    shares = np.bincount([int(name) for name in fixed.classify(drawn)], minlength=10) / len(drawn)
    figures["smallest_class"], figures["largest_class"] = float(shares.min()), float(shares.max())
    return {**figures, "fit_seconds": fitting.value}, drawn


def codes_of(encoder: Any, train: Any, seed: int = 0) -> Any:
    """Return random codes: of the prior, or of a Gaussian with the mean and covariance of the codes of `train`."""
    generator = np.random.default_rng(seed)
    if encoder.has_prior:
        return generator.standard_normal((SAMPLES, encoder.space.dim), dtype=np.float32)
    codes = encoder.encode(train)
    return generator.multivariate_normal(codes.mean(axis=0), np.cov(codes, rowvar=False), SAMPLES).astype(np.float32)


def quality(fixed: Any, drawn: Any, test: Any) -> dict[str, float]:
    return asdict(sample_quality(fixed.encode(test), fixed.encode(drawn)))


def nearest(encoder: Any, train: Any, labels: Any, test: Any, truth: Any) -> float:
    """Return the accuracy of the nearest neighbour."""
    space: Space = encoder.space
    index = create_index("exact", space)
    index.add([str(row) for row in range(len(train))], encoder.encode(train))
    return float(evaluate_index(index, encoder.encode(test), labels, truth, ("P@1",)).means["P@1"])


if __name__ == "__main__":
    main(*sys.argv[1:])
