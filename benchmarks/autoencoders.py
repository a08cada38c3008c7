"""Every autoencoder on MNIST at code sizes 30, 10 and 2: reconstruction beside retrieval, and what each cost.

All 10,000 test pictures ask the 60,000 of training, exact search. Each run appends one row; `report.py` takes the
latest of each. Penalties' weights are the better of two or three tried on 10,000 training pictures, judged on 2,000
others of training; ``tune`` tries more with 10,000 held out. Widths and epochs were not tuned, but for `TWO`.

Run: ``NEARBY_DATA=... python benchmarks/autoencoders.py [SIZE ...] [METHOD ...] [seed=N ...]``, or ``tune SPEC ...``
"""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import numpy as np
from mnist import measured, read
from record import record, say, seeded, seeds_of, timed

from encoders.base import Encoder
from encoders.codes import Kind, Metric, Space
from encoders.errors import NotInvertibleError
from encoders.neural.reconstruction_loss import reconstruction_error
from encoders.registry import create
from indexers.registry import create_index

SIZES = (30, 10, 2)
DEEP = "500-250"
#: Epochs by size; one epoch of the convolutional networks takes as long as five of the others.
EPOCHS = {30: 20, 10: 8, 2: 8}
CHANNELS = "channels=16-32"
LAYERS = "pretrain=layerwise,pretrain-epochs=4"
SIGMOID = "activation=sigmoid,norm=none"
#: Name -> spec, {k} the size of the code, {e} the epochs, {c} and {w} those and the widths of
#: convolutional networks.
METHODS = {
    "pixels": "vectors",
    "pca": "pca:{k}",
    "deep": f"deep-ae:{DEEP}-{{k}},epochs={{e}}",
    "deep, tied": f"deep-ae:{DEEP}-{{k}},epochs={{e}},tied=true",
    "deep, layer by layer": f"deep-ae:{DEEP}-{{k}},epochs={{e}},{LAYERS}",
    "deep, sigmoid": f"deep-ae:{DEEP}-{{k}},epochs={{e}},{SIGMOID}",
    "deep, sigmoid, layer by layer": f"deep-ae:{DEEP}-{{k}},epochs={{e}},{SIGMOID},{LAYERS}",
    "deep, sigmoid, RBM": f"deep-ae:{DEEP}-{{k}},epochs={{e}},{SIGMOID},pretrain=rbm,pretrain-epochs=4",
    "sparse, KL": f"deep-ae:{DEEP}-{{k}},epochs={{e}},sparsity=kl,target=0.1",
    "sparse, L1": f"deep-ae:{DEEP}-{{k}},epochs={{e}},sparsity=l1,sparsity-weight=0.2",
    "contractive": f"deep-ae:{DEEP}-{{k}},epochs={{e}},contractive=0.1",
    "denoising": f"denoising-ae:{DEEP}-{{k}},epochs={{e}}",
    "variational": f"vae:{DEEP}-{{k}},epochs={{e}}",
    "conv, deconvolution": "conv-ae:{k},epochs={c},{w},up=deconv",
    "conv, repetition": "conv-ae:{k},epochs={c},{w},up=repeat",
    "conv, remembered places": "conv-ae:{k},epochs={c},{w},up=index",
    "U-Net": "unet-ae:{k},epochs={c},{w}",
    "pyramid": "fpn-ae:{k},epochs={c},{w}",
}
#: Of two numbers alone: the widths of Hinton & Salakhutdinov (2006) for ten minutes, the better of two by ``tune``.
TWO = {
    "deep, wide, ten minutes": "deep-ae:1000-500-250-{k},epochs=300,minutes=10,activation=sigmoid,norm=none,"
    "pretrain=rbm,pretrain-epochs=5"
}


