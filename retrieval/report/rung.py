"""What an order of spaces rests on, in words: judgements, labels, known items, or the agreement of the spaces."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.evaluation.label_free.agreement import AGREEMENT
from retrieval.experiment.result import SpaceResult


def judge(judged_by: str) -> str:
    """Return what says which answers are relevant, in words.

    Examples
    --------
    >>> judge("known-item"), judge("qrels")
    ('known-item search', 'qrels')
    """
    return {"known-item": "known-item search", "agreement": "the agreement of the spaces"}.get(judged_by, judged_by)


def rung_sentence(judged_by: str) -> str | None:
    """Return what an order without labels rests on; None for judgements and labels."""
    return {
        "known-item": "Judged by known-item search, not by labels: a damaged item must find itself.",
        "agreement": "Ordered by the agreement of the spaces, not by quality: nothing says what is relevant.",
    }.get(judged_by)


#: What an order by agreement does not say.
AGREEMENT_WARNING = (
    "Variants of one method vote for each other, and a space that is better because it is different comes last."
)


def most_agreeing(spaces: Sequence[SpaceResult]) -> str:
    """Return which space agrees most with the others, and which least."""
    first, *_, last = sorted(spaces, key=lambda space: -space.measures[AGREEMENT])
    highest, lowest = (f"{space.measures[AGREEMENT]:.3f}" for space in (first, last))
    if highest == lowest:
        return f"All {len(spaces)} spaces agree equally with the others (mean RBO {highest}): this orders nothing."
    return f"{first.label} agrees most with the others (mean RBO {highest}), {last.label} least ({lowest})."
