"""Whether a convolutional autoencoder keeps more of CIFAR-10 than as many principal components.

Run: ``python benchmarks/conv_cifar10.py``
"""

from __future__ import annotations

from record import record, say, timed

from encoders.registry import create
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.picture_quality import psnr

SIZE = 256
SPECS = {
    "pca": f"pca:{SIZE}",
    "conv, repetition": f"conv-ae:{SIZE},channels=32-64,up=repeat,epochs=8",
    "conv, deconvolution": f"conv-ae:{SIZE},channels=32-64,up=deconv,epochs=8",
}


def main() -> None:
    """Fit each on the training pictures; the error is that on the test pictures."""
    corpus = open_corpus("cifar10")
    pixels = create("pixels").fit([item.content for item in corpus])
    train = pixels.encode([item.content for item in corpus])
    test = pixels.encode([query.content for query in corpus.queries()])
    rows = {}
    for name, spec in SPECS.items():
        encoder = create(spec)
        encoder.input_space = pixels.space
        with timed() as fitting:
            encoder.fit(train)
        error = float(((encoder.reconstruct(test) - test) ** 2).mean())
        rows[name] = {"spec": spec, "psnr": psnr(error), "fit_seconds": fitting.value}
        say(name, rows[name])
    gain = max(row["psnr"] for name, row in rows.items() if name != "pca") - rows["pca"]["psnr"]
    record("conv_cifar10", {"rows": rows, "gain": gain})


if __name__ == "__main__":
    main()
