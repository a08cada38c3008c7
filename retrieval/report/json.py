"""A comparison as JSON values, for ``--json`` and for stored results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.evaluation.multiple_comparison import MultipleComparison
from retrieval.experiment.loss import Loss
from retrieval.experiment.result import Comparison, Example, SpaceResult
from retrieval.report.byte_budget_cells import budgets_json
from retrieval.report.fusion import fusion_json
from retrieval.report.health_json import health_json
from retrieval.report.notes import notes
from retrieval.report.verdict import answer
from retrieval.search.result import Answer, Shown

DIGITS = 6


def to_json(comparison: Comparison, per_query: bool = False) -> dict[str, Any]:
    """Return the comparison as values that ``json.dumps`` accepts, without the pictures.

    Parameters
    ----------
    comparison : Comparison
    per_query : bool
        Whether to write the measures of every query too.

    Returns
    -------
    dict
        Numbers have six significant digits; NaN and infinity, which JSON does not have, are None.
    """
    return {
        "answer": answer(comparison),
        "corpus": comparison.corpus,
        "modality": str(comparison.modality),
        "n_items": comparison.n_items,
        "n_queries": comparison.n_queries,
        "judged_by": comparison.judged_by,
        "chance": plain(comparison.chance),
        "above_chance": comparison.above_chance,
        "significance": {measure: _significance(test) for measure, test in comparison.significance.items()},
        "spaces": [_space(space, per_query) for space in comparison.spaces],
        "fusion": plain(fusion_json(comparison.fusion)),
        "overlaps": [
            plain({"first": pair.first, "second": pair.second, "k": pair.k, "jaccard": pair.jaccard, "rbo": pair.rbo})
            for pair in comparison.overlaps
        ],
        "health": None if comparison.health is None else health_json(comparison.health),
        "byte_budgets": None if comparison.byte_budgets is None else plain(budgets_json(comparison.byte_budgets)),
        "notes": notes(comparison),
        "examples": [_example(example, comparison.spaces) for example in comparison.examples],
        "provenance": plain(comparison.provenance),
    }


def plain(value: Any) -> Any:
    """Return a value as JSON: arrays as lists, paths and other objects as text, numbers rounded."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value.as_posix() if isinstance(value, Path) else str(value)


def finite(value: Any) -> Any:
    """Return a JSON value with None for NaN and infinity, which JSON does not have.

    Examples
    --------
    >>> finite({"code": [0.1, float("nan")]})
    {'code': [0.1, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(part) for key, part in value.items()}
    return [finite(part) for part in value] if isinstance(value, list | tuple) else value


def _space(space: SpaceResult, per_query: bool) -> dict[str, Any]:
    written: dict[str, Any] = {
        "label": space.label,
        "spec": space.spec,
        "index": space.index,
        "dim": space.dim,
        "kind": str(space.kind),
        "metric": str(space.metric),
        "code_bytes_per_item": space.bytes_per_item,
        "bytes_on_disk_per_item": space.bytes_on_disk_per_item,
        "fit_seconds": space.fit_seconds,
        "encode_per_second": space.encode_per_second,
        "query_ms": space.query_ms,
        "measures": space.measures,
        "tie_range": space.tie_range,
        "tied_with_best": {measure: bool(tied) for measure, tied in space.tied_with_best.items()},
        "precision_recall": space.precision_recall,
        "options": space.options,
        "loss": None if space.loss is None else _loss(space.loss),
        "training": [phase.to_json() for phase in space.phases],
        "means_of_seeds": space.means_of_seeds,
    }
    if per_query:
        written["per_query"] = space.per_query
    return plain(written)  # type: ignore[no-any-return]


def _loss(loss: Loss) -> dict[str, Any]:
    """Return the losses of a row: means, and one row for each query and measure."""
    return {
        "exact_index": loss.is_exact,
        "quantisation_in_approximation": loss.is_joint,
        "recall@10": float(loss.recall.mean()),
        "disk_bytes": {"index": loss.disk.index, "codes": loss.disk.codes, "items": loss.disk.items},
        "n_queries": len(loss.queries),
        "measures": {
            measure: {
                "total": float(attribution.total.mean()),
                "steps": {step: float(values.mean()) for step, values in attribution.losses.items()},
                "per_query": [
                    {"query": query, "total": total, **dict(zip(attribution.losses, steps, strict=True))}
                    for query, total, *steps in zip(
                        loss.queries, attribution.total, *attribution.losses.values(), strict=True
                    )
                ],
            }
            for measure, attribution in loss.measures.items()
        },
    }


def _significance(significance: MultipleComparison) -> dict[str, Any]:
    written = {
        "alpha": significance.alpha,
        "margin": significance.margin,
        "n_queries": significance.n_queries,
        "groups": significance.letters,
        "ranks": significance.ranks,
        "pairs": [
            {**asdict(pair), "interval": list(pair.interval), "verdict": str(pair.verdict)}
            for pair in significance.differences
        ],
    }
    return plain(written)  # type: ignore[no-any-return]


def _example(example: Example, spaces: list[SpaceResult]) -> dict[str, Any]:
    answers = [
        {"space": space.label, "hits": [_answer(hit) for hit in hits]}
        for space, hits in zip(spaces, example.answers, strict=True)
    ]
    return {"query": _shown(example.query), "answers": answers}


def _shown(shown: Shown) -> dict[str, Any]:
    return {
        key: value
        for key, value in (
            ("id", shown.id),
            ("label", shown.label),
            ("title", shown.title and " ".join(shown.title.split())),
        )
        if value is not None
    }


def _answer(hit: Answer) -> dict[str, Any]:
    relevant = None if hit.relevant is None else bool(hit.relevant)
    written = {**_shown(hit.shown), "score": hit.score, "distance": hit.distance, "relevant": relevant}
    return plain(written)  # type: ignore[no-any-return]
