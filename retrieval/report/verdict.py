"""The result of a comparison in one sentence, with the spaces that are tied with the best."""

from __future__ import annotations

import math
from collections.abc import Sequence

from encoders.listed import listed
from retrieval.evaluation.difference import Difference
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.leaders import best_minus, leaders, main_measure, other_of, ties
from retrieval.report.rung import AGREEMENT_WARNING, judge, most_agreeing, rung_sentence
from retrieval.report.signed import interval_ends, signed
from retrieval.report.statistical_power import undecided


def answer(comparison: Comparison) -> str:
    """Return which space is best on the main measure, by how much, and what the queries cannot decide.

    Without labels, the first sentence says what the order rests on.
    """
    rung = rung_sentence(comparison.judged_by)
    if comparison.judged_by == "agreement":
        return f"{rung} {most_agreeing(comparison.spaces)} {AGREEMENT_WARNING}"
    return " ".join(filter(None, [rung, _winner(comparison), undecided(comparison)]))


def headline(comparison: Comparison) -> str:
    """Return the first thing to say, in one sentence; it names what the order rests on where there are no labels."""
    if comparison.judged_by == "agreement":
        return f"By {judge(comparison.judged_by)}: {most_agreeing(comparison.spaces)}"
    rests_on = "" if rung_sentence(comparison.judged_by) is None else f"By {judge(comparison.judged_by)}: "
    return f"{rests_on}{_winner(comparison)}"


def below_headline(comparison: Comparison) -> list[str]:
    """Return the other sentences of the answer."""
    rest = AGREEMENT_WARNING if comparison.judged_by == "agreement" else undecided(comparison)
    return [sentence for sentence in (rung_sentence(comparison.judged_by), rest) if sentence]


def _winner(comparison: Comparison) -> str:
    measure, led = main_measure(comparison), leaders(comparison)
    if measure is None or led is None:
        return f"No space of {comparison.corpus} could be measured: the corpus has no labels or relevance judgements."
    best, tied = led
    top = best.measures[measure]
    others = [space for space in comparison.spaces if space is not best and measure in space.measures]
    if not comparison.above_chance.get(measure, True):
        return _no_better_than_chance(comparison, measure, best)
    if not others:
        return f"{best.label} reaches {measure} {top:.3f}; there is nothing to compare it with."
    if len(tied) == len(others):
        labels = [space.label for space in (best, *tied)]
        what, limit = ("rows", 2) if best.several_indexes else ("spaces", 4)
        every = listed(labels) if len(labels) <= limit else f"The {len(labels)} {what}"
        last = min(others, key=lambda space: space.measures[measure])
        lowest = f"{last.measures[measure]:.3f}"
        if f"{top:.3f}" == lowest:
            return f"{every} are tied on {measure}: {'both' if len(labels) == 2 else 'all'} have {top:.3f}."
        _, equivalent, _ = ties(comparison)
        values = f"best {top:.3f}, last {lowest}"
        if len(equivalent) == len(tied):
            return f"{every} are equivalent on {measure} ({values}; the differences are {_at_most(equivalent)})."
        values = "; ".join(filter(None, [values, _interval_text(comparison, best, last)]))
        return f"{every} do not differ significantly on {measure} ({values})."
    runner_up = max((space for space in others if space not in tied), key=lambda space: space.measures[measure])
    lead = f"ahead of {runner_up.label} ({_gap(comparison, best, runner_up)})"
    if tied:
        return f"{best.label} has the highest {measure}, {top:.3f}, {lead}, but {_tied_text(comparison, best, tied)}."
    return f"{best.label} is best on {measure}: {top:.3f}, {lead}."


def _gap(comparison: Comparison, best: SpaceResult, other: SpaceResult) -> str:
    measure = main_measure(comparison) or ""
    significance = comparison.significance.get(measure)
    difference = best.measures[measure] - other.measures.get(measure, math.nan)
    if significance is None or not significance.n_queries:
        return signed(difference)
    return f"{signed(difference)}, 95% interval {interval_ends(*best_minus(significance, best, other))}"


def _no_better_than_chance(comparison: Comparison, measure: str, best: SpaceResult) -> str:
    """Return that no space can be called best: even the highest value could be that of a random order."""
    highest, chance = f"{best.measures[measure]:.3f}", f"{comparison.chance[measure]:.3f}"
    if len(comparison.spaces) == 1:
        return f"{best.label} is not significantly better on {measure} ({highest}) than a random order ({chance})."
    return (
        f"No space is significantly better on {measure} than a random order ({chance}): the highest value is "
        f"{highest}, of {best.label}."
    )


def _tied_text(comparison: Comparison, best: SpaceResult, tied: list[SpaceResult]) -> str:
    """Return which spaces are equivalent to the best, and which do not differ significantly from it."""
    _, equivalent, _ = ties(comparison)
    same = [other_of(pair, best.label) for pair in equivalent]
    unclear = [space.label for space in tied if space.label not in same]
    parts = [f"{_names(same)} {_is(same)} equivalent to it (the difference is {_at_most(equivalent)})"] if same else []
    if unclear:
        apart = ""
        if len(unclear) == 1:
            apart = _interval_text(comparison, best, next(space for space in tied if space.label == unclear[0]))
        known = f" ({apart})" if apart else ""
        parts.append(f"{_names(unclear)} {_do(unclear)} not differ significantly from it{known}")
    return " and ".join(parts)


def _interval_text(comparison: Comparison, best: SpaceResult, other: SpaceResult) -> str:
    """Return the interval of the difference of a space from the best, in words; empty where it says nothing."""
    significance = comparison.significance.get(main_measure(comparison) or "")
    if significance is None:
        return ""
    low, high = best_minus(significance, best, other)
    return "" if max(abs(low), abs(high)) >= 1 else f"95% interval of the difference {interval_ends(low, high)}"


def _names(labels: list[str]) -> str:
    return listed(labels) if len(labels) <= 3 else f"{len(labels)} others"


def _at_most(pairs: Sequence[Difference]) -> str:
    """Return the end of the 95% intervals that is farthest from 0, in words."""
    end = max(max(map(abs, pair.interval)) for pair in pairs)
    return f"at most {end:.3f}" if end >= 0.0005 else "less than 0.001"


def _do(several: Sequence[object]) -> str:
    return "does" if len(several) == 1 else "do"


def _is(several: Sequence[object]) -> str:
    return "is" if len(several) == 1 else "are"
