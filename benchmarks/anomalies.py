"""Anomalies of tables and pictures: spaces of nearby beside PyOD's detectors, the L2 norm, and untrained networks.

All are fitted on the same normal items and tested on other normal items and all anomalies. AUROC and average precision
have 95 % bootstrap intervals. False alarms: the share of normal test items flagged at 1 % and 5 % by conformal p-values
(X4b), and by the quantile of the training scores. F1: with the threshold that flags the true number of anomalies, as
the literature on KDD99 does.

Run: ``NEARBY_DATA=... python benchmarks/anomalies.py [NAME ...] [seed=N ...]``
"""

from __future__ import annotations

import os
import re
import resource
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyod_scores import scores_of
from record import nothing_else, record, say, seeds_of, timed, with_seed

from encoders.codes import Modality
from encoders.registry import create
from retrieval.applications.anomaly import conformal
from retrieval.applications.anomaly.comparison import compare_detectors
from retrieval.applications.anomaly.detector_comparison import DetectorComparison
from retrieval.applications.anomaly.parts import HELD_OUT, TEST, TRAINING, Part, read_labels, split
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.detection_measures import measured

Floats = NDArray[np.float64]
RATES = (0.01, 0.05)
#: Rows that PyOD's slow detectors learn from.
SLOW = 5_000
_SEED = re.compile(r",seed=\d+")


class Case(NamedTuple):
    """A set of data: where it is read, what is normal, and the spaces."""

    open: Callable[[], Corpus]
    normal: tuple[str, ...] | None  # None: all labels but "normal", the majority of KDD99
    specs: tuple[str, ...]
    by_order: bool = False
    wanted: tuple[str, float] | None = None
    rate: float = 0.01  # 99 held-out items are needed for 1 %


def faces() -> Corpus:
    """Return faces, and the test pictures of CIFAR-10 in grey and of the same size."""
    data = os.environ["NEARBY_DATA"]
    options = "size=32x32&grey=true"
    others = open_corpus(f"{data}/cifar10/CIFAR-10-images-jpg.tar.gz?part=test&{options}")
    return Mixed(open_corpus(f"{data}/lfw-faces/lfw64.tar?{options}"), others, 10_000)


class Mixed(Corpus):
    """Two corpora of pictures; the label is the corpus."""

    def __init__(self, normal: Corpus, others: Corpus, limit: int) -> None:
        self.name, self.modality = "faces and CIFAR-10", Modality.IMAGE
        self._parts, self._limit = {"face": normal, "cifar10": others}, limit

    def __iter__(self) -> Iterator[Item]:
        for label, corpus in self._parts.items():
            for position, item in enumerate(corpus):
                if position >= self._limit:
                    break
                yield Item(f"{label} {item.id}", item.content, label=label)


TABLE = ("columns", "columns+pca:10", "columns+gaussian:0.1", "columns+deep-ae:64-32-8,epochs=30,minutes=1")
CASES: dict[str, Case] = {
    "wdbc": Case(
        lambda: open_corpus("breast-cancer"), ("benign",),
        ("columns", "columns+pca:10", "columns+gaussian:0.1", "columns+deep-ae:16-8,epochs=60,batch-size=64"),
        wanted=("AUROC", 0.97), rate=0.05,
    ),
    "kddcup99": Case(lambda: open_corpus("kddcup99"), None, TABLE[1:], wanted=("AUROC", 0.99)),
    "kddcup99, attacks found": Case(lambda: open_corpus("kddcup99"), ("normal",), TABLE[1:]),
    "kddcup99, by time": Case(lambda: open_corpus("kddcup99"), ("normal",), TABLE[1:], by_order=True),
    "faces": Case(
        faces, ("face",),
        ("pixels+pca:100", "pixels+pca:100+gaussian:0.001", "pixels+deep-ae:512-128-32,epochs=40,minutes=1"),
        wanted=("AUROC", 0.99),
    ),
    "paysim": Case(lambda: open_corpus("paysim"), ("0",), TABLE[1:]),
    "paysim, no balances": Case(
        lambda: open_corpus("paysim?balances=no"), ("0",), ("columns+pca:4", "columns+gaussian:0.1", TABLE[-1])
    ),
}  # fmt: skip


def main(*arguments: str) -> None:
    """Measure the cases asked for, or all."""
    seeds, words = seeds_of(arguments)
    chosen = [name for name in CASES if name in words or name.replace(" ", "-").replace(",", "") in words]
    nothing_else([word for word in words if word not in CASES and word not in {_short(name) for name in CASES}])
    for name in chosen or CASES:
        for seed in seeds:
            measure(name, CASES[name], seed)


