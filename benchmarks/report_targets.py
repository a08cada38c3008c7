"""What is asked of every method, by its number, and where its figure is read."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial
from typing import Any

from application_targets import application_targets
from record import averaged, seeds_run
from report_beyond import WANTED
from report_measured import (
    auto,
    classifier,
    cleaning,
    decibels,
    disentangling,
    face_note,
    face_shares,
    figures,
    generation,
    hashing,
    hidden,
    infomax,
    likelihood,
    mnist,
    mnist_rival,
    news,
    news_rival,
    or_nan,
    pictures_note,
    sentences,
    shortlist,
    strongest,
    text,
    text_bits,
)
from report_target import Target

TEXTS = {"cranfield": 0.379, "cisi": 0.393, "npl": 0.366, "scifact": 0.67}
STEMMED = "tfidf"


def targets() -> Iterator[Target]:
    """Yield what is asked of the methods."""
    yield from text_targets()
    yield from classical_targets()
    yield from autoencoder_targets()
    yield from beyond_targets()
    yield from application_targets()


def beyond_targets() -> Iterator[Target]:
    """Yield X1 to X3 and X6."""
    for key, layer, wanted in WANTED:
        asked = f"cifar10: {key} of the layer {layer}"
        yield Target(
            "X1", asked, partial(infomax, layer, key), wanted, note=f"{seeds_run('infomax')}, 17 minutes on one core"
        )
    yield from disentangling_targets()
    yield from generation_targets()


def disentangling_targets() -> Iterator[Target]:
    """Yield X2 and X2b."""
    asked = "spoken digits, {} part: {}, most of three fresh classifiers"
    for part, name in (("content", "content"), ("nuisance", "speaker")):
        for what, at_least in (("speakers", part == "nuisance"), ("digits", part == "content")):
            wanted = 0.93 if at_least else 0.30
            yield Target("X2", asked.format(name, what[:-1]), partial(strongest, part, what), wanted, at_least)
    precision = partial(disentangling, "disentangle", "content", "digits", "P@10")
    yield Target("X2", "spoken digits, content part: P@10 by digit", precision, 0.85)
    for what in ("speaker", "digit"):
        read = partial(disentangling, "conversion", "means", "disentangle", what)
        yield Target("X2b", f"converted spoken digits: the wanted {what} is heard", read, 0.85)


def generation_targets() -> Iterator[Target]:
    """Yield X3."""
    why = f"{seeds_run('generation')}; nothing in the game asks for near neighbours: docs/beyond-reconstruction.md"
    yield Target("X3", "mnist: 1-NN of codes", partial(generation, "gan", "1-NN"), 0.974, note=why)
    rival = or_nan(partial(generation, "vae", "coverage"))
    yield Target("X3", "mnist: coverage above that of the vae", partial(generation, "gan", "coverage"), rival)
    for what, key, wanted in (("rarest", "smallest_class", 0.05), ("commonest", "largest_class", 0.15)):
        asked = f"mnist: share of the {what} class among the samples"
        yield Target("X3", asked, partial(generation, "gan", key), wanted, what == "rarest")


def text_targets() -> Iterator[Target]:
    """Yield T1 to T8."""
    for corpus, wanted in TEXTS.items():
        yield Target("T1", f"{corpus}: nDCG@10", lambda corpus=corpus: text(corpus, "bm25"), wanted)
    yield Target("T2", "scifact: nDCG@10", lambda: text("scifact", "tfidf"), 0.63)
    for width, wanted in ((128, 0.389), (500, 0.550), (1000, 0.619)):
        spec = f"{STEMMED}+lsa:{width}"
        yield Target("T3", f"scifact: nDCG@10, {width} numbers", lambda spec=spec: text("scifact", spec), wanted)
    widest = f"{STEMMED}+lsa:1000"
    yield Target("T3", "scifact: R@100, 1,000 numbers", lambda: text("scifact", widest, "R@100"), 0.876)
    for words in ("bow:2000,stop=english", "tfidf:2000,stop=english", "tfidf:stop=english"):
        for width, times, more in ((10, 1.3, 0.0), (128, 1.0, 0.03)):
            rival = or_nan(lambda words=words, width=width: news_rival(width, words))
            asked = f"20newsgroups: P@10 of {width} numbers from 2,000 counts, beside `{words}+lsa:{width}`"
            yield Target("T4", asked, lambda width=width: news(str(width)), times * rival + more)
    yield Target("T5", "scifact: nDCG@10 of 128 numbers", lambda: text("scifact", f"{STEMMED}+lsa:128"), 0.45,
                 note="LSA; the deep code has less")  # fmt: skip
    yield Target("T5", "scifact: nDCG@10 of 512 numbers", lambda: text("scifact", f"{STEMMED}+lsa:512"), 0.60,
                 note="LSA")  # fmt: skip
    yield Target("T5", "scifact: nDCG@10 of bm25 and the code fused, above bm25",
                 lambda: figures("hybrid")["scifact"]["gain"], 0.01,
                 note="weight from training queries; weights from the other test queries gain more, below")  # fmt: skip
    yield Target("T6", "20newsgroups, headers removed: P@100 of 32 bits", text_bits, 0.60, note="no label is used")
    yield Target("T6", "20newsgroups, headers kept, 10,000 words: P@100 of 32 bits",
                 lambda: figures("text_hashing_headers")["P@100"], 0.50)  # fmt: skip
    yield Target("T7", "scifact: nDCG@10 of all-MiniLM-L6-v2, away from .645", lambda: abs(sentences() - 0.645), 0.005,
                 False)  # fmt: skip
    for corpus in ("cranfield", "npl"):
        found = or_nan(lambda corpus=corpus: figures("tsdae")["corpora"][corpus]["start"]["nDCG@10"])
        yield Target("T8", f"{corpus}: nDCG@10 above its start",
                     lambda corpus=corpus: figures("tsdae")["corpora"][corpus]["tsdae"]["nDCG@10"], found)  # fmt: skip


def classical_targets() -> Iterator[Target]:
    """Yield C1 to C14."""

    def kmeans(whose: str, key: str) -> float:
        return float(figures("clustering")["kmeans"][whose][key][0])

    yield Target("C1", "mnist: NMI, above scikit-learn's less .01", lambda: kmeans("nearby", "NMI"),
                 or_nan(lambda: kmeans("scikit-learn", "NMI")) - 0.01)  # fmt: skip
    yield Target("C1", "share of scikit-learn's time",
                 lambda: kmeans("nearby", "seconds") / kmeans("scikit-learn", "seconds"), 1.0, False)  # fmt: skip

    def patch(key: str) -> float:
        found = figures("patches")
        return float(found["spaces"][found["spec"]][key])

    yield Target("C2", "cifar10: accuracy of a linear map", lambda: patch("linear"), 0.70)
    yield Target("C2", "cifar10: P@100", lambda: patch("P@100"), 0.38)

    def hac() -> dict[str, Any]:
        return dict(figures("clustering")["hac"])

    yield Target("C3", "largest difference of heights from scipy's",
                 lambda: max(hac()["largest difference of heights from scipy"].values()), 1e-9, False)  # fmt: skip
    yield Target("C3", "mnist: accuracy of ten clusters of deep codes, 3 seeds",
                 lambda: next(row["accuracy"] for name, row in hac()["quality"].items()
                              if name.startswith("deep-ae") and name.endswith("ward")), 0.80)  # fmt: skip
    yield Target("C4", "corpora with the criteria beside the truth", lambda: len(figures("clustering")["count"]), 3)
    yield Target("C6", "mnist: accuracy of trees on 50 pixels",
                 lambda: max(row["test"][0] for row in figures("selection")["criteria"].values()), 0.92)  # fmt: skip
    yield Target("C7", "mnist: error of pca:30, away from 13.87",
                 lambda: abs(mnist_rival("pixels+pca:30", "test_error") - 13.87), 0.01, False)  # fmt: skip
    yield Target("C8", "mnist: largest principal angle to PCA, rad",
                 lambda: max(one["largest_angle"] for one in figures("equivalence")["runs"]), 0.01, False)  # fmt: skip
    yield Target("C8", "mnist: gap to PCA's error", lambda: max(one["gap_train"] for one in
                 figures("equivalence")["runs"]), 0.001, False)  # fmt: skip
    for data in ("mnist", "orl-faces"):
        race = or_nan(
            lambda data=data: max(statistics.fmean(one["ratio"]) for one in figures("factorization")[data]["race"])
        )
        yield Target("C9", f"{data}: objective after scikit-learn's time, ratio", lambda race=race: race, 1.0, False)
        yield Target("C9", f"{data}: a fifth hidden, codes from the seen entries alone, error on all, ratio",
                     lambda data=data: hidden(data, "a_fifth_hidden"), 1.01, False)  # fmt: skip
    yield Target("C11", "largest squared error of 20 seeds, λ = .02",
                 lambda: max(row["error"][2] for name, row in figures("recommendation")["example"].items()
                             if name.endswith("= 0.02")), 0.30, False)  # fmt: skip
    yield Target("C12", "ml-100k: RMSE, d chosen in every fold",
                 lambda: figures("recommendation")["movielens"]["mf, d chosen in every fold"]["rmse"], 0.912,
                 False)  # fmt: skip


def autoencoder_targets() -> Iterator[Target]:
    """Yield A1 to A12."""
    yield Target("A1", "mnist: error in 20 minutes", lambda: mnist("test_error"), 2.30, False, "in seven minutes")
    yield Target("A1", "mnist: error in 5 minutes",
                 lambda: figures("mnist_five_minutes")["test_error"], 3.00, False)  # fmt: skip
    for measure in ("P@10", "AP@100"):
        for rival in ("pixels", "pixels+pca:30"):
            least = or_nan(lambda rival=rival, measure=measure: mnist_rival(rival, measure))
            yield Target("A2", f"mnist: {measure} of 30 numbers above {rival}",
                         lambda measure=measure: mnist(measure), least)  # fmt: skip
    yield Target("A3", "orl-faces: largest share of PCA's error over the choices of people", lambda: max(face_shares()),
                 0.90, False, face_note())  # fmt: skip
    yield Target("A4", "cifar10: P@100 of 256 bits of pixels", lambda: hashing("256 bits"), 0.30,
                 note="bits of patch codes: see the table")  # fmt: skip
    for bits, name in (("", "pixels"), ("patches, ", "patch codes")):
        yield Target("A4", f"28 bits of {name}, then 256, 5 % scanned: share of the full scan's 100 answers kept",
                     lambda bits=bits: shortlist(bits, "answers_kept"), 0.90)  # fmt: skip
    yield Target("A5", "mnist: error with all labels", lambda: classifier(60_000, "layer by layer"), 0.011, False,
                 "3 seeds; pictures shifted by a pixel in training")  # fmt: skip
    yield Target("A5", "mnist: share of errors fewer than from random weights, 1,000 labels",
                 lambda: 1 - classifier(1000, "layer by layer") / classifier(1000, "random"), 0.25)  # fmt: skip
    yield Target("A6", "mnist: gain in PSNR at σ = .5, dB",
                 lambda: cleaning("mnist", "denoising-ae") - averaged("denoising_mnist")["figures"]["before"],
                 9.0)  # fmt: skip
    yield Target("A6", "mnist: error after fine-tuning", lambda: classifier(60_000, "layer by layer"), 0.011, False)
    for up in ("deconvolution", "repetition"):
        yield Target("A7", f"mnist, 30 numbers: PSNR of {up} above PCA, dB",
                     lambda up=up: decibels(f"conv, {up}", 30), 0.5)  # fmt: skip
    yield Target("A7", "cifar10: PSNR above PCA of equal size, dB", lambda: figures("conv_cifar10")["gain"], 0.5)
    yield Target("A8", "cifar10: PSNR of unet-ae above the same network without paths, dB",
                 lambda: cleaning("cifar10", "unet-ae") - cleaning("cifar10", "no paths"), 2.0)  # fmt: skip
    yield Target("A8", "cifar10: PSNR of fpn-ae above the same network without paths, dB",
                 lambda: cleaning("cifar10", "fpn-ae") - cleaning("cifar10", "fpn-ae, no paths"), 2.0)  # fmt: skip
    for method in ("sparse, KL", "contractive", "deep, tied"):
        least = or_nan(lambda: auto("deep", 30, "P@10"))
        yield Target("A9", f"mnist, 30 numbers: P@10 of {method} above plain",
                     lambda method=method: auto(method, 30, "P@10"), least)  # fmt: skip
    yield Target("A10", "mnist, binarised: nats, all 10,000 test pictures", likelihood, 87.0, False, pictures_note())
    yield Target("A11", "mnist, two numbers: accuracy of 15 neighbours, ten minutes",
                 lambda: auto("deep, wide, ten minutes", 2, "accuracy"), 0.95)  # fmt: skip
    yield Target("A12", "training beside a plain loop, least ratio",
                 lambda: min(row["ratio"] for row in figures("throughput")["methods"].values()), 1.5)  # fmt: skip
