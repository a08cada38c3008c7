"""Expected measures beside the mean over random orders, and beside what other tools find in the runs that we write.

Orders: a space of 16 bits, where hundreds of documents share a score. The positions of the relevant documents are drawn
10,000 times within their groups of equal scores, and the measures are computed from the positions alone; the mean is
compared with the closed forms of `expected_measures`. Tools: ir_measures, ranx and pytrec_eval read the TREC files that
`compare -o` writes.

Run: ``python benchmarks/tie_orders.py [CORPUS ...]``
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from record import latest, record, say, timed

from encoders.registry import create
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import compare, run_space
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Comparison
from retrieval.experiment.score import score_run
from retrieval.experiment.trec_files import qrels_of, write_trec_files

CORPORA = ("cranfield", "cisi", "npl", "scifact")
TIED, ORDERS = "tfidf+lsa:16+binarize", 10_000
#: A space without equal scores, and one with a few: other tools order equal scores by document id.
WRITTEN = ("tfidf+lsa:64", "bm25")
MEASURES = ("nDCG@10", "AP", "RR@10", "R@100")
Floats = NDArray[np.float64]


def main(*names: str) -> None:
    """Measure the named corpora, by default all four; the others keep their last figures."""
    before = latest("tie_orders")
    corpora = before["figures"]["corpora"] if before is not None else {}
    for name in names or CORPORA:
        corpus = open_corpus(str(Path(os.environ["NEARBY_DATA"]) / "beir" / name))
        with timed() as taken:
            orders = random_orders(corpus)
            comparison = compare(corpus, WRITTEN, examples=0)
            corpora[name] = {"orders": orders, "tools": tools(comparison)}
        say(name, corpora[name], f"{taken.value:.0f} s")
        record("tie_orders", {"orders": ORDERS, "space": TIED, "corpora": corpora})


def random_orders(corpus: Any) -> dict[str, Any]:
    """Return, for every measure, the expected value, the mean over random orders, worst and best."""
    query_set = QuerySet.of(corpus)
    run = run_space(corpus, query_set, create(TIED), "exact")
    found = score_run(query_set, run)
    every = run.index.search_rows(run.queries, len(query_set.ids))
    rng = np.random.default_rng(0)
    row_of, qrels = {identity: row for row, identity in enumerate(query_set.ids)}, qrels_of(query_set)
    drawn = []
    for query, scores, rows in zip(query_set.queries, every.scores, every.rows, strict=True):
        grades = {row_of.get(document, -1): grade for document, grade in qrels[query.id].items() if grade > 0}
        drawn.append(
            of_one_query(rng, scores, rows, grades, [grade for grade in qrels[query.id].values() if grade > 0])
        )
    means = {measure: np.array([one[measure] for one in drawn]) for measure in MEASURES}
    return {
        measure: {
            "expected": found.means[measure],
            "drawn": float(means[measure].mean()),
            "largest difference of a query": float(np.abs(means[measure] - found.per_query[measure]).max()),
            "worst": found.worst[measure],
            "best": found.best[measure],
        }
        for measure in MEASURES
    }


def of_one_query(
    rng: np.random.Generator, scores: Any, rows: Any, grades: dict[int, int], judged: list[int]
) -> dict[str, float]:
    """Return the means of the measures of one query over random orders, from the positions of the relevant alone."""
    place = {row: at for at, row in enumerate(rows.tolist()) if row in grades}
    groups: dict[tuple[int, int], list[int]] = {}
    for row, at in place.items():
        same = np.flatnonzero(scores == scores[at])
        groups.setdefault((int(same[0]), len(same)), []).append(grades[row])
    positions = [start + distinct(rng, size, len(members)) for (start, size), members in groups.items()]
    at = np.concatenate(positions, axis=1) if positions else np.zeros((ORDERS, 0), np.int64)
    gains = np.array([grade for members in groups.values() for grade in members], float)
    ideal = sum(grade / np.log2(rank + 2) for rank, grade in enumerate(sorted(judged, reverse=True)[:10]))
    first = at.min(axis=1, initial=10**9)
    ordered = np.sort(at, axis=1)
    precisions = np.where(ordered < 1000, np.arange(1, at.shape[1] + 1) / (ordered + 1), 0)
    return {
        "nDCG@10": float((np.where(at < 10, gains / np.log2(at + 2), 0).sum(axis=1) / ideal).mean()),
        "AP": float((precisions.sum(axis=1) / len(judged)).mean()),
        "RR@10": float(np.where(first < 10, 1 / (first + 1), 0).mean()),
        "R@100": float(((at < 100).sum(axis=1) / len(judged)).mean()),
    }


def distinct(rng: np.random.Generator, size: int, count: int) -> NDArray[np.int64]:
    """Return `count` different numbers below `size` in random order, (ORDERS, count), every choice equally likely."""
    chosen = np.zeros((ORDERS, 0), np.int64)
    taken = chosen
    for number in range(count):
        new = rng.integers(0, size - number, ORDERS)
        for column in range(number):  # `taken` is ascending: the new number skips those before it
            new = new + (new >= taken[:, column])
        chosen = np.column_stack([chosen, new])
        taken = np.sort(chosen, axis=1)
    return chosen


def tools(comparison: Comparison) -> dict[str, dict[str, float]]:
    """Return, for every space and tool, the largest difference between its means and those of the table."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_trec_files(comparison, Path(folder))
        runs = sorted(Path(folder).glob("*.run"))
        for path, space in zip(runs, comparison.spaces, strict=True):
            values = {name: tool(str(Path(folder) / "qrels"), str(path)) for name, tool in TOOLS.items()}
            found[space.spec] = {
                name: max(abs(theirs[measure] - space.measures[measure]) for measure in theirs)
                for name, theirs in values.items()
            }
    return found


def by_ir_measures(qrels: str, run: str) -> dict[str, float]:
    import ir_measures

    wanted = [ir_measures.parse_measure(measure) for measure in MEASURES]
    judged, answers = list(ir_measures.read_trec_qrels(qrels)), list(ir_measures.read_trec_run(run))
    return {str(measure): value for measure, value in ir_measures.calc_aggregate(wanted, judged, answers).items()}


def by_ranx(qrels: str, run: str) -> dict[str, float]:
    from ranx import Qrels, Run, evaluate

    names = {"nDCG@10": "ndcg@10", "AP": "map", "RR@10": "mrr@10", "R@100": "recall@100"}
    judged, answers = Qrels.from_file(qrels, kind="trec"), Run.from_file(run, kind="trec")
    found = evaluate(judged, answers, list(names.values()), make_comparable=True)
    return {measure: float(found[name]) for measure, name in names.items()}


def by_pytrec_eval(qrels: str, run: str) -> dict[str, float]:
    import pytrec_eval

    names = {"nDCG@10": "ndcg_cut_10", "AP": "map", "RR@10": "recip_rank", "R@100": "recall_100"}
    with open(qrels) as judged, open(run) as answers:
        evaluator = pytrec_eval.RelevanceEvaluator(pytrec_eval.parse_qrel(judged), set(names.values()))
        found = evaluator.evaluate(pytrec_eval.parse_run(answers)).values()
    values = {measure: np.array([one[name] for one in found]) for measure, name in names.items()}
    values["RR@10"] = np.where(values["RR@10"] >= 1 / 10, values["RR@10"], 0)  # trec_eval has no cutoff
    return {measure: float(one.mean()) for measure, one in values.items()}


TOOLS = {"ir_measures": by_ir_measures, "ranx": by_ranx, "pytrec_eval": by_pytrec_eval}


if __name__ == "__main__":
    main(*sys.argv[1:])