def _short(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")


def measure(name: str, case: Case, seed: int) -> None:
    corpus = case.open()
    labels = read_labels(corpus).names
    normal = case.normal or tuple(label for label in labels if label != "normal")
    specs = [with_seed(spec, seed) for spec in case.specs]
    with timed() as taken:
        found = compare_detectors(
            corpus, specs, normal, by_order=case.by_order, false_alarms=case.rate, seed=seed, say=say
        )
    rows = {_SEED.sub("", one.name): _row(found, one.scores, one.p_values, one.score) for one in found.results}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    say("ours", taken.value, memory)
    rows |= peers(corpus, case, normal, found, seed)
    if name == "paysim":
        rows["amount == oldbalanceOrg"] = rule(corpus, normal, case, found, seed)
    for key, row in rows.items():
        say(key, {what: row[what] for what in ("AUROC", "AP", "F1")})
    figures = {
        "case": name, "seed": seed, "training": found.n_training, "held_out": found.n_held_out,
        "normal": found.n_normal, "anomalies": found.n_anomalies, "base_rate": found.base_rate, "rows": rows,
        "seconds": taken.value, "GiB": memory, "wanted": case.wanted, "by_order": case.by_order,
        "specs": list(case.specs), "small_parts": True,  # see pyod_scores
        "networks_differ": True,  # a seed chooses the weights at the start, too
    }  # fmt: skip
    record("anomalies", figures)


def _row(found: DetectorComparison, scores: Floats, p: Floats, kind: str) -> dict[str, Any]:
    (both,) = measured([scores], found.anomalous)
    row: dict[str, Any] = {"score": kind}
    for what in ("AUROC", "AP"):
        row[what], row[f"{what} interval"] = both[what].value, list(both[what].interval)
    limit = np.sort(scores)[::-1][found.n_anomalies - 1]
    flagged = scores >= limit
    hits = float((flagged & found.anomalous).sum())
    row["F1"] = 2 * hits / (flagged.sum() + found.n_anomalies)
    alarms = p[~found.anomalous]
    return {**row, **{f"alarms at {rate:.0%}": float((alarms <= rate).mean()) for rate in RATES}}


def peers(corpus: Corpus, case: Case, normal: tuple[str, ...], found: DetectorComparison, seed: int) -> dict[str, Any]:
    """Measure PyOD's detectors on the codes of the first stage, fitted and tested on the same items."""
    from pyod.models.ecod import ECOD
    from pyod.models.hbos import HBOS
    from pyod.models.iforest import IForest
    from pyod.models.knn import KNN
    from pyod.models.lof import LOF
    from pyod.models.mcd import MCD
    from pyod.models.ocsvm import OCSVM

    labelled = read_labels(corpus, normal)
    uses = split(labelled.normal, 0.2, 0.2, case.by_order, seed, labelled.groups)
    distinct = len(np.unique(labelled.groups[uses == HELD_OUT]))
    uses[~labelled.normal] = TEST
    reader = create(case.specs[0].split("+")[0]).fit(Part(corpus, uses, TRAINING).batches())
    train, held, test = (
        np.concatenate([reader.encode(batch.items) for batch in Part(corpus, uses, use).batches()])
        for use in (TRAINING, HELD_OUT, TEST)
    )
    few = np.random.default_rng(seed).permutation(len(train))[:SLOW]
    wide = train.shape[1] > 500
    detectors = {
        "IForest": (IForest(random_state=seed), train), "HBOS": (HBOS(), train), "ECOD": (ECOD(), train[few]),
        "kNN": (KNN(), train[few]), "LOF": (LOF(novelty=True), train[few]), "OCSVM": (OCSVM(), train[few]),
        **({} if wide else {"Mahalanobis (MCD)": (MCD(random_state=seed), train[few])}),
    }  # fmt: skip
    rows = {}
    for name, (detector, learnt) in detectors.items():
        with timed() as taken:
            detector.fit(learnt)
            calibration, scores = scores_of(detector, len(learnt), held, test)
        if not np.isfinite(scores).all():
            say(name, "has scores that are no numbers")
            continue
        p = conformal.p_values(calibration, scores, distinct=distinct)
        label = f"PyOD {name}" + (f", {len(learnt):,} rows" if len(learnt) < len(train) else "")
        rows[label] = {
            **_row(found, scores, p, "PyOD"), "fit_seconds": taken.value,
            **{f"quantile at {rate:.0%}": _quantile_alarms(detector, scores, found, rate) for rate in RATES},
        }  # fmt: skip
    return rows


def _quantile_alarms(detector: Any, scores: Floats, found: DetectorComparison, rate: float) -> float:
    """Return the false alarms of the usual threshold: a quantile of the scores of the training items themselves."""
    limit = np.quantile(detector.decision_scores_, 1 - rate)
    return float((scores[~found.anomalous] > limit).mean())


def rule(corpus: Corpus, normal: tuple[str, ...], case: Case, found: DetectorComparison, seed: int) -> dict[str, Any]:
    """Measure the trivial rule of PaySim: the amount is all that the account holds."""
    labelled = read_labels(corpus, normal)
    uses = split(labelled.normal, 0.2, 0.2, case.by_order, seed, labelled.groups)
    distinct = len(np.unique(labelled.groups[uses == HELD_OUT]))
    uses[~labelled.normal] = TEST
    tested, held = (np.array([float(_emptied(item)) for item in Part(corpus, uses, use)]) for use in (TEST, HELD_OUT))
    return _row(found, tested, conformal.p_values(held, tested, distinct=distinct), "rule")


def _emptied(item: Item) -> bool:
    row: Any = item.content
    return row["amount"] == row["oldbalanceOrg"] and row["type"] in ("TRANSFER", "CASH_OUT")


if __name__ == "__main__":
    main(*sys.argv[1:])
