"""Anomalies among the items that a detector learns from: what `--contaminated` saves, and what it costs.

The same normal items are fitted on four times: alone (clean), with 1, 5 or 10 % anomalies among them as if there were
none (naive), with ``--contaminated`` and the true share, and with ``--contaminated`` without a share. All are tested on
other normal items and other anomalies: share of anomalies found, false alarms, and AUROC, which no threshold moves.

PyOD's detectors, the L2 norm and an untrained network have the same chances: the same items, the same items held out,
and the same two ways to leave strange items out, by their own scores. PyOD's detectors are measured with their own
threshold too, once with the true share as ``contamination``, once with the default.

Run: ``NEARBY_DATA=... python benchmarks/contamination.py [CASE ...] [seed=N ...]``
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyod_scores import scores_of
from record import nothing_else, record, say, seeds_of, timed

from encoders.codes import Modality
from encoders.progress import quiet
from encoders.registry import create
from retrieval.applications.anomaly import conformal
from retrieval.applications.anomaly.baselines import untrained
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.given import GivenItems
from retrieval.applications.anomaly.parts import HELD_OUT, TRAINING, UNUSED, ids_and_digests, read_labels, split
from retrieval.applications.anomaly.trimming import trimmed
from retrieval.corpora.base import Corpus
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.detection_measures import measured

Floats = NDArray[np.float64]
SHARES = (0.01, 0.05, 0.1)
#: The most items of each part.
TRAINING_ITEMS, TESTED = 3_000, 3_000
#: Share of the normal items, and of the anomalies, that are tested.
TEST = 0.4
#: The share that PyOD's detectors assume where none is given.
PYOD_SHARE = 0.1


class Case(NamedTuple):
    """A table: where it is read, what is normal, the false alarms asked."""

    open: Callable[[], Corpus]
    normal: str
    rate: float  # 1 % needs 99 held-out items


CASES = {
    "wdbc": Case(lambda: open_corpus("breast-cancer"), "benign", 0.05),
    "kddcup99": Case(lambda: open_corpus("kddcup99"), "normal", 0.01),
    "paysim": Case(lambda: open_corpus("paysim"), "0", 0.01),
}
NETWORK = "columns+deep-ae:16-8,epochs=30,batch-size=64"
SPECS = ("columns+pca:10", "columns+gaussian:0.1", NETWORK)


class Parts(NamedTuple):
    """Contents of items: normal and anomalous, to fit on and to test."""

    normal: list[Any]
    anomalies: list[Any]
    tested_normal: list[Any]
    tested_anomalies: list[Any]

    @property
    def tested(self) -> tuple[list[Any], list[Any]]:
        """Normal items and anomalies that no fit has seen."""
        return self.tested_normal, self.tested_anomalies


class Judged(NamedTuple):
    """What a detector says of tested items: normal ones and anomalies."""

    scores: tuple[Floats, Floats]
    flagged: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    left_out: float

    def figures(self) -> dict[str, float]:
        normal, strange = self.scores
        anomalous = np.arange(len(normal) + len(strange)) >= len(normal)
        (both,) = measured([np.append(normal, strange)], anomalous, rounds=2)
        alarms, found = (float(part.mean()) for part in self.flagged)
        return {"found": found, "alarms": alarms, "AUROC": both["AUROC"].value, "left_out": self.left_out}


class Detector(NamedTuple):
    """A detector to be measured.

    Attributes
    ----------
    judge : callable
        Items to fit on, and what is said of them (a share of anomalies, ``auto``, or 0 for clean) -> what it says of
        the tested items.
    judge_by_own_threshold : callable, optional
        The same for a share, of a detector that has a threshold of its own.
    """

    judge: Callable[[list[Any], float | str], Judged]
    judge_by_own_threshold: Callable[[list[Any], float], Judged] | None = None


def main(*arguments: str) -> None:
    """Measure the cases asked for, or all."""
    seeds, words = seeds_of(arguments)
    nothing_else([word for word in words if word not in CASES])
    for name in words or CASES:
        for seed in seeds:
            measure(name, CASES[name], seed)


def measure(name: str, case: Case, seed: int) -> None:
    with timed() as taken:
        corpus = case.open()
        parts = drawn(corpus, case.normal, seed)
        found = {label: of_detector(label, one, parts, seed) for label, one in detectors(parts, case.rate, seed)}
    figures = {
        "case": name, "seed": seed, "rate": case.rate, "shares": list(SHARES), "spaces": found,
        **{part: len(items) for part, items in parts._asdict().items()}, "seconds": taken.value,
    }  # fmt: skip
    record("contamination", figures)


def drawn(corpus: Corpus, normal: str, seed: int) -> Parts:
    """Draw the parts at random, in one pass over the corpus."""
    is_normal = read_labels(corpus, (normal,)).normal
    rng = np.random.default_rng(seed)
    rows = []
    most_anomalies = int(TRAINING_ITEMS * SHARES[-1] / (1 - SHARES[-1])) + 1
    for chosen, most in ((is_normal, TRAINING_ITEMS), (~is_normal, most_anomalies)):
        order = rng.permutation(np.flatnonzero(chosen))
        tested = round(TEST * len(order))
        rows.append((order[tested:][:most], order[:tested][:TESTED]))
    wanted = {int(row) for pair in rows for part in pair for row in part}
    contents = {row: item.content for row, item in enumerate(corpus) if row in wanted}
    (normal_rows, tested_normal), (anomalous_rows, tested_anomalous) = rows
    parts = (normal_rows, anomalous_rows, tested_normal, tested_anomalous)
    return Parts(*([contents[int(row)] for row in part] for part in parts))


def detectors(parts: Parts, rate: float, seed: int) -> list[tuple[str, Detector]]:
    """Return the spaces of nearby, the trivial detectors and PyOD's, by name."""
    blank = untrained(NETWORK)
    if blank is None:
        raise SystemExit(f"{NETWORK} has no network, so it has no untrained one")
    tables = Tables(parts, rate, seed)
    makers: dict[str, Callable[[], Any]] = {"L2 norm of columns": Length, **pyod_makers(seed)}
    return [
        *((spec, of_space(spec, parts, rate, seed)) for spec in SPECS),
        (f"untrained {NETWORK}", of_space(blank, parts, rate, seed)),
        *((name, tables.detector(make)) for name, make in makers.items()),
    ]


