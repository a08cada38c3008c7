"""Cleaning pictures, and retrieval by noisy queries.

Test pictures with Gaussian noise; what filters, PCA and autoencoders trained to undo it give back, by peak
signal-to-noise ratio. Filters' strengths are chosen on 500 training pictures. Then the same noisy test pictures ask:
what each space's retrieval loses.

Run: ``NEARBY_DATA=... python benchmarks/denoising.py [mnist cifar10] [seed=N ...]``
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import record, say, seeded, seeds_of, timed
from scipy.ndimage import gaussian_filter, median_filter

from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.evaluate import evaluate_index
from retrieval.evaluation.picture_quality import psnr as psnr_of

LEVEL = {"mnist": 0.5, "cifar10": 0.1}
CLEANERS = {
    "mnist": {
        "pca": "pca:30",
        "pca, 100 numbers": "pca:100",
        "denoising-ae": "denoising-ae:1000-1000,level=0.5,epochs=20",
        "conv-ae": "conv-ae:100,channels=16-32,corruption=gaussian,level=0.5,epochs=5",
        "unet-ae": "unet-ae:30,channels=16-32,corruption=gaussian,level=0.5,epochs=5",
        "fpn-ae": "fpn-ae:30,channels=16-32,corruption=gaussian,level=0.5,epochs=5",
    },
    "cifar10": {
        "pca": "pca:300",
        "no paths": "unet-ae:256,paths=false,corruption=gaussian,level=0.1,epochs=3",
        "unet-ae": "unet-ae:256,corruption=gaussian,level=0.1,epochs=3",
        "fpn-ae": "fpn-ae:256,corruption=gaussian,level=0.1,epochs=3",
        "fpn-ae, no paths": "fpn-ae:256,paths=false,corruption=gaussian,level=0.1,epochs=3",
    },
}
#: Spaces whose retrieval is asked with noisy queries, beside the cleaners.
SPACES = {"mnist": {"pixels": "vectors", "pca:30": "pca:30", "deep-ae": "deep-ae:1000-500-250-30,epochs=15"}}
Cleaner = Callable[[NDArray[Any]], NDArray[Any]]


def main(*arguments: str) -> None:
    seeds, names = seeds_of(arguments)
    for seed, name in product(seeds, names or ("mnist", "cifar10")):
        record(f"denoising_{name}", {"seed": seed, "level": LEVEL[name], **figures(name, seed)})


def figures(name: str, seed: int) -> dict[str, Any]:
    """Return what each cleaner gives back and retrieves; filters, which leave nothing to chance, for seed 0 alone."""
    corpus = open_corpus(name)
    items, queries = list(corpus), list(corpus.queries())
    pixels = create("pixels").fit(np.stack([item.content for item in items]))
    train = pixels.encode([item.content for item in items])
    test = pixels.encode([query.content for query in queries])
    labels, asked = [item.label for item in items], [query.label for query in queries]
    noisy = spoilt(test, LEVEL[name])
    found: dict[str, Any] = {"before": psnr(test, noisy)}
    if seed == 0:
        found["filters"] = filters(train, test, noisy, pixels, LEVEL[name])
    say(name, found)
    found["cleaners"], found["spaces"] = {}, {}
    for label, spec in {**CLEANERS[name], **SPACES.get(name, {})}.items():
        encoder: Any = create(seeded(spec, seed) if "epochs" in spec else spec)
        encoder.input_space = pixels.space
        with timed() as fitting:
            encoder.fit(train)
        if label in CLEANERS[name]:
            found["cleaners"][label] = {
                "psnr": psnr(test, encoder.reconstruct(noisy)), "spec": spec, "fit_seconds": fitting.value
            }  # fmt: skip
            say(label, found["cleaners"][label])
        found["spaces"][label] = {
            **retrieval(encoder, train, {"clean": test, "noisy": noisy}, labels, asked),
            "spec": spec,
        }
        say(label, found["spaces"][label])
    return found


def spoilt(rows: Any, level: float) -> Any:
    noise = np.random.default_rng(0).standard_normal(rows.shape, dtype=np.float32)
    return rows + level * noise


def psnr(clean: Any, other: Any) -> float:
    """Return the ratio of peak signal (1) to mean squared error over all pictures, in decibels."""
    return psnr_of(float(np.square(clean - np.clip(other, 0, 1)).mean()))


def filters(train: Any, test: Any, noisy: Any, pixels: Any, level: float) -> dict[str, Any]:
    """Return what each filter gives at the strength that was best on training pictures."""
    from skimage.restoration import denoise_nl_means

    shape = pixels.space.shape
    colours = -1 if len(shape) == 3 else None
    flat = (1,) if len(shape) == 3 else ()

    def each(function: Callable[..., Any], **options: Any) -> Cleaner:
        return lambda rows: np.stack([function(row.reshape(shape), **options).ravel() for row in rows])

    def means(strength: float) -> Cleaner:
        return each(
            denoise_nl_means, h=strength * level, sigma=level, patch_size=5, patch_distance=6, channel_axis=colours
        )

    candidates: dict[str, list[tuple[str, Cleaner]]] = {
        "median": [(f"{side}x{side}", each(median_filter, size=(side, side, *flat))) for side in (2, 3, 5, 7)],
        "Gaussian": [
            (f"{s}", each(gaussian_filter, sigma=(s, s, *(0 for _ in flat)))) for s in (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
        ],
        "non-local means": [(f"h={s}", means(s)) for s in (0.3, 0.45, 0.6, 0.8, 1.0, 1.3)],
    }
    here = np.random.default_rng(1).choice(len(train), 500, replace=False)
    clean, dirty = train[here], spoilt(train[here], level)
    found = {}
    for name, settings in candidates.items():
        on_training = [psnr(clean, cleaner(dirty)) for _, cleaner in settings]
        at = int(np.argmax(on_training))
        found[name] = {
            "setting": settings[at][0],
            "psnr": psnr(test, settings[at][1](noisy)),
            "best_at_an_end_of_the_grid": at in (0, len(settings) - 1),
        }
    return found


def retrieval(encoder: Any, train: Any, asking: dict[str, Any], labels: list[Any], asked: list[Any]) -> dict[str, Any]:
    """Return P@10 of each kind of queries."""
    index = create_index("exact", encoder.space)
    codes = encoder.encode(train)
    index.add([str(position) for position in range(len(codes))], codes)
    return {
        kind: evaluate_index(index, encoder.encode(rows), labels, asked, ("P@10",)).means["P@10"]
        for kind, rows in asking.items()
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
