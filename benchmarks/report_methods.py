"""The first table of docs/results.md: every target of every method, met, missed or not measured, by its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from record import latest
from report_target import Target
from report_targets import targets

if TYPE_CHECKING:
    from report_page import Page

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

#: What a method shows that is no figure to reach: where it stands.
SHOWN = {
    "C5": "a table and a picture in `nearby analyze`", "C10": "rows of the classical table",
    "C13": "rows of the classical table; equality with scikit-learn is a test",
    "C14": "a row of every classical table",
    "X1c": "a test: the gradients are those of deep-ae to 1e-5",
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
            rows.append([id, method, *_shown(id)])
    return rows


def _row(page: Page, id: str, method: str, target: Target) -> list[Any]:
    measured = target.measured()
    asked = f"{target.asked} ({target.note})" if target.note else target.asked
    if measured is None or target.wanted != target.wanted:
        return [id, method, asked, "–", "–", "**not measured**"]
    listed = len(page.missed)
    *_, wanted, verdict = page.target(asked, measured, target.wanted, target.at_least)
    del page.missed[listed:]  # the sections below name it again
    return [id, method, asked, measured, wanted, verdict]


#: What a method shows in a section below, if this script was run.
SECTIONS = {
    "X1b": ("criterion", "its order of spaces beside that of P@10"),
    "X6": ("generation", "one table of generators"),
}


def _shown(id: str) -> list[Any]:
    """Return the cells of a method that has no figure to reach."""
    if id in SECTIONS:
        script, text = SECTIONS[id]
        return [text, "–", "–", "shown" if latest(script) else "**not measured**"]
    return [SHOWN.get(id, "not built yet"), "–", "–", "shown" if id in SHOWN else "open"]