def main(*arguments: str) -> None:
    """Fit and measure every method asked for, at every size asked for."""
    if arguments[:1] == ("tune",):
        tune(arguments[1:])
        return
    seeds, words = seeds_of(arguments)
    sizes = [int(word) for word in words if word.isdigit()] or SIZES
    names = [word for word in words if not word.isdigit()] or list(METHODS | TWO)
    train, test, labels, asked, shape = pictures()
    for seed, size, name in product(seeds, sizes, names):
        if name in TWO and size != 2:
            continue
        spec = (METHODS | TWO)[name].format(k=size, e=EPOCHS[size], c=EPOCHS[size] // 3, w=CHANNELS)
        if "epochs" not in spec and seed:
            continue  # nothing there is left to chance
        figures = row(seeded(spec, seed), shape, train, test, labels, asked)
        record("autoencoders", {"method": name, "size": size, "seed": seed, "spec": f"pixels+{spec}", **figures})
        say(name, size, seed, {key: value for key, value in figures.items() if key not in ("spaces", "phases")})


def pictures() -> tuple[Any, Any, list[Any], list[Any], Encoder]:
    (images, labels), (others, asked) = read("train"), read("test")
    pixels = create("pixels").fit(images)
    return pixels.encode(images), pixels.encode(others), labels, asked, pixels


def row(spec: str, pixels: Encoder, train: Any, test: Any, labels: list[Any], asked: list[Any]) -> dict[str, Any]:
    """Return reconstruction error and retrieval of one encoder, and of the other codes that it has."""
    encoder: Any = create(spec)
    encoder.input_space = pixels.space
    with timed() as fitting:
        encoder.fit(train)
    with timed() as encoding:
        codes = encoder.encode(train)
    queries = encoder.encode(test)
    figures = measured(encoder, codes, queries, labels, asked)
    figures |= {"fit_seconds": fitting.value, "encode_per_second": len(train) / encoding.value}
    figures["test_error"] = reconstruction_error(test, encoder.reconstruct(test))
    figures["decodes"] = decodes(encoder, queries)
    if encoder.space.dim == 2:
        figures["accuracy"] = accuracy(codes, queries, labels, asked)
    if hasattr(encoder, "history"):
        figures["epochs"] = len(encoder.history.seconds)
        figures["phases"] = {name: phase.__dict__ for name, phase in encoder.phases.items()}
    if hasattr(encoder, "code"):
        figures["spaces"] = other_codes(encoder, train, test, labels, asked)
    return figures


def accuracy(codes: Any, queries: Any, labels: list[Any], asked: list[Any], k: int = 15) -> float:
    """Return how often the vote of the k nearest training pictures is right."""
    known, truth = np.unique(labels, return_inverse=True)[1], np.searchsorted(np.unique(labels), asked)
    index = create_index("exact", Space(codes.shape[1], Kind.DENSE, Metric.EUCLIDEAN))
    index.add([str(position) for position in range(len(codes))], codes)
    votes = known[index.search_rows(queries, k).rows]
    return float((np.array([np.bincount(row, minlength=10).argmax() for row in votes]) == truth).mean())


def decodes(encoder: Encoder, codes: Any) -> bool:
    try:
        encoder.decode(codes[:1])
    except NotInvertibleError:
        return False
    return True


def other_codes(encoder: Any, train: Any, test: Any, labels: list[Any], asked: list[Any]) -> dict[str, Any]:
    """Return retrieval by what the pyramid holds beside its bottleneck."""
    found = {}
    for code in ("pooled", *(f"level-{position + 1}" for position in range(len(encoder.channels)))):
        encoder.code = code
        encoder._space = encoder._space_of_codes()
        found[code] = measured(encoder, encoder.encode(train), encoder.encode(test), labels, asked)
        found[code]["dim"] = encoder.space.dim
    return found


def tune(specs: tuple[str, ...]) -> None:
    """Print figures on 10,000 pictures held out of the training ones."""
    train, _, labels, _, pixels = pictures()
    held = np.random.default_rng(0).permutation(len(train))
    here, other = np.sort(held[10_000:]), np.sort(held[:10_000])
    known, asked = [labels[position] for position in here], [labels[position] for position in other]
    for spec in specs:
        figures = row(spec, pixels, train[here], train[other], known, asked)
        say(spec, {key: value for key, value in figures.items() if key not in ("spaces", "phases")})
        for code, found in figures.get("spaces", {}).items():
            say("   ", code, found)


if __name__ == "__main__":
    main(*sys.argv[1:])
