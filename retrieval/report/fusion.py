"""Fusions of spaces in sentences, rows and JSON values, for the terminal, the page and ``--json``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from encoders.listed import listed
from retrieval.experiment.fusion import Combination, Fusion
from retrieval.report.signed import interval_ends, signed

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
    combination = fusion.whole
    low, high = signed_interval(combination)
    spaces = f"all {len(combination.spaces)} spaces" if len(combination.spaces) > 2 else listed(combination.spaces)
    verdict = "" if combination.gain.is_significant else ", which is not significant"
    interval = "" if not abs(low) <= 1 else f", 95% interval {interval_ends(low, high)}"
    text = (
        f"A convex combination of {spaces} reaches {fusion.measure} {combination.convex:.3f} on held-out queries, "
        f"{signed(combination.convex - combination.single)} beside {combination.best} alone "
        f"({combination.single:.3f}{interval}){verdict}; reciprocal rank fusion reaches {combination.rrf:.3f}."
    )
    if combination.optimism >= VISIBLE_OPTIMISM:
        text += f" Measured on the queries that chose its weights, it would seem {combination.optimism:.3f} better."
    return f"{text} The best space of each query, if it were known, would reach {combination.oracle:.3f}."


def signed_interval(combination: Combination) -> tuple[float, float]:
    """Return the 95% interval of the convex combination minus the best space alone."""
    low, high = combination.gain.interval
    return (low, high) if combination.gain.first == "fused" else (-high, -low)


def fusion_rows(fusion: Fusion) -> list[tuple[str, list[str]]]:
    """Return one row for each combination: its spaces, and the cells of `COLUMNS`."""
    return [
        (
            " + ".join(combination.spaces),
            [
                *(
                    f"{value:.3f}"
                    for value in (
                        combination.single,
                        combination.rrf,
                        combination.convex,
                        combination.optimism,
                        combination.oracle,
                    )
                ),
                " ".join(f"{weight:.2f}" for weight in combination.weights.values()),
            ],
        )
        for combination in fusion.combinations
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
                **{key: value for key, value in asdict(combination).items() if key != "gain"},
                "gain": combination.convex - combination.single,
                "interval": list(signed_interval(combination)),
                "p_value": combination.gain.p_value,
                "significant": combination.gain.is_significant,
            }
            for combination in fusion.combinations
        ],
    }
