"""Patches of faces of people never seen: thirty numbers of a deep autoencoder against thirty principal components.

As Hinton & Salakhutdinov (2006) made theirs of the Olivetti faces: turned by up to 90 degrees, scaled, cut out and
subsampled to 25x25. Ten people of the forty are left out of training, three times others. The options are the best of
eight that ``tune`` tried on one choice of people (tied weights or not, 15 or 40 passes, dropout, sigmoid units with
RBMs, decay of the weights); before that 15 passes, untied, were measured on the people left out: .918 of the error of
components.

Run: ``NEARBY_DATA=... python benchmarks/faces.py``, or ``tune SPEC ...``: among people who are in no test
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image
from record import record, say, timed

from encoders.neural.reconstruction_loss import reconstruction_error
from encoders.registry import create
from retrieval.corpora.registry import open_corpus

SIDE, PATCHES, HELD_OUT, SPLITS = 25, 100_000, 10, 3
SPECS = ("pca:30", "deep-ae:1000-500-250-30,epochs=15,weight-decay=0.3")


def main(*arguments: str) -> None:
    """Measure the specs on people left out, or tune among the others alone."""
    items = list(open_corpus("orl-faces"))
    people = sorted({str(item.label) for item in items})
    choices = [left_out(people, HELD_OUT, split) for split in range(SPLITS)]
    tuning, specs = arguments[:1] == ("tune",), SPECS
    if tuning:
        people = sorted(set(people).difference(*choices))
        choices, specs = [left_out(people, len(people) // 3, split) for split in range(2)], arguments[1:]
        items = [item for item in items if str(item.label) in people]
    runs = [run for split, away in enumerate(choices) for run in measured(items, away, split, specs)]
    if not tuning:
        record("faces", {"runs": runs, "patches": PATCHES, "people_held_out": HELD_OUT})


def left_out(people: list[str], count: int, seed: int) -> set[str]:
    return set(np.random.default_rng(seed).choice(people, count, replace=False).tolist())


def measured(items: list[Any], away: set[str], split: int, specs: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Fit every spec on patches of the people who are here, and measure it on those of the people away."""
    generator = np.random.default_rng(split)
    here = [item.content for item in items if str(item.label) not in away]
    other = [item.content for item in items if str(item.label) in away]
    train, test = patches(here, PATCHES, generator), patches(other, 10_000, generator)
    for spec in specs:
        encoder = create(spec)
        with timed() as fitting:
            encoder.fit(train)
        error = reconstruction_error(test, np.asarray(encoder.reconstruct(test)))
        run = {"split": split, "spec": spec, "error": error, "fit_seconds": fitting.value}
        say(run)
        yield run


def patches(pictures: list[Any], count: int, generator: Any) -> Any:
    """Return `count` patches in [0, 1] (count, 625), turned, scaled and cut out of pictures by chance."""
    small = [Image.fromarray(picture).reduce(2) for picture in pictures]
    found = np.empty((count, SIDE * SIDE), dtype=np.float32)
    for row in range(count):
        picture = small[row % len(small)]
        angle, scale = math.radians(generator.uniform(-90, 90)), generator.uniform(1.0, 1.4)
        across, down = scale * math.cos(angle), scale * math.sin(angle)
        middle = np.array(picture.size) / 2 + generator.uniform(-4, 4, 2)
        half = SIDE / 2
        to = (
            across, -down, middle[0] - half * (across - down),
            down, across, middle[1] - half * (down + across),
        )  # fmt: skip
        cut = picture.transform((SIDE, SIDE), Image.Transform.AFFINE, to, Image.Resampling.BILINEAR)
        found[row] = np.asarray(cut, dtype=np.float32).ravel() / 255
    return found[generator.permutation(count)]


if __name__ == "__main__":
    main(*sys.argv[1:])
