"""Training: pictures a second of every method beside the same network and loss in a plain PyTorch loop.

The plain loop is what a user would write: fp32, Adam, shuffled indices. It takes steps on the very rows that ours takes
steps on, and nothing else; ours also measures the share that is held out, as it always does. Methods with several
players (`plain_loops`) share in the plain loop what a step can share; they read fewer items, those of `disentangle`
spectrograms. Alternating repeats in one run, medians.

Run: ``NEARBY_DATA=... python benchmarks/throughput.py [METHOD ...]``
"""

from __future__ import annotations

import sys
from itertools import islice
from typing import Any

import numpy as np
from alternating import alternating
from autoencoders import CHANNELS, METHODS
from mnist import read
from plain_loops import LOOPS
from record import latest, nothing_else, record, say

from encoders.codes import Batch
from encoders.neural.training import split
from encoders.neural.training_rows import LabelledRows, Rows
from encoders.registry import create
from retrieval.corpora.registry import open_corpus

COUNT, SIZE, EPOCHS, REPEATS = 8_192, 30, 4, 9
SKIP = {
    "pixels",
    "pca",
    "deep, layer by layer",
    "deep, sigmoid, layer by layer",
    "deep, sigmoid, RBM",
}  # as `deep`, in phases
MORE = {
    "hash": f"semantic-hash:256,hidden=1000-500,epochs={EPOCHS}",
    "classifier": f"pretrained-dnn:1000-1000-500,pretrain=none,epochs={EPOCHS}",
}
PLAYED_COUNT, PLAYED_EPOCHS = 2_048, 2
#: Methods with several players, as they are measured elsewhere.
PLAYERS = {
    "deep InfoMax": f"deep-infomax:64,epochs={PLAYED_EPOCHS}",
    "GAN": f"gan:50,channels=32-64,hidden=512,epochs={PLAYED_EPOCHS}",
    "disentangled": f"disentangle:32,channels=16-32-64,batch-size=64,normalize=maps,epochs={PLAYED_EPOCHS}",
}


def main(*names: str) -> None:
    """Measure all methods, or those that are named."""
    nothing_else([name for name in names if name not in {*METHODS, *MORE, *PLAYERS}])
    pictures, labels = read("test")
    pixels = create("pixels").fit(pictures)
    rows, known = pixels.encode(pictures)[:COUNT], [str(label) for label in labels[:COUNT]]
    specs = {
        name: spec.format(k=SIZE, e=EPOCHS, c=EPOCHS, w=CHANNELS) for name, spec in METHODS.items() if name not in SKIP
    }
    before = latest("throughput") if names else None  # what is not named stays as it was measured
    found: dict[str, Any] = {} if before is None else dict(before["figures"]["methods"])
    for name, spec in {**specs, **MORE}.items():
        if names and name not in names:
            continue
        found[name] = {**against_a_plain_loop(spec, pixels, rows, known), "spec": spec}
        found[name]["pictures_per_second"] = COUNT * EPOCHS / found[name]["ours_seconds"]
        say(name, found[name])
    for name, spec in PLAYERS.items():
        if names and name not in names:
            continue
        examples, known, space = read_by(name)
        found[name] = {**against_players(name, spec, examples, known, space), "spec": spec, "items": len(examples)}
        found[name]["pictures_per_second"] = len(examples) * PLAYED_EPOCHS / found[name]["ours_seconds"]
        say(name, found[name])
    record("throughput", {"pictures": COUNT, "epochs": EPOCHS, "methods": found})


def against_a_plain_loop(spec: str, pixels: Any, rows: Any, labels: list[str]) -> dict[str, float]:
    import torch

    def ours() -> Any:
        encoder: Any = create(spec)
        encoder.input_space = pixels.space
        return encoder.fit([Batch(rows, labels)])

    model = ours()  # its network and loss, new ones, are trained by the plain loop
    examples: Any = Rows(rows)
    network, loss = model._network(examples), None
    if hasattr(model, "classes"):
        classes = np.array([model.classes.index(label) for label in labels])
        examples = LabelledRows(examples, classes)
        head = torch.nn.Linear(model.sizes[-1], len(model.classes))
        network = torch.nn.ModuleDict({"encoder": network["encoder"], "head": head})
        loss = model._classification()
    loss = loss or model._objective()
    training, _ = split(len(rows), model._training_config())

    def theirs() -> None:
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        network.train()
        for _ in range(EPOCHS):
            order = training[torch.randperm(len(training))]
            for start in range(0, len(training), model.batch_size):
                value = loss(network, examples.take(order[start : start + model.batch_size]))
                optimizer.zero_grad()
                value.backward()
                optimizer.step()

    return alternating(ours, theirs, repeats=REPEATS)


def read_by(name: str) -> tuple[Any, list[str], Any]:
    """Return the rows that a method with several players reads, their labels, and the space of the rows."""
    if name == "disentangled":
        items = list(islice(open_corpus("speech-digits"), PLAYED_COUNT))
        first = create("log-mel").fit([item.content for item in items])
        return first.encode([item.content for item in items]), [item.metadata["speaker"] for item in items], first.space
    items = list(islice(open_corpus("cifar10" if name == "deep InfoMax" else "mnist"), PLAYED_COUNT))
    first = create("pixels").fit([item.content for item in items])
    return first.encode([item.content for item in items]), [str(item.label) for item in items], first.space


def against_players(name: str, spec: str, rows: Any, labels: list[str], space: Any) -> dict[str, float]:
    """Time our training of a method with several players, and the plain loop of its networks."""

    def ours() -> Any:
        encoder: Any = create(spec)
        encoder.input_space = space
        return encoder.fit([Batch(rows, labels)])

    model = ours()
    examples: Any = Rows(rows)
    if hasattr(model, "classes"):
        examples = LabelledRows(examples, np.array([model.classes.index(label) for label in labels]))
    network = model._network(examples.width if name == "deep InfoMax" else Rows(rows)).train()
    training, _ = split(len(rows), model._training_config())
    return alternating(ours, lambda: LOOPS[name](model, network, examples, training, PLAYED_EPOCHS), repeats=REPEATS)


if __name__ == "__main__":
    main(*sys.argv[1:])