def pyod_makers(seed: int) -> dict[str, Callable[[], Any]]:
    from pyod.models.ecod import ECOD
    from pyod.models.hbos import HBOS
    from pyod.models.iforest import IForest
    from pyod.models.knn import KNN
    from pyod.models.lof import LOF
    from pyod.models.mcd import MCD
    from pyod.models.ocsvm import OCSVM

    return {
        "PyOD IForest": lambda: IForest(random_state=seed), "PyOD HBOS": HBOS, "PyOD ECOD": ECOD, "PyOD kNN": KNN,
        "PyOD LOF": lambda: LOF(novelty=True), "PyOD OCSVM": OCSVM,
        "PyOD Mahalanobis (MCD)": lambda: MCD(random_state=seed),
    }  # fmt: skip


class Length:
    """The length of a row, as a detector that learns nothing."""

    def fit(self, rows: Floats) -> None:
        """Learn nothing."""

    def decision_function(self, rows: Floats) -> Floats:
        """Return the L2 norm of each row."""
        return np.asarray(np.linalg.norm(rows, axis=1))


def of_detector(label: str, detector: Detector, parts: Parts, seed: int) -> dict[str, Any]:
    """Measure one detector: clean, and at each share naive, with the share, and without it."""

    def fit(anomalies: int, contaminated: float | str = 0.0) -> dict[str, float]:
        return detector.judge(mixed(parts, anomalies, seed), contaminated).figures()

    own = detector.judge_by_own_threshold
    found: dict[str, Any] = {"clean": fit(0), "clean, auto": fit(0, "auto")}
    if own:
        found["clean, own, default"] = own(mixed(parts, 0, seed), PYOD_SHARE).figures()
    for share in SHARES:
        anomalies = round(share / (1 - share) * len(parts.normal))
        if anomalies > len(parts.anomalies):
            raise SystemExit(f"{share:.0%} need {anomalies:,} anomalies, {len(parts.anomalies):,} are left to fit on")
        kinds: dict[str, float | str] = {"naive": 0.0, "share": share, "auto": "auto"}
        made = {kind: fit(anomalies, asked) for kind, asked in kinds.items()}
        if own:
            items = mixed(parts, anomalies, seed)
            made |= {"own": own(items, share).figures(), "own, default": own(items, PYOD_SHARE).figures()}
        found[f"{share:.0%}"] = made
        say(label, f"{share:.0%}", made)
    return found


