"""How the spaces differ from a baseline: a table, JSON values, and the sentence that fails a gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrieval.evaluation.difference import Verdict
from retrieval.experiment.baseline import Baseline
from retrieval.experiment.baseline_change import Change
from retrieval.experiment.result import Comparison
from retrieval.report.json import plain
from retrieval.report.signed import interval_ends, signed
from retrieval.report.terminal.comparison import comparisons_json, comparisons_lines
from retrieval.report.terminal.listing import aligned

_WORDS = {
    Verdict.BETTER: "better",
    Verdict.WORSE: "worse",
    Verdict.EQUIVALENT: "equivalent",
    Verdict.CANNOT_TELL: "not significant",
}
_HEAD = ("measure", "before", "now", "difference", "95% interval", "shown", "verdict", "space")
_SHOWN = "shown: the smallest true difference that these queries find in 8 of 10 cases"


def changes_lines(baseline: Baseline, changes: Sequence[Change]) -> list[str]:
    """Return the table of changes; the name of the space is last, because it may be long.

    Parameters
    ----------
    baseline : Baseline
    changes : sequence of Change
    """
    rows = [
        (
            change.measure, f"{change.before:.3f}", f"{change.now:.3f}", signed(change.difference),
            interval_ends(*change.interval), f"{change.detectable:.3f}", _WORDS[change.verdict], change.space,
        )
        for change in changes
    ]  # fmt: skip
    return ["", f"since {baseline.path}", *aligned(_HEAD, rows, right=[1, 2, 3, 5], specs=[len(_HEAD) - 1]), _SHOWN]


def changes_json(baseline: Baseline, changes: Sequence[Change]) -> dict[str, Any]:
    """Return the changes as JSON values.

    Parameters
    ----------
    baseline : Baseline
    changes : sequence of Change
    """
    values = [
        {
            "space": change.space, "measure": change.measure, "before": change.before, "now": change.now,
            "difference": change.difference, "interval": list(change.interval), "p_value": change.p_value,
            "verdict": str(change.verdict), "detectable": change.detectable,
        }
        for change in changes
    ]  # fmt: skip
    return {"path": str(baseline.path), "changes": plain(values)}


def compared_lines(comparison: Comparison, verbose: bool, baseline: Baseline, changes: Sequence[Change]) -> list[str]:
    """Return the table of a comparison, and below it what changed."""
    return [*comparisons_lines([comparison], verbose), *changes_lines(baseline, changes)]


def compared_json(comparison: Comparison, baseline: Baseline, changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return a comparison as JSON values, with what changed under ``baseline``."""
    return [{**document, "baseline": changes_json(baseline, changes)} for document in comparisons_json([comparison])]


def only_one_lines(baseline: Baseline, comparison: Comparison) -> list[str]:
    """Return a sentence for spaces that only one of the two has: nothing is said about their quality."""
    new, gone = baseline.missing(comparison)
    return [
        *([f"not in the baseline, so not compared with it: {', '.join(new)}"] if new else []),
        *([f"only in the baseline, so not compared: {', '.join(gone)}"] if gone else []),
    ]


def loss_line(change: Change) -> str:
    """Return the sentence about one significant loss.

    Parameters
    ----------
    change : Change
    """
    low, high = change.interval
    return (
        f"{change.space} has lost {-change.difference:.3f} of {change.measure}: {change.before:.3f} before, "
        f"{change.now:.3f} now (95% interval of the difference {interval_ends(low, high)}, p = {change.p_value:.2g})"
    )
