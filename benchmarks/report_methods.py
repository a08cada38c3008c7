"""The first table of docs/results.md: every target of every method, met, missed or not measured, by its number."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from record import averaged, latest, latest_of_each, over_seeds

if TYPE_CHECKING:
    from report import Page

TEXTS = {"cranfield": 0.379, "cisi": 0.393, "npl": 0.366, "scifact": 0.67}
STEMMED = "tfidf"
#: The methods by their numbers: T text, C classical, A autoencoders, X beyond reconstruction and applications.
METHODS = {
    "T1": "bm25", "T2": "tfidf", "T3": "lsa", "T4": "deep-ae on word counts", "T5": "text codes", "T6": "semantic-hash",
    "T7": "sbert", "T8": "tsdae", "C1": "kmeans", "C2": "patch-kmeans", "C3": "hac", "C4": "how many clusters",
    "C5": "local and distributed", "C6": "select", "C7": "pca", "C8": "linear-ae", "C9": "nmf",
    "C10": "ica, sparse-coding", "C11": "mf, the worked example", "C12": "mf on ratings", "C13": "densities",
    "C14": "random-projection", "A1": "deep-ae", "A2": "deep-ae as a space", "A3": "deep-ae on faces",
    "A4": "semantic-hash on pictures", "A5": "pretrained-dnn", "A6": "denoising-ae", "A7": "conv-ae",
    "A8": "unet-ae, fpn-ae", "A9": "sparse, contractive, tied", "A10": "vae", "A11": "two numbers", "A12": "throughput",
    "X1": "deep-infomax", "X1b": "the discriminator as a measure", "X1c": "the autoencoder as its special case",
    "X2": "disentangle", "X2b": "voice conversion", "X3": "gan", "X4": "anomaly detection",
    "X4b": "conformal thresholds", "X5": "compression", "X5b": "lossless compression", "X6": "generation",
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One thing that is asked of a method.

    Attributes
    ----------
    id : str
        Of `METHODS`.
    asked : str
    read : callable
        Returns the measured figure; raises KeyError, TypeError, IndexError or ValueError where there is none.
    wanted : float
    at_least : bool
    note : str
        What the figure does not say by itself.
    """

    id: str
    asked: str
    read: Callable[[], float]
    wanted: float
    at_least: bool = True
    note: str = ""

    def measured(self) -> float | None:
        """Return the figure, or None where it was not measured."""
        try:
            return float(self.read())
        except (KeyError, TypeError, IndexError, ValueError, StopIteration):
            return None


def figures(name: str) -> Any:
    """Return the figures of the last run of a script; raise TypeError where there is none."""
    run = latest(name)
    return run["figures"]  # type: ignore[index]


def text(corpus: str, spec: str, measure: str = "nDCG@10") -> float:
    return float(figures("text_retrieval")["corpora"][corpus]["spaces"][spec][measure])


def sentences() -> float:
    spaces = figures("text_retrieval")["corpora"]["scifact"]["spaces"]
    return float(next(row["nDCG@10"] for spec, row in spaces.items() if spec.startswith("sbert")))


def news(part: str) -> float:
    found = figures("newsgroups")
    width = int(part)
    spec = next(spec for size, spec, _ in found["duels"] if size == width and spec.startswith("bow:2000"))
    return float(found["spaces"][spec]["P@10"])


def news_rival(width: int, words: str) -> float:
    return float(figures("newsgroups")["spaces"][f"{words}+lsa:{width}"]["P@10"])


def auto(method: str, size: int, figure: str) -> float:
    runs = over_seeds("autoencoders", "method", "size")
    return float(next(one[figure] for one in runs if one["method"] == method and one["size"] == size))


def mnist(figure: str) -> float:
    run = averaged("mnist")
    return float(run["figures"]["spaces"][run["figures"]["autoencoder"]][figure])  # type: ignore[index]


