"""Conversions in words: what classifiers hear, between all pairs and in one item."""

from __future__ import annotations

from encoders.numbers import counted
from retrieval.applications.conversion import Conversion, Conversions
from retrieval.applications.conversion_pairs import ConversionPairs, converted_mean, real_mean


def answer(conversions: Conversions) -> str:
    """Return what the classifiers hear as one sentence."""
    pairs = conversions.pairs
    if pairs is None:
        return f"{counted(len(conversions.items), 'item')} converted; no classifier can hear the {conversions.field}"
    heard = f"classifiers hear the wanted {pairs.field} in {converted_mean(pairs.nuisance_heard):.0%}"
    if pairs.label_kept is None:
        return f"In conversions {heard}"
    kept = f"{converted_mean(pairs.label_kept):.0%}"
    return f"In conversions {heard}, and the item's own label in {kept}"


def pairs_notes(pairs: ConversionPairs) -> list[str]:
    """Return how the tables of all pairs are read."""
    real = f"the {pairs.field} in {real_mean(pairs.nuisance_heard):.0%}"
    if pairs.label_kept is not None:
        real += f", the label in {real_mean(pairs.label_kept):.0%}"
    notes = [
        f"Each row is the {pairs.field} of the source, each column the wanted {pairs.field}; on the diagonal are the "
        f"items as they are. Classifiers recognise, in items as they are: {real}.",
        f"{range_of(pairs.counts)} for each pair. No classifier was trained on them, or on conversions; the space was "
        "fitted on all items of the collection.",
    ]
    if pairs.left_out:
        notes.append(
            f"{counted(pairs.left_out, 'other value')} of {pairs.field} left out: less frequent, or with too few items."
        )
    return notes


def verdict_of(conversion: Conversion, field: str) -> str:
    """Return what the classifiers hear in one conversion, beside what should be heard."""
    parts = []
    if conversion.heard_nuisance is not None:
        right = conversion.heard_nuisance == conversion.wanted
        parts.append(f"{field} {conversion.heard_nuisance}" + ("" if right else f" instead of {conversion.wanted}"))
    if conversion.heard_label is not None:
        label = conversion.item.label
        wrong = label is not None and conversion.heard_label != label
        parts.append(f"label {conversion.heard_label}" + (f" instead of {label}" if wrong else ""))
    return f"classifiers hear {', '.join(parts)}" if parts else "no classifier can judge it"


def range_of(counts: list[int]) -> str:
    """Write numbers of items as one number, or as a range.

    Examples
    --------
    >>> range_of([30, 30]), range_of([5, 30]), range_of([1])
    ('30 items', '5 to 30 items', '1 item')
    """
    low, high = min(counts), max(counts)
    return counted(low, "item") if low == high else f"{low:,} to {counted(high, 'item')}"
