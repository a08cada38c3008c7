"""Compressed pictures: bytes really written against squared error, beside JPEG, WebP, JPEG 2000 and PCA.

Every space is fitted on training pictures and its quantiser trained on the same; test pictures are written to files,
read back and compared. MNIST and CIFAR-10: their test pictures. ORL faces: people in no training picture, three
choices.

Run: ``NEARBY_DATA=... python benchmarks/compression.py [mnist cifar10 orl-faces] [quick]``; ``quick``: PCA alone, 500
test pictures, and nothing is recorded.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from record import nothing_else, record, say

from encoders.codes import Modality
from retrieval.applications.compression.curve import Curves, Listed, compression_curves, held_out_split
from retrieval.corpora.base import Corpus
from retrieval.corpora.registry import open_corpus

SPACES = {
    "mnist": ("pixels+deep-ae:1000-500-250-30,epochs=200,minutes=7,shift=1", "pixels+pca:256"),
    "cifar10": ("pixels+conv-ae:256,channels=32-64,epochs=8", "pixels+pca:1024"),
    "orl-faces": ("pixels+pca:200", "pixels+linear-ae:100,epochs=60"),
}
SAMPLE, PEOPLE, CHOICES = 2000, 10, 3
#: Wanted: corpus -> bytes at most, and squared error at most (None: less than JPEG without headers).
WANTED = {"mnist": (30.0, 3.0), "orl-faces": (400.0, None)}


def main(*arguments: str) -> None:
    names = [word for word in arguments if word in SPACES]
    quick = "quick" in arguments
    nothing_else([word for word in arguments if word not in (*SPACES, "quick")])
    for name in names or SPACES:
        specs = [spec for spec in SPACES[name] if not quick or "pca" in spec]
        runs = [measured(*split, specs) for split in splits(name, 500 if quick else SAMPLE)]
        figures = {"corpus": name, "runs": runs, "best": best(name, runs)}
        say(name, figures["best"])
        if not quick:
            record("compression", figures)


def splits(name: str, sample: int) -> list[tuple[Corpus, Listed, str]]:
    """Return items to fit on and others to measure: once, or for each choice of people."""
    corpus = open_corpus(name)
    if name != "orl-faces":
        return [held_out_split(corpus, sample)]
    items = list(corpus)
    people = sorted({str(item.label) for item in items})
    found = []
    for choice in range(CHOICES):
        away = set(np.random.default_rng(choice).choice(people, PEOPLE, replace=False).tolist())
        here, others = ([item for item in items if (str(item.label) in away) is out] for out in (False, True))
        said = f"{PEOPLE} people of {len(people)}, in no training picture (choice {choice})"
        found.append((Listed(name, Modality.IMAGE, here), Listed(name, Modality.IMAGE, others), said))
    return found


def measured(train: Corpus, test: Listed, held_out: str, specs: list[str]) -> dict[str, Any]:
    found: Curves = compression_curves(train, test, held_out, specs, say=say)
    value = found.to_json()
    for curve in value["curves"]:
        say(curve["name"], *(f"{point['bytes_per_item']:.1f} B: {point['error']:.3g}" for point in curve["points"]))
    return value


def best(name: str, runs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the smallest error at the wanted bytes: of any space, and of JPEG, over all choices."""
    if name not in WANTED:
        return None
    limit = WANTED[name][0]
    by_curve: dict[str, list[float]] = {}
    for run in runs:
        for curve in run["curves"]:
            within = [point["error"] for point in curve["points"] if point["bytes_per_item"] <= limit]
            by_curve.setdefault(curve["name"], []).append(min(within, default=float("inf")))
    means = {curve: float(np.mean(errors)) for curve, errors in by_curve.items()}
    learnt = {curve["name"] for curve in runs[0]["curves"] if curve["learnt"]}
    space = min(learnt, key=lambda one: means[one])
    jpeg = {curve: means[curve] for curve in means if curve.startswith("JPEG,") and np.isfinite(means[curve])}
    return {"bytes": limit, "space": space, "error": means[space], "jpeg": jpeg}


if __name__ == "__main__":
    main(*sys.argv[1:])