def mnist_rival(spec: str, figure: str) -> float:
    return float(averaged("mnist")["figures"]["spaces"][spec][figure])  # type: ignore[index]


def hashing(spec: str, figure: str = "P@100") -> float:
    return float(averaged("image_hashing")["figures"]["spaces"][spec][figure])  # type: ignore[index]


def shortlist(bits: str, figure: str) -> float:
    rows = averaged("image_hashing")["figures"]["shortlists"]  # type: ignore[index]
    return float(next(row[figure] for row in rows if row["share"] == 0.05 and row["bits"] == bits))


def text_bits() -> float:
    return float(averaged("text_hashing")["figures"]["spaces"]["semantic hash, 32 bits"]["P@100"])  # type: ignore[index]


def face_shares() -> list[float]:
    """Return the error of the code over that of PCA, one for each choice of people."""
    by: dict[int, dict[str, list[float]]] = {}
    for one in figures("faces")["runs"]:
        by.setdefault(one["split"], {}).setdefault(one["spec"].partition(":")[0], []).append(one["error"])
    return [statistics.fmean(found["deep-ae"]) / statistics.fmean(found["pca"]) for found in by.values()]


def classifier(labels: int, start: str) -> float:
    runs = latest_of_each("pretraining", "labels", "start", "seed")
    found = [one["figures"] for one in runs]
    return statistics.fmean(one["error"] for one in found if one["labels"] == labels and one["start"] == start)


def cleaning(name: str, what: str) -> float:
    return float(averaged(f"denoising_{name}")["figures"]["cleaners"][what]["psnr"])  # type: ignore[index]


def hidden(data: str, codes: str) -> float:
    found = figures("factorization")[data]["missing"]
    return float(found[codes] / found["all_seen"])


def decibels(method: str, size: int) -> float:
    from math import log10

    return 10 * log10(auto("pca", size, "test_error") / auto(method, size, "test_error"))


def targets() -> Iterator[Target]:
    """Yield what is asked of the methods."""
    yield from text_targets()
    yield from classical_targets()
    yield from autoencoder_targets()


def text_targets() -> Iterator[Target]:
    """Yield T1 to T8."""
    for corpus, wanted in TEXTS.items():
        yield Target("T1", f"{corpus}: nDCG@10", lambda corpus=corpus: text(corpus, "bm25"), wanted)  # type: ignore[misc]
    yield Target("T2", "scifact: nDCG@10", lambda: text("scifact", "tfidf"), 0.63)
    for width, wanted in ((128, 0.389), (500, 0.550), (1000, 0.619)):
        spec = f"{STEMMED}+lsa:{width}"
        yield Target("T3", f"scifact: nDCG@10, {width} numbers", lambda spec=spec: text("scifact", spec), wanted)  # type: ignore[misc]
    widest = f"{STEMMED}+lsa:1000"
    yield Target("T3", "scifact: R@100, 1,000 numbers", lambda: text("scifact", widest, "R@100"), 0.876)
    for words in ("bow:2000,stop=english", "tfidf:2000,stop=english", "tfidf:stop=english"):
        for width, times, more in ((10, 1.3, 0.0), (128, 1.0, 0.03)):
            rival = _or_nan(lambda words=words, width=width: news_rival(width, words))  # type: ignore[misc]
            asked = f"20newsgroups: P@10 of {width} numbers from 2,000 counts, beside `{words}+lsa:{width}`"
            yield Target("T4", asked, lambda width=width: news(str(width)), times * rival + more)  # type: ignore[misc]
    yield Target("T5", "scifact: nDCG@10 of 128 numbers", lambda: text("scifact", f"{STEMMED}+lsa:128"), 0.45,
                 note="LSA; the deep code has less")  # fmt: skip
    yield Target("T5", "scifact: nDCG@10 of 512 numbers", lambda: text("scifact", f"{STEMMED}+lsa:512"), 0.60,
                 note="LSA")  # fmt: skip
    yield Target("T5", "scifact: nDCG@10 of bm25 and the code fused, above bm25",
                 lambda: figures("hybrid")["scifact"]["gain"], 0.01)  # fmt: skip
    yield Target("T6", "20newsgroups, headers removed: P@100 of 32 bits", text_bits, 0.60, note="no label is used")
    yield Target("T6", "20newsgroups, headers kept, 10,000 words: P@100 of 32 bits",
                 lambda: figures("text_hashing_headers")["P@100"], 0.50)  # fmt: skip
    yield Target("T7", "scifact: nDCG@10 of all-MiniLM-L6-v2, away from .645", lambda: abs(sentences() - 0.645), 0.005,
                 False)  # fmt: skip
    for corpus in ("cranfield", "npl"):
        found = _or_nan(lambda corpus=corpus: figures("tsdae")["corpora"][corpus]["start"]["nDCG@10"])  # type: ignore[misc]
        yield Target("T8", f"{corpus}: nDCG@10 above its start",
                     lambda corpus=corpus: figures("tsdae")["corpora"][corpus]["tsdae"]["nDCG@10"], found)  # type: ignore[misc]  # fmt: skip


