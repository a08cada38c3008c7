"""Compressed pictures: bytes really written against squared error, beside JPEG, WebP, JPEG 2000 and PCA.

Every space is fitted on training pictures and its quantiser trained on the same; test pictures are written to files,
read back and compared. MNIST and CIFAR-10: their test pictures. ORL faces: people in no training picture, three
choices.

Run: ``NEARBY_DATA=... python benchmarks/compression.py [mnist cifar10 orl-faces] [seed=N ...] [quick]``; ``quick``:
without autoencoders, on 500 test pictures, and nothing is recorded. A seed is that of the networks, and of the choices
of people. ``choose`` measures the blocks from which that of faces was chosen, on people of its training pictures.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from record import nothing_else, record, say, seeds_of, with_seed

from encoders.codes import Modality
from retrieval.applications.compression.curve import compression_curves
from retrieval.applications.compression.held_out import Listed, held_out_split
from retrieval.applications.compression.rate_distortion import Curves, error_at
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.registry import open_corpus

SPACES = {
    "mnist": ("pixels+deep-ae:1000-500-250-30,epochs=200,minutes=7,shift=1", "pixels+pca:256"),
    "cifar10": (
        "pixels+block-transform:8,basis=pca",
        "pixels+pca:512",
        "pixels+deep-ae:1024-512-256,epochs=50,minutes=3",
    ),
    "orl-faces": ("pixels+block-transform:16", "pixels+block-transform:16,basis=pca", "pixels+pca:200"),
}
SAMPLE, PEOPLE, CHOICES = {"mnist": 2000, "cifar10": 1000}, 10, 3
#: Wanted: corpus -> bytes at most, and squared error at most (None: less than JPEG). It is asked of the first space.
WANTED = {"mnist": (30.0, 3.0), "orl-faces": (400.0, None)}
#: What the first space of faces was chosen from, on people of the training pictures.
CANDIDATES = [f"pixels+block-transform:{block}" for block in ("8", "16", "32", "16,basis=pca")]
VALIDATION_PEOPLE = 8


def main(*arguments: str) -> None:
    seeds, words = seeds_of(arguments)
    names = [word for word in words if word in SPACES]
    quick = "quick" in words
    nothing_else([word for word in words if word not in (*SPACES, "quick", "choose")])
    if "choose" in words:
        choose()
        return
    for name in names or SPACES:
        for seed in seeds:
            specs = [spec for spec in SPACES[name] if not quick or "-ae" not in spec]
            runs = [
                measured(*split, specs, seed) for split in splits(name, 500 if quick else SAMPLE.get(name, 0), seed)
            ]
            figures = {"corpus": name, "seed": seed, "runs": runs, "best": best(name, runs)}
            say(name, figures["best"])
            if not quick:
                record("compression", figures)


def choose() -> None:
    """Measure candidates on some of the people that are in the training pictures of the first choice."""
    train, _, _ = next(splits("orl-faces", 0))
    validation = next(by_people(list(train), VALIDATION_PEOPLE, 1, 100))
    found = compression_curves(*validation, CANDIDATES, bits=(0.22, 0.35), say=say)
    errors = {curve.name: curve.error_at(WANTED["orl-faces"][0]) for curve in found.curves}
    say(errors)
    record("compression_choice", {"bytes": WANTED["orl-faces"][0], "held_out": validation[2], "errors": errors})


def splits(name: str, sample: int, seed: int = 0) -> Iterator[tuple[Corpus, Listed, str]]:
    """Yield items to fit on and others to measure: once, or for each choice of people."""
    corpus = open_corpus(name)
    if name == "orl-faces":
        yield from by_people(list(corpus), PEOPLE, CHOICES, CHOICES * seed)
    else:
        yield held_out_split(corpus, sample)


def by_people(items: list[Item], away: int, choices: int, seed: int = 0) -> Iterator[tuple[Corpus, Listed, str]]:
    """Yield choices of people whose pictures are measured; spaces are fitted on those of all others."""
    people = sorted({str(item.label) for item in items})
    for choice in range(choices):
        chosen = set(np.random.default_rng(seed + choice).choice(people, away, replace=False).tolist())
        here, others = ([item for item in items if (str(item.label) in chosen) is out] for out in (False, True))
        said = f"{away} people of {len(people)}, in no training picture (choice {seed + choice})"
        yield Listed("orl-faces", Modality.IMAGE, here), Listed("orl-faces", Modality.IMAGE, others), said


def measured(train: Corpus, test: Listed, held_out: str, specs: list[str], seed: int) -> dict[str, Any]:
    """Return the curves, each under the name that it has with seed 0."""
    plain = {with_seed(spec, seed): spec for spec in specs}
    found: Curves = compression_curves(train, test, held_out, list(plain), say=say)
    value = found.to_json()
    for curve in value["curves"]:
        curve["name"] = plain.get(curve["name"], curve["name"])
        say(curve["name"], *(f"{point['bytes_per_item']:.1f} B: {point['error']:.3g}" for point in curve["points"]))
    return value


def best(name: str, runs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the mean error at the wanted bytes over all choices: of the first space, and of JPEG."""
    if name not in WANTED:
        return None
    limit = WANTED[name][0]
    by_curve: dict[str, list[float | None]] = {}
    for run in runs:
        for curve in run["curves"]:
            points = [(point["bytes_per_item"], point["error"]) for point in curve["points"]]
            by_curve.setdefault(curve["name"], []).append(error_at(points, limit))
    means = {curve: float(np.mean(errors)) for curve, errors in by_curve.items() if None not in errors}
    jpeg = {curve: mean for curve, mean in means.items() if curve.startswith("JPEG,")}
    return {"bytes": limit, "space": SPACES[name][0], "error": means[SPACES[name][0]], "jpeg": jpeg}


if __name__ == "__main__":
    main(*sys.argv[1:])
