"""Whether a linear autoencoder, trained by gradient descent, learns the space of PCA on MNIST.

Run: ``NEARBY_DATA=... python benchmarks/equivalence.py``
"""

from __future__ import annotations

from typing import Any

import numpy as np
from record import record, say, timed
from scipy.linalg import subspace_angles

from encoders.neural.reconstruction_loss import reconstruction_error
from encoders.registry import create
from retrieval.corpora.registry import open_corpus

SEEDS = (0, 1, 2)
SPEC = "linear-ae:30,epochs=45,validation=0,seed={}"


def main() -> None:
    pixels = create("pixels")
    corpus = open_corpus("mnist")
    train = pixels.fit_encode(np.stack([item.content for item in corpus]))
    test = pixels.encode([query.content for query in corpus.queries()])
    pca: Any = create("pca:30").fit(train)
    base = {name: reconstruction_error(rows, pca.decode(pca.encode(rows))) for name, rows in both(train, test)}
    runs = []
    for seed in SEEDS:
        encoder: Any = create(SPEC.format(seed))
        with timed() as fitting:
            encoder.fit(train)
        found = {
            name: reconstruction_error(rows, encoder.decode(encoder.encode(rows))) for name, rows in both(train, test)
        }
        angles = subspace_angles(pca.components.T.astype(float), encoder.components.T.astype(float))
        runs.append(
            {
                "spec": str(encoder),
                "seed": seed,
                "fit_seconds": fitting.value,
                "train_error": found["train"],
                "test_error": found["test"],
                "gap_train": found["train"] / base["train"] - 1,
                "gap_test": found["test"] / base["test"] - 1,
                "largest_angle": float(angles.max()),
                "angle_of_25": float(np.sort(angles)[24]),
            }
        )
        say(runs[-1])
    random: Any = create("random-projection:30").fit(train)
    record(
        "equivalence",
        {
            "pca": base,
            "runs": runs,
            "random_error": reconstruction_error(test, random.decode(random.encode(test))),
            "eigenvalues": pca.explained_variance[-3:].tolist(),
        },
    )


def both(train: Any, test: Any) -> list[tuple[str, Any]]:
    return [("train", train), ("test", test)]


if __name__ == "__main__":
    main()