def classical_targets() -> Iterator[Target]:
    """Yield C1 to C14."""

    def kmeans(whose: str, key: str) -> float:
        return float(figures("clustering")["kmeans"][whose][key][0])

    yield Target("C1", "mnist: NMI, above scikit-learn's less .01", lambda: kmeans("nearby", "NMI"),
                 _or_nan(lambda: kmeans("scikit-learn", "NMI")) - 0.01)  # fmt: skip
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
        race = _or_nan(
            lambda data=data: max(statistics.fmean(one["ratio"]) for one in figures("factorization")[data]["race"])
        )  # type: ignore[misc]
        yield Target("C9", f"{data}: objective after scikit-learn's time, ratio", lambda race=race: race, 1.0, False)  # type: ignore[misc]
        yield Target("C9", f"{data}: a fifth hidden, codes from the seen entries alone, error on all, ratio",
                     lambda data=data: hidden(data, "a_fifth_hidden"), 1.01, False)  # type: ignore[misc]  # fmt: skip
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
            least = _or_nan(lambda rival=rival, measure=measure: mnist_rival(rival, measure))  # type: ignore[misc]
            yield Target("A2", f"mnist: {measure} of 30 numbers above {rival}",
                         lambda measure=measure: mnist(measure), least)  # type: ignore[misc]  # fmt: skip
    yield Target("A3", "orl-faces: largest share of PCA's error over the choices of people", lambda: max(face_shares()),
                 0.90, False, _face_note())  # fmt: skip
    yield Target("A4", "cifar10: P@100 of 256 bits of pixels", lambda: hashing("256 bits"), 0.30,
                 note="bits of patch codes: see the table")  # fmt: skip
    for bits, name in (("", "pixels"), ("patches, ", "patch codes")):
        yield Target("A4", f"28 bits of {name}, then 256, 5 % scanned: share of the full scan's 100 answers kept",
                     lambda bits=bits: shortlist(bits, "answers_kept"), 0.90)  # type: ignore[misc]  # fmt: skip
    yield Target("A5", "mnist: error with all labels", lambda: classifier(60_000, "layer by layer"), 0.011, False,
                 "3 seeds; pictures shifted by a pixel in training")  # fmt: skip
    yield Target("A5", "mnist: share of errors fewer than from random weights, 1,000 labels",
                 lambda: 1 - classifier(1000, "layer by layer") / classifier(1000, "random"), 0.25)  # fmt: skip
    yield Target("A6", "mnist: gain in PSNR at σ = .5, dB",
                 lambda: cleaning("mnist", "denoising-ae") - averaged("denoising_mnist")["figures"]["before"], 9.0)  # type: ignore[index]  # fmt: skip
    yield Target("A6", "mnist: error after fine-tuning", lambda: classifier(60_000, "layer by layer"), 0.011, False)
    for up in ("deconvolution", "repetition"):
        yield Target("A7", f"mnist, 30 numbers: PSNR of {up} above PCA, dB",
                     lambda up=up: decibels(f"conv, {up}", 30), 0.5)  # type: ignore[misc]  # fmt: skip
    yield Target("A7", "cifar10: PSNR above PCA of equal size, dB", lambda: figures("conv_cifar10")["gain"], 0.5)
    yield Target("A8", "cifar10: PSNR of unet-ae above the same network without paths, dB",
                 lambda: cleaning("cifar10", "unet-ae") - cleaning("cifar10", "no paths"), 2.0)  # fmt: skip
    yield Target("A8", "cifar10: PSNR of fpn-ae above the same network without paths, dB",
                 lambda: cleaning("cifar10", "fpn-ae") - cleaning("cifar10", "fpn-ae, no paths"), 2.0)  # fmt: skip
    for method in ("sparse, KL", "contractive", "deep, tied"):
        least = _or_nan(lambda: auto("deep", 30, "P@10"))
        yield Target("A9", f"mnist, 30 numbers: P@10 of {method} above plain",
                     lambda method=method: auto(method, 30, "P@10"), least)  # type: ignore[misc]  # fmt: skip
    yield Target("A10", "mnist, binarised: nats, all 10,000 test pictures", _likelihood, 87.0, False, _pictures())
    yield Target("A11", "mnist, two numbers: accuracy of 15 neighbours, ten minutes",
                 lambda: auto("deep, wide, ten minutes", 2, "accuracy"), 0.95)  # fmt: skip
    yield Target("A12", "training beside a plain loop, least ratio",
                 lambda: min(row["ratio"] for row in figures("throughput")["methods"].values()), 1.5)  # fmt: skip


