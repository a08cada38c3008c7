"""The result of a comparison in one sentence, with the spaces that are tied with the best."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from encoders.numbers import counted
from retrieval.evaluation.difference import Difference, Verdict
from retrieval.evaluation.multiple_comparison import MultipleComparison
from retrieval.evaluation.significance import Interval
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.comparison_columns import measures_of
from retrieval.report.lexical_note import served_note
from retrieval.report.rung import AGREEMENT_WARNING, judge, most_agreeing, rung_sentence
from retrieval.report.signed import interval_ends, signed

#: Above this, a number of queries is not worth saying.
MANY_QUERIES = 1_000_000
#: Curves that differ by less than this look like one line.
SAME_PRECISION = 0.005


def main_measure(comparison: Comparison) -> str | None:
    """Return the measure by which the spaces are ranked: the first that is shown."""
    return next(iter(measures_of(comparison)), None)


def leaders(comparison: Comparison) -> tuple[SpaceResult, list[SpaceResult]] | None:
    """Return the best space on the main measure and the spaces tied with it; None when nothing is measured."""
    measure = main_measure(comparison)
    if measure is None:
        return None
    ranked = [space for space in comparison.spaces if math.isfinite(space.measures.get(measure, math.nan))]
    if not ranked:
        return None
    best = max(ranked, key=lambda space: space.measures[measure])
    top = best.measures[measure]
    tied = [
        space
        for space in ranked
        if space is not best and (space.tied_with_best.get(measure, False) or space.measures[measure] == top)
    ]
    return best, tied


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


def undecided(comparison: Comparison) -> str | None:
    """Return which difference the queries would show, where a space does not differ significantly from the best.

    A tie alone says little: the spaces may be equivalent, or the queries too few to show their difference.
    """
    significance, _, unclear = _ties(comparison)
    if significance is None:
        return _power_at_chance(comparison)
    if not unclear:
        return None
    nearest = min(unclear, key=lambda pair: math.inf if pair.more_queries is None else pair.more_queries)
    return _power(nearest, significance.n_queries, rival=_other(nearest, significance.order[0]))


def _ties(comparison: Comparison) -> tuple[MultipleComparison | None, list[Difference], list[Difference]]:
    """Return the comparison on the main measure, and its pairs of the best with equivalent and undecided spaces."""
    led = leaders(comparison)
    significance = comparison.significance.get(main_measure(comparison) or "")
    if led is None or significance is None or not comparison.above_chance.get(main_measure(comparison) or "", True):
        return None, [], []
    best, tied = led
    pairs = [significance.of(best.label, space.label) for space in tied]
    equivalent = [pair for pair in pairs if pair.verdict is Verdict.EQUIVALENT]
    return significance, equivalent, [pair for pair in pairs if pair.verdict is Verdict.CANNOT_TELL]


def _power_at_chance(comparison: Comparison) -> str | None:
    """Return which difference between spaces the queries would show, where none is better than a random order."""
    measure = main_measure(comparison) or ""
    significance = comparison.significance.get(measure)
    if significance is None or comparison.above_chance.get(measure, True):
        return None
    if not significance.differences:
        return None
    smallest = min(pair.detectable for pair in significance.differences)
    if smallest < 0.0005:  # two spaces have the same value for every query: that says nothing of other queries
        return None
    if not math.isfinite(smallest) or smallest >= 1:
        return _too_few(significance.n_queries)
    return f"{_shown(significance.n_queries, smallest)}."


def _other(pair: Difference, label: str) -> str:
    return pair.second if pair.first == label else pair.first


def _power(nearest: Difference, n_queries: int, rival: str) -> str:
    """Return which difference these queries would show, and how many more would settle the nearest case."""
    if not math.isfinite(nearest.detectable) or nearest.detectable >= 1:
        return _too_few(n_queries)
    text = _shown(n_queries, nearest.detectable)
    if not nearest.more_queries:
        return f"{text}."
    if nearest.more_queries > MANY_QUERIES:
        return f"{text}; to decide between the best and {rival}, more than {MANY_QUERIES:,} more would be needed."
    return f"{text}; about {rounded(nearest.more_queries):,} more would decide between the best and {rival}."


def _shown(n_queries: int, difference: float) -> str:
    queries = counted(n_queries, "query", "queries")
    return f"With {queries}, a true difference of {difference:.3f} is found in 8 of 10 cases"


def _too_few(n_queries: int) -> str:
    return f"{counted(n_queries, 'query', 'queries')} {'is' if n_queries == 1 else 'are'} too few to compare spaces."


def rounded(count: int) -> int:
    """Return a count with two significant digits.

    Examples
    --------
    >>> rounded(7), rounded(1234)
    (7, 1200)
    """
    unit: int = 10 ** max(0, len(str(count)) - 2)
    return round(count / unit) * unit


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
        _, equivalent, _ = _ties(comparison)
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
    _, equivalent, _ = _ties(comparison)
    same = [_other(pair, best.label) for pair in equivalent]
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
    low, high = _interval(significance, best, other)
    return "" if max(abs(low), abs(high)) >= 1 else f"95% interval of the difference {interval_ends(low, high)}"


def _interval(significance: MultipleComparison, best: SpaceResult, other: SpaceResult) -> Interval:
    """Return the 95 % interval of the best space minus another; a pair of equal means may be in the other order."""
    pair = significance.of(best.label, other.label)
    low, high = pair.interval
    return Interval(low, high) if pair.first == best.label else Interval(-high, -low)


def _names(labels: list[str]) -> str:
    return listed(labels) if len(labels) <= 3 else f"{len(labels)} others"


def _at_most(pairs: Sequence[Difference]) -> str:
    """Return the end of the 95 % intervals that is farthest from 0, in words."""
    end = max(max(map(abs, pair.interval)) for pair in pairs)
    return f"at most {end:.3f}" if end >= 0.0005 else "less than 0.001"


def curves_title(comparison: Comparison) -> str:
    """Return a sentence: which space has the highest precision at every level of recall, or at how many levels."""
    drawn = [(space.label, space.precision_recall) for space in comparison.spaces if space.precision_recall is not None]
    names = [name for name, _ in drawn]
    curves = np.nan_to_num([curve for _, curve in drawn])
    if len(names) < 2:
        return f"Precision of {names[0]} at each level of recall" if names else "Nothing was measured"
    top = curves.max(axis=0)
    if float((top - curves.min(axis=0)).max()) < SAME_PRECISION:
        return f"The curves differ by less than {SAME_PRECISION:g} at every level of recall"
    at_top = curves >= top - 1e-12
    for name, held, held_curve in zip(names, at_top, curves, strict=True):
        if held.all() and at_top.sum(axis=0).max() == 1:
            rest = np.delete(curves, names.index(name), axis=0).mean(axis=1)
            ahead = float(held_curve.mean() - rest.max())
            return f"{name} has the highest precision at every level of recall, by {ahead:.3f} on average"
        if held.all():
            return f"No space is above {name} at any level of recall"
    winners = [int(position) for position in curves.argmax(axis=0)]
    switches = [level for level in range(1, len(winners)) if winners[level] != winners[level - 1]]
    if len(switches) == 1:
        early, late = names[winners[0]], names[winners[-1]]
        until = f"up to recall {(switches[0] - 1) / 10:.1f}" if switches[0] > 1 else "at recall 0"
        return f"{early} has the highest precision {until}, {late} from {switches[0] / 10:.1f} on"
    wins = {winner: winners.count(winner) for winner in winners}
    best = listed(
        [f"{names[at]} at {count}" for at, count in sorted(wins.items(), key=lambda pair: (-pair[1], pair[0]))]
    )
    return f"No space is best everywhere: {best} of 11 levels of recall"


def cost_title(comparison: Comparison) -> str:
    """Return a sentence: the bytes on disk of the best space, and whether a smaller space is as good."""
    measure, led = main_measure(comparison), leaders(comparison)
    if measure is None or led is None:
        return f"{stored_bytes(comparison.spaces).capitalize()} per item"
    best, tied = led
    smallest = min(comparison.spaces, key=lambda space: space.stored_bytes_per_item)
    if best.stored_bytes_per_item <= smallest.stored_bytes_per_item:
        return f"{best.label} has the highest {measure} and no space stores less"
    smaller = min(tied, key=lambda space: space.stored_bytes_per_item, default=best)
    if smaller.stored_bytes_per_item < best.stored_bytes_per_item:
        share = smaller.stored_bytes_per_item / best.stored_bytes_per_item
        return (
            f"{smaller.label} does not differ significantly from {best.label}{_may_lose(comparison, best, smaller)} "
            f"and stores {_percent(share)} of its bytes"
        )
    share = smallest.stored_bytes_per_item / best.stored_bytes_per_item
    lost = best.measures[measure] - smallest.measures.get(measure, math.nan)
    what = f"{_percent(share)} of the bytes of {best.label}"
    if not lost > 0:
        return f"{smallest.label} stores {what}"
    return f"{smallest.label} stores {what} and loses {_percent(lost / best.measures[measure])} of its {measure}"


def _may_lose(comparison: Comparison, best: SpaceResult, other: SpaceResult) -> str:
    """Return how much of the main measure a space may lose that is tied with the best; empty where it is not known."""
    measure = main_measure(comparison) or ""
    significance = comparison.significance.get(measure)
    if significance is None or not best.measures[measure] > 0:
        return ""
    lost = max(0.0, _interval(significance, best, other).high)
    return "" if lost >= 1 else f" (it may lose up to {_percent(lost / best.measures[measure])} of {measure})"


def stored_bytes(spaces: Sequence[SpaceResult]) -> str:
    """Return the unit of `SpaceResult.stored_bytes_per_item`: bytes on disk, or of codes on a server."""
    unknown = [space.bytes_on_disk_per_item is None for space in spaces]
    if all(unknown):
        return "bytes of the codes"
    return "bytes on disk, or of the codes where a server keeps them," if any(unknown) else "bytes on disk"


def overlap_sentence(comparison: Comparison) -> str | None:
    """Return a sentence: which two spaces agree most on the neighbours and which least; None without overlaps."""
    pairs = [pair for pair in comparison.overlaps if math.isfinite(pair.jaccard)]
    if not pairs:
        return None
    low, high = min(pairs, key=lambda pair: pair.jaccard), max(pairs, key=lambda pair: pair.jaccard)
    if low is high:
        return f"{low.first} and {low.second} share their neighbours with Jaccard@{low.k} {low.jaccard:.2f}"
    return (
        f"{high.first} and {high.second} agree most (Jaccard@{high.k} {high.jaccard:.2f}), "
        f"{low.first} and {low.second} least ({low.jaccard:.2f})"
    )


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


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does.

    Examples
    --------
    >>> listed(["pixels"]), listed(["a", "b", "c"])
    ('pixels', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _gap(comparison: Comparison, best: SpaceResult, other: SpaceResult) -> str:
    measure = main_measure(comparison) or ""
    significance = comparison.significance.get(measure)
    difference = best.measures[measure] - other.measures.get(measure, math.nan)
    if significance is None or not significance.n_queries:
        return signed(difference)
    return f"{signed(difference)}, 95% interval {interval_ends(*_interval(significance, best, other))}"


def _do(several: Sequence[object]) -> str:
    return "does" if len(several) == 1 else "do"


def _is(several: Sequence[object]) -> str:
    return "is" if len(several) == 1 else "are"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
