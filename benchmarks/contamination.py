"""Anomalies among the items that a detector learns from: what `--contaminated` saves, and what it costs.

The same normal items are fitted on four times: alone (clean), with 1, 5 or 10 % anomalies among them as if there were
none (naive), with ``--contaminated`` and the true share, and with ``--contaminated`` without a share. All are tested on
other normal items and other anomalies: share of anomalies found, false alarms, and AUROC, which no threshold moves.

Run: ``NEARBY_DATA=... python benchmarks/contamination.py [CASE ...] [seed=N ...]``
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from record import nothing_else, record, say, seeds_of, timed

from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.given import GivenItems
from retrieval.applications.anomaly.parts import read_labels
from retrieval.corpora.base import Corpus
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.detection_measures import measured

SHARES = (0.01, 0.05, 0.1)
#: The most items of each part.
TRAINING, TESTED = 3_000, 3_000
#: Share of the normal items, and of the anomalies, that are tested.
TEST = 0.4


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
SPECS = ("columns+pca:10", "columns+gaussian:0.1")


class Parts(NamedTuple):
    """Contents of items: normal and anomalous, to fit on and to test."""

    normal: list[Any]
    anomalies: list[Any]
    tested_normal: list[Any]
    tested_anomalies: list[Any]


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
        spaces = {spec: of_space(corpus, spec, parts, case.rate, seed) for spec in SPECS}
    figures = {
        "case": name, "seed": seed, "rate": case.rate, "shares": list(SHARES), "spaces": spaces,
        **{part: len(items) for part, items in parts._asdict().items()}, "seconds": taken.value,
    }  # fmt: skip
    record("contamination", figures)


def drawn(corpus: Corpus, normal: str, seed: int) -> Parts:
    """Draw the parts at random, in one pass over the corpus."""
    is_normal = read_labels(corpus, (normal,)).normal
    rng = np.random.default_rng(seed)
    rows = []
    for chosen, most in ((is_normal, TRAINING), (~is_normal, int(TRAINING * SHARES[-1] / (1 - SHARES[-1])) + 1)):
        order = rng.permutation(np.flatnonzero(chosen))
        tested = round(TEST * len(order))
        rows.append((order[tested:][:most], order[:tested][:TESTED]))
    wanted = {int(row) for pair in rows for part in pair for row in part}
    contents = {row: item.content for row, item in enumerate(corpus) if row in wanted}
    (normal_rows, tested_normal), (anomalous_rows, tested_anomalous) = rows
    parts = (normal_rows, anomalous_rows, tested_normal, tested_anomalous)
    return Parts(*([contents[int(row)] for row in part] for part in parts))


def of_space(corpus: Corpus, spec: str, parts: Parts, rate: float, seed: int) -> dict[str, Any]:
    """Measure one space: clean, and at each share naive, with the share, and without it."""

    def fit(anomalies: int, contaminated: float | str = 0.0) -> dict[str, float]:
        items = [*parts.normal, *parts.anomalies[:anomalies]]
        order = np.random.default_rng(seed).permutation(len(items))  # no part of the file is cleaner than another
        data = GivenItems([items[row] for row in order], corpus.modality)
        return tested(AnomalyDetector.fit(data, spec, contaminated=contaminated, seed=seed), parts, rate)

    found: dict[str, Any] = {"clean": fit(0), "clean, auto": fit(0, "auto")}
    for share in SHARES:
        anomalies = round(share / (1 - share) * len(parts.normal))
        if anomalies > len(parts.anomalies):
            raise SystemExit(f"{share:.0%} need {anomalies:,} anomalies, {len(parts.anomalies):,} are left to fit on")
        kinds: dict[str, float | str] = {"naive": 0.0, "share": share, "auto": "auto"}
        found[f"{share:.0%}"] = {kind: fit(anomalies, asked) for kind, asked in kinds.items()}
        say(spec, f"{share:.0%}", found[f"{share:.0%}"])
    return found


def tested(detector: AnomalyDetector, parts: Parts, rate: float) -> dict[str, float]:
    normal, strange = detector.score(parts.tested_normal), detector.score(parts.tested_anomalies)
    anomalous = np.arange(len(normal) + len(strange)) >= len(normal)
    (both,) = measured([np.append(normal, strange)], anomalous, rounds=2)
    return {
        "found": float((detector.p_values_of(strange) <= rate).mean()),
        "alarms": float((detector.p_values_of(normal) <= rate).mean()),
        "AUROC": both["AUROC"].value,
        "left_out": detector.record.contaminated,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
