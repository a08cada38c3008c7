"""Fusions of spaces in sentences, rows and JSON values, for the terminal, the page and ``--json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from retrieval.experiment.fusion import Combination, Fusion
from retrieval.report.signed import interval_ends, signed
from retrieval.report.verdict import listed

#: The head of the table, after the column of the spaces.
COLUMNS = ("best alone", "RRF", "convex", "optimism", "oracle", "weights")
#: A smaller optimism is not worth a warning.
VISIBLE_OPTIMISM = 0.0005
LEGEND = (
    "RRF: reciprocal rank fusion. convex: weighted sum of normalised scores, on queries that did not choose the "
    "weights. optimism: what it would gain falsely on those that did. oracle: the best space of each query."
)


def fusion_answer(fusion: Fusion) -> str:
    """Return what the fusion of all spaces gains over the best of them, and whether the queries show it."""
    found = fusion.whole
    low, high = signed_interval(found)
    spaces = f"all {len(found.spaces)} spaces" if len(found.spaces) > 2 else listed(found.spaces)
    verdict = "" if found.gain.is_significant else ", which is not significant"
    interval = "" if not abs(low) <= 1 else f", 95% interval {interval_ends(low, high)}"
    text = (
        f"A convex combination of {spaces} reaches {fusion.measure} {found.convex:.3f} on held-out queries, "
        f"{signed(found.convex - found.single)} beside {found.best} alone ({found.single:.3f}{interval}){verdict}; "
        f"reciprocal rank fusion reaches {found.rrf:.3f}."
    )
    if found.optimism >= VISIBLE_OPTIMISM:
        text += f" Measured on the queries that chose its weights, it would seem {found.optimism:.3f} better."
    return f"{text} The best space of each query, if it were known, would reach {found.oracle:.3f}."


def signed_interval(found: Combination) -> tuple[float, float]:
    """Return the 95 % interval of the convex combination minus the best space alone."""
    low, high = found.gain.interval
    return (low, high) if found.gain.first == "fused" else (-high, -low)


def fusion_rows(fusion: Fusion) -> list[tuple[str, list[str]]]:
    """Return one row for each combination: its spaces, and the cells of `COLUMNS`."""
    return [
        (
            " + ".join(one.spaces),
            [
                *(f"{value:.3f}" for value in (one.single, one.rrf, one.convex, one.optimism, one.oracle)),
                " ".join(f"{weight:.2f}" for weight in one.weights.values()),
            ],
        )
        for one in fusion.combinations
    ]


def fusion_json(fusion: Fusion | None) -> dict[str, Any] | None:
    """Return a fusion as values for `retrieval.report.json.plain`."""
    if fusion is None:
        return None
    return {
        "answer": fusion_answer(fusion),
        "measure": fusion.measure,
        "n_queries": fusion.n_queries,
        "depth": fusion.depth,
        "combinations": [
            {
                **{key: value for key, value in asdict(one).items() if key != "gain"},
                "gain": one.convex - one.single,
                "interval": list(signed_interval(one)),
                "p_value": one.gain.p_value,
                "significant": one.gain.is_significant,
            }
            for one in fusion.combinations
        ],
    }
