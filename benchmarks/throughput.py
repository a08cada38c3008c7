"""Training: pictures a second of every method beside the same network and loss in a plain PyTorch loop.

The plain loop is what a user would write: fp32, Adam, shuffled indices. It takes steps on the very rows that ours takes
steps on, and nothing else; ours also measures the share that is held out, as it always does. Alternating repeats in
one run, medians.

Run: ``NEARBY_DATA=... python benchmarks/throughput.py [METHOD ...]``
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from autoencoders import CHANNELS, METHODS
from mnist import read
from record import record, say
from speed import alternating

from encoders.codes import Batch
from encoders.neural.training import split
from encoders.neural.training_rows import LabelledRows, Rows
from encoders.registry import create

COUNT, SIZE, EPOCHS = 8_192, 30, 4
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


def main(*names: str) -> None:
    pictures, labels = read("test")
    pixels = create("pixels").fit(pictures)
    rows, known = pixels.encode(pictures)[:COUNT], [str(label) for label in labels[:COUNT]]
    specs = {
        name: spec.format(k=SIZE, e=EPOCHS, c=EPOCHS, w=CHANNELS) for name, spec in METHODS.items() if name not in SKIP
    }
    found = {}
    for name, spec in {**specs, **MORE}.items():
        if names and name not in names:
            continue
        found[name] = {**against_a_plain_loop(spec, pixels, rows, known), "spec": spec}
        found[name]["pictures_per_second"] = COUNT * EPOCHS / found[name]["ours_seconds"]
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

    return alternating(ours, theirs, repeats=9)


if __name__ == "__main__":
    main(*sys.argv[1:])
