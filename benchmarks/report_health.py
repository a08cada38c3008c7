"""The part of docs/results.md on the health of spaces: what it predicts, and what remedies gain."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from retrieval.evaluation.health.checks import CHECKS

if TYPE_CHECKING:
    from report_page import Page

#: The probability below which a correlation is called one, after Holm's correction over all values.
ALPHA = 0.05


def health(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    corpora = figures["corpora"]
    page.heading("Health of spaces: what it predicts", run)
    spaces = sum(len(row["spaces"]) for row in corpora.values())
    page.lines += [
        "",
        f"{spaces} spaces of {len(corpora)} corpora, {figures['sample']:,} sampled items each "
        f"({_total(corpora, 'processor_seconds'):,.0f} s of one core; {_total(corpora, 'seconds'):,.0f} s passed, "
        "beside other work). "
        "Spearman's ρ of each value with nDCG@10 or P@10, within each corpus, and over the ranks within the corpora "
        "pooled. p: quality shuffled within the corpora, corrected by Holm over all values. One sort of spaces can "
        "have both a value and the quality: a correlation is not a cause.",
    ]
    page.table(["value", *corpora, "pooled", "95 %", "p", "spaces", "verdict"], correlations(figures))
    page.lines += ["", "What is found of each space:"]
    page.table(["corpus", "space", "quality", "hubness", "poor", "watch"], findings(corpora))
    page.lines += [
        "",
        "Remedies, on the half of the queries that does not choose: number of spaces where the measure rises, falls, "
        "is equivalent, or cannot be told (95 % intervals, one comparison each), and the mean change.",
    ]
    head = ["remedy", "spaces", "better", "worse", "equivalent", "cannot tell", "mean change"]
    page.table(head, remedies(corpora))


def _total(corpora: dict[str, Any], key: str) -> float:
    return float(sum(row[key] for row in corpora.values()))


def correlations(figures: dict[str, Any]) -> list[list[Any]]:
    """Return a row for each value, the clearest first."""
    rows = sorted(figures["rho"].items(), key=lambda pair: (pair[1]["p_holm"], -abs(pair[1]["rho"])))
    return [
        [
            name,
            *(_signed(row["by_corpus"].get(corpus)) for corpus in figures["corpora"]),
            _signed(row["rho"]),
            f"{_signed(row['low'])} to {_signed(row['high'])}",
            f"{row['p_holm']:.3f}",
            row["spaces"],
            verdict(row),
        ]
        for name, row in rows
    ]


def verdict(row: dict[str, Any]) -> str:
    """Return what a correlation allows to say."""
    if row["p_holm"] >= ALPHA:
        return "in our tests this predicted nothing"
    return "higher is better" if row["rho"] > 0 else "higher is worse"


def findings(corpora: dict[str, Any]) -> list[list[Any]]:
    """Return a row for each space."""
    return [
        [
            corpus,
            f"`{spec}`",
            row["quality"],
            row["values"].get("hubness", "–"),
            _named(row, "poor"),
            _named(row, "watch"),
        ]
        for corpus, found in corpora.items()
        for spec, row in found["spaces"].items()
    ]


def remedies(corpora: dict[str, Any]) -> list[list[Any]]:
    """Return a row for each remedy; of several widths each counts."""
    tried: dict[str, list[dict[str, Any]]] = {}
    for found in corpora.values():
        for space in found["spaces"].values():
            for one in space["remedies"].values():
                if one["difference"] is not None:
                    tried.setdefault(one["name"], []).append(one)
            chosen = space["remedies"].get(space["chosen"])
            if chosen is not None and chosen["difference"] is not None:
                tried.setdefault("the one chosen", []).append(chosen)
    order = sorted(tried, key=lambda name: (name != "the one chosen", name))
    return [
        [name, len(tried[name]), *_counts(tried[name]), _signed(_mean([one["difference"] for one in tried[name]]))]
        for name in order
    ]


def _counts(tried: list[dict[str, Any]]) -> list[int]:
    verdicts = Counter(one["verdict"] for one in tried)
    return [verdicts[key] for key in ("better", "worse", "equivalent", "cannot tell")]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _of_levels(row: dict[str, Any]) -> list[str]:
    return [_named(row, "poor"), _named(row, "watch")]


def _named(row: dict[str, Any], level: str) -> str:
    return ", ".join(name for name, of in row["levels"].items() if _as_now(name, of) == level) or "–"


def _as_now(name: str, level: str) -> str:
    """Return a recorded verdict by the present limits: what is never poor is watched."""
    never = {check.name for check in CHECKS if math.isnan(check.poor)}
    return "watch" if level == "poor" and name in never else level


def _signed(value: float | None) -> str:
    if value is None:
        return "–"
    text = f"{abs(value):.3f}" if abs(value) < 0.1 else f"{abs(value):.2f}"
    return f"{'−' if value < 0 else '+'}{text.removeprefix('0')}"


PARTS = {"health": health}
