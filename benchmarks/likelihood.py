"""What a variational autoencoder makes of MNIST: minus the log-likelihood, by importance sampling with 5,000 draws.

Pictures are binarised once, each pixel 1 with the probability of its grey level (seed 0), as in Larochelle's data:
training on 60,000 such pictures, test on the binarised test pictures. The best epoch is chosen on the 5 % that the
encoder holds out itself; nothing else was tuned.

Every test picture counts.

Run: ``NEARBY_DATA=... python benchmarks/likelihood.py [SPEC ...] [seed=N ...]``
"""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import numpy as np
from mnist import read
from record import record, say, seeded, seeds_of, timed

from encoders.registry import create

SPECS = (
    "vae:400-20,norm=none,activation=tanh,epochs=40,batch-size=100,learning-rate=0.001",
    "vae:500-500-50,epochs=100,minutes=15,weight-decay=0,samples=5",
)
DRAWS = 5_000


def main(*arguments: str) -> None:
    seeds, specs = seeds_of(arguments)
    train, test = binarised(read("train")[0], 0), binarised(read("test")[0], 1)
    for seed, spec in product(seeds, specs or SPECS):
        encoder: Any = create(seeded(spec, seed))
        with timed() as fitting:
            encoder.fit(train)
        say(spec, "bound on held-out pictures", min(encoder.history.validation_loss), len(encoder.history.seconds))
        with timed() as estimating:
            found = encoder.log_likelihood(test, DRAWS)
        figures = {
            "spec": spec, "seed": seed, "nll": float(-found.mean()), "error": float(found.std() / np.sqrt(len(found))),
            "bound": min(encoder.history.validation_loss), "epochs": len(encoder.history.seconds), "draws": DRAWS,
            "pictures": len(test), "fit_seconds": fitting.value, "estimate_seconds": estimating.value,
        }  # fmt: skip
        say(figures)
        record("likelihood", figures)


def binarised(pictures: Any, seed: int) -> Any:
    """Return each pixel as 1 with the probability of its grey level (n, 784)."""
    chance = np.random.default_rng(seed).random(pictures.shape, dtype=np.float32)
    return (chance < pictures / np.float32(255)).astype(np.float32).reshape(len(pictures), -1)


if __name__ == "__main__":
    main(*sys.argv[1:])
