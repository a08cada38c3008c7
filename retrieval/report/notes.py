"""Notes below the table of a comparison: what was left out, equal scores, and the measures of a random order."""

from __future__ import annotations

from encoders.listed import listed
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.lexical_note import served_note


def notes(comparison: Comparison) -> list[str]:
    """Return notes on the table: what was left out, and how much the order of equal scores matters.

    A space that gives items the same score does not order them. Its measures are expected values under a random
    order; the note says how far they could differ.
    """
    served = served_note(comparison.spaces)
    return [*comparison.notes, *filter(None, [served, *map(_tie_note, comparison.spaces), _chance_note(comparison)])]


def _chance_note(comparison: Comparison) -> str | None:
    """Return the measures of a random order, below which a space is worse than none."""
    if not comparison.chance:
        return None
    values = [f"{measure} {_at_three(value)}" for measure, value in comparison.chance.items()]
    return f"For comparison, a random order of the items has {listed(values)}."


def _at_three(value: float) -> str:
    return "< 0.001" if 0 < value < 0.0005 else f"{value:.3f}"


def _tie_note(space: SpaceResult) -> str | None:
    if not space.tie_range:
        return None
    ranges = listed([f"{measure} {low:.3f} to {high:.3f}" for measure, (low, high) in space.tie_range.items()])
    return (
        f"{space.label} gives items equal scores. The table shows the mean over their orders; worst to best: {ranges}."
    )
