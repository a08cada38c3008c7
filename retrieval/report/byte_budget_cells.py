"""Equal bytes in words and cells: the sentence, the table and the JSON, for every report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from encoders.numbers import counted
from retrieval.evaluation.difference import Verdict
from retrieval.experiment.byte_budgets.result import ByteBudgets, BytePoint
from retrieval.report.signed import interval_ends, signed

#: The methods that reduce a space, in the order of the columns.
METHODS = ("components", "truncate", "sq8", "sq4", "pq", "rabitq", "signs")
#: What stands for no code, in words.
NO_CODE = "– no code of this kind is larger than the budget above and at most this one"


def sentences(byte_budgets: ByteBudgets) -> list[str]:
    """Return the cheapest code that does not differ significantly from the best, and how far to trust that."""
    best, cheapest, measure = byte_budgets.best, byte_budgets.cheapest, byte_budgets.measure
    compared = f"all {counted(len(byte_budgets.points), 'code')} compared together"
    queries = counted(byte_budgets.n_queries, "query", "queries")
    if not byte_budgets.above_chance:
        return [
            f"No code is significantly better on {measure} than a random order ({byte_budgets.chance:.3f}): the "
            f"highest value is {best.value:.3f}, of {short(best.spec)} at {counted(best.bytes_per_item, 'byte')} "
            f"({compared}, {queries})."
        ]
    if byte_budgets.difference is None:
        return [
            f"The best, {_named(best, measure)}, is also the cheapest that does not differ significantly from it "
            f"({compared}, {queries})."
        ]
    low, high = byte_budgets.difference.interval
    lines = [
        f"The cheapest that does not differ significantly from the best is {_named(cheapest, measure)}; "
        f"the best is {_named(best, measure)}.",
        f"Best minus cheapest: {signed(byte_budgets.difference.difference)}, 95% interval {interval_ends(low, high)} "
        f"({compared}, so that the interval holds although both were chosen on these queries).",
    ]
    if byte_budgets.difference.verdict is Verdict.EQUIVALENT:
        lines.append(f"The two are equivalent: the interval is within ±{byte_budgets.margin:g}.")
    elif byte_budgets.equivalent is not None:
        lines.append(
            f"No significant difference is not equality: up to {max(high, 0):.3f} may be lost. "
            f"The cheapest that loses at most "
            f"{byte_budgets.margin:g} (by the same intervals): {_named(byte_budgets.equivalent, measure)}."
        )
    return lines


def _named(point: BytePoint, measure: str) -> str:
    return f"{short(point.spec)} at {counted(point.bytes_per_item, 'byte')} ({measure} {point.value:.3f})"


def mark_of(point: BytePoint, byte_budgets: ByteBudgets) -> str:
    """Return the mark of a code among all codes: ``best``, ``tied`` or an empty text."""
    return _mark(point, byte_budgets, point.spec == byte_budgets.best.spec)


def mark_in_row(point: BytePoint, row: Sequence[BytePoint | None], byte_budgets: ByteBudgets) -> str:
    """Return the mark of a code in its row of `best_by_budget`: ``best`` of the row, ``tied`` with the best of all."""
    return _mark(point, byte_budgets, point.value == max(other.value for other in row if other is not None))


def _mark(point: BytePoint, byte_budgets: ByteBudgets, is_best: bool) -> str:
    if not byte_budgets.above_chance:  # the best of codes that a random order equals is best by luck
        return ""
    return "best" if is_best else "tied" if point.tied_with_best else ""


def short(spec: str) -> str:
    """Return a spec whose options that are folders are written by their last part.

    Examples
    --------
    >>> short('sbert:/opt/models/minilm+pca:16')
    'sbert:minilm+pca:16'
    """
    stages = []
    for stage in spec.split("+"):
        head, colon, option = stage.partition(":")
        stages.append(f"{head}:{option.rstrip('/').rpartition('/')[2]}" if colon and "/" in option else stage)
    return "+".join(stages)


def best_by_budget(byte_budgets: ByteBudgets, base: str) -> tuple[list[str], list[list[BytePoint | None]]]:
    """Return the methods that reduce a space, and for every budget the best code of each; None where there is none.

    A code is in the row of the smallest budget that holds it, so that a row compares codes of about equal bytes.
    """
    led = [(point.method_from(base), point) for point in byte_budgets.points]
    methods = [name for name in METHODS if any(method == name for method, _ in led)]
    rows: list[list[BytePoint | None]] = []
    for before, budget in zip((0, *byte_budgets.budgets), byte_budgets.budgets, strict=False):
        inside = [(method, point) for method, point in led if before < point.bytes_per_item <= budget]
        rows.append([max((p for method, p in inside if method == name), key=_value, default=None) for name in methods])
    return methods, rows


def _value(point: BytePoint) -> float:
    return point.value


def budgets_json(byte_budgets: ByteBudgets) -> dict[str, Any]:
    """Return the budgets as JSON values."""
    difference = byte_budgets.difference
    return {
        "answer": " ".join(sentences(byte_budgets)),
        "measure": byte_budgets.measure,
        "n_queries": byte_budgets.n_queries,
        "budgets": list(byte_budgets.budgets),
        "best": byte_budgets.best.spec,
        "cheapest_tied_with_best": byte_budgets.cheapest.spec,
        "cheapest_equivalent_to_best": None if byte_budgets.equivalent is None else byte_budgets.equivalent.spec,
        "margin": byte_budgets.margin,
        "chance": byte_budgets.chance,
        "above_chance": byte_budgets.above_chance,
        "difference": None
        if difference is None
        else {**asdict(difference), "interval": list(difference.interval), "verdict": str(difference.verdict)},
        "points": [{**asdict(point), "interval": list(point.interval)} for point in byte_budgets.points],
        "notes": byte_budgets.notes,
    }