def mixed(parts: Parts, anomalies: int, seed: int) -> list[Any]:
    """Return the normal items with some anomalies among them, so that no part of the file is cleaner than another."""
    items = [*parts.normal, *parts.anomalies[:anomalies]]
    return [items[row] for row in np.random.default_rng(seed).permutation(len(items))]


def of_space(spec: str, parts: Parts, rate: float, seed: int) -> Detector:
    def judge(items: list[Any], contaminated: float | str) -> Judged:
        data = GivenItems(items, Modality.ROW)
        detector = AnomalyDetector.fit(data, spec, contaminated=contaminated, seed=seed)
        scores = detector.score(parts.tested_normal), detector.score(parts.tested_anomalies)
        normal, strange = (detector.p_values_of(part) <= rate for part in scores)
        return Judged(scores, (normal, strange), detector.record.contaminated)

    return Detector(judge)


class Tables:
    """Rows of a table as codes of `columns`, for detectors that read matrices, in the protocol of `AnomalyDetector`."""

    def __init__(self, parts: Parts, rate: float, seed: int) -> None:
        self.parts, self.rate, self.seed = parts, rate, seed

    def detector(self, make: Callable[[], Any]) -> Detector:
        """Return a detector; one of PyOD has a threshold of its own."""
        own = partial(self._by_own_threshold, make) if hasattr(make(), "contamination") else None
        return Detector(partial(self._judged, make), own)

    def _judged(self, make: Callable[[], Any], items: list[Any], contaminated: float | str) -> Judged:
        corpus = GivenItems(items, Modality.ROW)
        labelled = read_labels(corpus)
        uses, left_out = split(labelled.normal, 0.2, seed=self.seed, groups=labelled.groups), 0.0

        def scores_of_halves(halves: NDArray[np.uint8], fitted: NDArray[np.uint8]) -> Sequence[Floats]:
            scores = np.zeros(len(items))
            for own, other in ((TRAINING, HELD_OUT), (HELD_OUT, TRAINING)):
                scored = np.flatnonzero(halves == other)
                scores[scored] = self._fitted(make(), _picked(items, fitted == own), _picked(items, halves == other))[0]
            return [scores[halves != UNUSED]]

        if contaminated:
            digests = ids_and_digests(corpus)[1]
            uses, left_out = trimmed(uses, labelled.groups, digests, contaminated, scores_of_halves, self.seed, quiet)
        held = uses == HELD_OUT
        training, calibration = _picked(items, uses == TRAINING), _picked(items, held)
        known, *scores = self._fitted(make(), training, calibration, *self.parts.tested)
        distinct = len(np.unique(labelled.groups[held]))
        normal, strange = (conformal.p_values(known, part, distinct=distinct) <= self.rate for part in scores)
        return Judged((scores[0], scores[1]), (normal, strange), left_out)

    def _by_own_threshold(self, make: Callable[[], Any], items: list[Any], share: float) -> Judged:
        """Judge as PyOD does: all items are fitted on, and the share sets the threshold."""
        detector = make().set_params(contamination=share)
        scores = self._fitted(detector, items, *self.parts.tested)
        normal, strange = (part > detector.threshold_ for part in scores)
        return Judged((scores[0], scores[1]), (normal, strange), 0.0)

    @staticmethod
    def _fitted(detector: Any, training: list[Any], *scored: list[Any]) -> list[Floats]:
        """Fit on rows, and return the scores of others."""
        reader = create("columns").fit(training)
        detector.fit(np.asarray(reader.encode(training), np.float64))
        codes = [np.asarray(reader.encode(part), np.float64) for part in scored]
        return [np.nan_to_num(part) for part in scores_of(detector, len(training), *codes)]


def _picked(items: list[Any], chosen: NDArray[np.bool_]) -> list[Any]:
    return [items[row] for row in np.flatnonzero(chosen).tolist()]


if __name__ == "__main__":
    main(*sys.argv[1:])
