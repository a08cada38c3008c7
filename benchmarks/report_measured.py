"""Single figures of the last runs, for the targets: each function reads one."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from record import averaged, latest, latest_of_each, over_seeds


def figures(name: str) -> Any:
    """Return the figures of the last run of a script; raise TypeError where there is none."""
    run = latest(name)
    return run["figures"]


def infomax(layer: str, key: str) -> float:
    return float(averaged("infomax")["figures"]["trained"][layer][key])


def generation(method: str, key: str) -> float:
    return float(averaged("generation")["figures"]["methods"][method][key])


def disentangling(*path: str) -> float:
    value: Any = averaged("disentangling")["figures"]
    for step in path:
        value = value[step]
    return float(value)


def strongest(part: str, what: str) -> float:
    """Return the accuracy of the fresh classifier that reads most."""
    return max(disentangling("disentangle", part, what, probe) for probe in ("linear", "MLP", "kNN"))


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
    return float(run["figures"]["spaces"][run["figures"]["autoencoder"]][figure])


def mnist_rival(spec: str, figure: str) -> float:
    return float(averaged("mnist")["figures"]["spaces"][spec][figure])


def hashing(spec: str, figure: str = "P@100") -> float:
    return float(averaged("image_hashing")["figures"]["spaces"][spec][figure])


def shortlist(bits: str, figure: str) -> float:
    rows = averaged("image_hashing")["figures"]["shortlists"]
    return float(next(row[figure] for row in rows if row["share"] == 0.05 and row["bits"] == bits))


def text_bits() -> float:
    return float(averaged("text_hashing")["figures"]["spaces"]["semantic hash, 32 bits"]["P@100"])


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
    return float(averaged(f"denoising_{name}")["figures"]["cleaners"][what]["psnr"])


def hidden(data: str, codes: str) -> float:
    found = figures("factorization")[data]["missing"]
    return float(found[codes] / found["all_seen"])


def decibels(method: str, size: int) -> float:
    from math import log10

    return 10 * log10(auto("pca", size, "test_error") / auto(method, size, "test_error"))


def best_likelihood() -> dict[str, Any]:
    """Return the run with the best bound on held-out pictures, of those that were measured on most test pictures."""
    runs = over_seeds("likelihood", "spec")
    most = max(one["pictures"] for one in runs)
    return min((one for one in runs if one["pictures"] == most), key=lambda one: one["bound"])


def likelihood() -> float:
    return float(best_likelihood()["nll"])


def pictures_note() -> str:
    count = or_nan(lambda: best_likelihood()["pictures"])
    return "" if count == 10_000 else f"the first {count:,.0f} only"


def face_note() -> str:
    try:
        shares = face_shares()
    except (KeyError, TypeError):
        return ""
    return f"mean {statistics.fmean(shares):.3f}, least {min(shares):.3f} of {len(shares)} choices"


def or_nan(read: Callable[[], float]) -> float:
    try:
        return float(read())
    except (KeyError, TypeError, IndexError, ValueError, StopIteration):
        return float("nan")
