"""The health of spaces in words and numbers, the same in the terminal and on the page."""

from __future__ import annotations

from encoders.numbers import counted
from retrieval.evaluation.difference import Verdict
from retrieval.evaluation.health.checks import Check, Level
from retrieval.evaluation.health.trials import Gain
from retrieval.experiment.health.result import Finding, Health, SpaceHealth
from retrieval.report.rung import judge
from retrieval.report.signed import interval_ends, signed

_CLAIMS = {
    Verdict.BETTER: "better",
    Verdict.WORSE: "worse",
    Verdict.EQUIVALENT: "equivalent",
    Verdict.CANNOT_TELL: "too few queries to tell",
}


def shown(check: Check, value: float | None) -> str:
    """Return a value with its unit; a dash when there is none.

    Examples
    --------
    >>> from retrieval.evaluation.health.checks import ANTIHUBS, HUBNESS
    >>> shown(HUBNESS, 3.14159), shown(ANTIHUBS, 0.125), shown(HUBNESS, None)
    ('3.14', '12.5%', '–')
    """
    if value is None:
        return "–"
    if check.share:
        return f"{value:.1%}"
    value = 0.0 if abs(value) < 0.005 else value  # no -0.00
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def gain_text(measure: str, gain: Gain | None) -> str:
    """Return what a remedy changes in a measure, with its interval; empty when it was not measured."""
    if gain is None:
        return ""
    return f"{measure} {signed(gain.difference)} ({interval_text(gain)}: {claim(gain)})"


def interval_text(gain: Gain) -> str:
    """Return the 95% interval of a difference."""
    low, high = gain.interval
    if low == -float("inf") or high == float("inf"):
        return "no interval"
    return interval_ends(low, high)


def claim(gain: Gain) -> str:
    """Return the verdict on a gain in words."""
    return _CLAIMS[gain.verdict]


def remedy_text(finding: Finding, measure: str) -> str:
    """Return what to try for a finding and what that does; the advice when no remedy improves the value."""
    trial, check = finding.remedy, finding.check
    if trial is None:
        if finding.level in (None, Level.FINE):
            return ""
        return check.advice or "no remedy that was tried improves it"
    after = trial.values.get(check.name)
    same = after is None or shown(check, after) == shown(check, finding.value)
    change = "" if same else f"{shown(check, finding.value)} → {shown(check, after)}"
    parts = [part for part in (change, gain_text(measure, trial.gain)) if part]
    is_worse = trial.gain is not None and trial.gain.verdict is Verdict.WORSE
    stage = f"; add {trial.stage}" if trial.stage and not is_worse else ""
    effect = ", ".join(parts) or "its effect is not measured, as nothing says what is relevant"
    return f"{trial.label} was tried: {effect}" if is_worse else f"try {trial.label}: {effect}{stage}"


def chosen_text(space: SpaceHealth, measure: str) -> str:
    """Return which remedy one half of the queries chooses, and what the other half says of it."""
    if space.quality is None:
        return ""
    if space.chosen is None or space.chosen.gain is None:
        return f"No remedy raises {measure} on the half of the queries that chooses."
    gain = space.chosen.gain
    return (
        f"Chosen on one half of the queries: {space.chosen.label}. On the other {gain.queries:,}: {measure} "
        f"{gain.before:.3f} → {gain.after:.3f}, {signed(gain.difference)} ({interval_text(gain)}): {claim(gain)}."
    )


def sample_text(health: Health) -> str:
    """Return what was measured."""
    every = health.n_sampled == health.n_items
    items = (
        counted(health.n_items, "item")
        if every
        else f"{health.n_sampled:,} of {health.n_items:,} items, seed {health.seed}"
    )
    queries = counted(health.n_queries, "query", "queries")
    asked = f"; {queries}, judged by {judge(health.judged_by)}" if health.judged_by else ""
    return f"{health.corpus}: {items}{asked}"


def verdict_text(health: Health) -> str:
    """Return the answer in one sentence."""
    by_level = {level: [space.spec for space in health.spaces if space.level is level] for level in Level}
    parts = [f"{len(specs)} {level}" for level, specs in reversed(by_level.items()) if specs]
    return f"{counted(len(health.spaces), 'space')}: {', '.join(parts)}; each is as poor as its worst value"