def _likelihood() -> float:
    return float(min(over_seeds("likelihood", "spec"), key=lambda one: one["bound"])["nll"])


def _pictures() -> str:
    count = _or_nan(lambda: min(over_seeds("likelihood", "spec"), key=lambda one: one["bound"])["pictures"])
    return "" if count == 10_000 else f"the first {count:,.0f} only"


def _face_note() -> str:
    try:
        shares = face_shares()
    except (KeyError, TypeError):
        return ""
    return f"mean {statistics.fmean(shares):.3f}, least {min(shares):.3f} of {len(shares)} choices"


def _or_nan(read: Callable[[], float]) -> float:
    try:
        return float(read())
    except (KeyError, TypeError, IndexError, ValueError, StopIteration):
        return float("nan")


#: What a method shows that is no figure to reach: where it stands.
SHOWN = {
    "C5": "a table and a picture in `nearby analyze`", "C10": "rows of the classical table",
    "C13": "rows of the classical table; equality with scikit-learn is a test",
    "C14": "a row of every classical table",
}  # fmt: skip


def method_rows(page: Page) -> list[list[Any]]:
    """Return one row a target, in the order of the methods; each method has at least one."""
    by_id: dict[str, list[Target]] = {}
    for target in targets():
        by_id.setdefault(target.id, []).append(target)
    rows: list[list[Any]] = []
    for id, method in METHODS.items():
        for target in by_id.get(id, []):
            rows.append(_row(page, id, method, target))
        if id not in by_id:
            rows.append([id, method, SHOWN.get(id, "not built yet"), "–", "–", "shown" if id in SHOWN else "open"])
    return rows


def _row(page: Page, id: str, method: str, target: Target) -> list[Any]:
    measured = target.measured()
    asked = f"{target.asked} ({target.note})" if target.note else target.asked
    if measured is None or target.wanted != target.wanted:
        return [id, method, asked, "–", "–", "**not measured**"]
    told = len(page.missed)
    *_, wanted, verdict = page.target(asked, measured, target.wanted, target.at_least)
    del page.missed[told:]  # the sections below name it again
    return [id, method, asked, measured, wanted, verdict]
