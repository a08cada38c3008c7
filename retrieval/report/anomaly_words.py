"""What is said about anomalies in the terminal and on a page alike: numbers, values, verdicts, drift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from encoders.numbers import counted
from encoders.row import Value, written_value
from retrieval.applications.anomaly.conformal import percent
from retrieval.applications.anomaly.detection import Detection
from retrieval.applications.anomaly.detector_comparison import DetectorComparison
from retrieval.applications.anomaly.drift import ALPHA
from retrieval.applications.anomaly.explanation import Explanation
from retrieval.applications.anomaly.score import LARGEST
from retrieval.search.result import cut_at_word

#: Words and components that are listed.
TOP = 10
#: Ids of identical items that are named.
IDENTICAL = 8
#: Letters of the name of a component, and of a category.
NAME, VALUE = 28, 16
#: More false alarms than asked for are said if they come by chance this rarely.
UNUSUAL = 0.01


def verdict_lines(comparison: DetectorComparison) -> list[str]:
    """Return sentences: the best space, from which others no difference was found, and labels the wrong way round."""
    best = comparison.best
    lines = [f"* {best.name} has the highest AUROC of the spaces, {best.auroc.value:.3f}"]
    same = [
        result for result in comparison.results if result.against_best is not None and not result.against_best.found
    ]
    if same:
        gaps = [result.against_best.interval for result in same if result.against_best is not None]
        low, high = min(gap.low for gap in gaps), max(gap.high for gap in gaps)
        lines.append(f"= no difference found to {', '.join(result.name for result in same)}")
        lines[-1] += f" (paired bootstrap, Holm; 95% intervals of the differences: {low:+.3f} to {high:+.3f}; "
        smallest = max(result.detectable for result in same)
        lines[-1] += f"a difference of {smallest:.3f} would be found 4 times in 5)"
    beaten = [result for result in comparison.results if result.is_baseline and result.auroc.value >= best.auroc.value]
    lines += [f"{result.name} is a trivial detector and does no worse: {result.auroc.value:.3f}" for result in beaten]
    wrong = [result.name for result in comparison.results if not result.is_baseline and result.auroc.value < 0.5]
    if wrong:
        lines.append(
            f"AUROC below 0.5 for {', '.join(wrong)}: the items called normal look stranger than the others; are the "
            "labels the wrong way round?"
        )
    lines += [
        f"{result.name}: {result.false_alarms:.2%} of the normal items are flagged, more than "
        f"the {percent(comparison.rate)} asked for (p = {result.excess_p_value:.2g}): they are unlike those held out"
        for result in comparison.results
        if not result.is_baseline and result.excess_p_value < UNUSUAL
    ]
    return lines


def identical_sentence(ids: Sequence[str], write: Callable[[str], str] = str) -> str:
    """Return which other items are identical to one; empty if there is none. `write` is applied to each id.

    Examples
    --------
    >>> identical_sentence(["7", "9"])
    'and 2 identical items: @7, @9'
    """
    if not ids:
        return ""
    named = ", ".join(f"@{write(id)}" for id in ids[:IDENTICAL])
    return f"and {counted(len(ids), 'identical item')}: {named}{', …' if len(ids) > IDENTICAL else ''}"


def drift_lines(detection: Detection) -> list[str]:
    """Return what was found about drift: a warning if the scores of the batch differ from the calibration scores."""
    drift = detection.drift
    if drift is None:
        return []
    share = percent(float(detection.flagged.mean()))
    numbers = f"(Kolmogorov-Smirnov: D = {drift.statistic:.3f}, p = {drift.p_value:.2g})"
    assumed = f"this assumes that all {counted(drift.n, 'item')} are normal"
    if drift.found:
        return [
            f"drift: their scores differ from those of the calibration {numbers}; {share} are flagged; {assumed}",
            "if that is right, false alarms are not as asked any more: fit again with newer items",
        ]
    return [f"no drift found in the scores {numbers}, at p < {ALPHA:g}; {assumed}"]


def unknown_words_sentence(explanation: Explanation, limit: int = TOP) -> str:
    """Return which words of a text are not in the vocabulary, and what that means for the score; empty without any."""
    names = [cut_at_word(word, NAME) for word in explanation.unknown_words]
    if not names:
        return ""
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    blind = "the score does not count them" if explanation.score < LARGEST else "no word of the text is known"
    return f"not in the vocabulary of the normal items: {', '.join(names[:limit])}{more} ({blind})"


def p_value_text(p: float) -> str:
    """Return a p-value with four decimals, or with two digits if it is below 0.0001, so that none reads as 0.

    Examples
    --------
    >>> p_value_text(0.01386), p_value_text(0.0001), p_value_text(5e-6)
    ('0.0139', '0.0001', '5e-06')
    """
    return f"{p:.4f}" if p >= 1e-4 else f"{p:.2g}"


def often(p: float) -> str:
    """Return what a p-value means, as a number of normal items: among enough of them to expect at least one.

    Examples
    --------
    >>> often(0.0139)
    'of 10,000 normal items, 139 or fewer are expected to be as strange'
    >>> often(4e-6)
    'of 1,000,000 normal items, 4 or fewer are expected to be as strange'
    """
    items = 10_000
    while items * p < 0.95:
        items *= 10
    return f"of {items:,} normal items, {items * p:,.0f} or fewer are expected to be as strange"


def table_value(value: Value) -> str:
    """Return a value of a row: a number in its own units, in six digits, or a category.

    Examples
    --------
    >>> table_value(9839.6412), table_value(1234567.0), table_value("CASH_OUT"), table_value(None)
    ('9839.64', '1234567', 'CASH_OUT', 'missing')
    """
    if value is None or isinstance(value, str):
        return "missing" if value is None else cut_at_word(" ".join(value.split()), VALUE)
    return written_value(value if value.is_integer() else float(f"{value:.6g}"))


def number(value: Any) -> str:
    """Return a number in four digits; the score of an item without any known word is not a number.

    Examples
    --------
    >>> number(0.123456), number(12345.6), number(1.8e308), number(None)
    ('0.1235', '1.235e+04', 'beyond all', '')
    """
    if value is None:
        return ""
    return "beyond all" if abs(value) > 1e307 else f"{value:#.4g}".removesuffix(".")
