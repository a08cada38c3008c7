"""What the examples show: each query, then the answers of every space, side by side."""

from __future__ import annotations

import math
from typing import Any

from retrieval.experiment.result import Comparison, Example, SpaceResult
from retrieval.report.figures.pictures import THUMBNAIL, data_uri
from retrieval.report.figures.spectrogram import picture_shown
from retrieval.report.html.sounds import MAX_SECONDS, sound_uri
from retrieval.search.result import Answer, Shown, cut_at_word, length_of

#: Documents that are visible at once; the others open on a click.
CARDS = 5
#: Letters of the snippet of an answer: two lines of a card.
SNIPPET = 96
#: Pictures up to this size are enlarged by whole pixels, not smoothed.
_PIXEL_ART = 48
#: What the number under an answer is, by the metric of the space.
_MEASURED = {
    "hamming": "Hamming distance, bits",
    "dot": "score (inner product)",
    "euclidean": "Euclidean distance",
    "cosine": "cosine distance",
}


def examples_data(
    comparison: Comparison, thumbnail: int = THUMBNAIL, limit: int | None = None
) -> dict[str, Any] | None:
    """Return the examples of a comparison; None without any.

    Parameters
    ----------
    comparison : Comparison
    thumbnail : int
        The longest side of a picture, in pixels.
    limit : int, optional
        Number of examples; by default all.
    """
    examples = comparison.examples[:limit]
    if not examples:
        return None
    items = {hit.shown.id: hit.shown for example in examples for hits in example.answers for hit in hits}
    shown = {name: _shown(item, thumbnail) for name, item in items.items()}  # each picture is encoded once
    return {
        "note": _note(comparison, examples, _seconds(thumbnail)),
        "open": CARDS,
        "shown": [
            {
                "number": number,
                "query": _query(example.query, thumbnail),
                "spaces": [
                    _answered(space, hits, position, shown)
                    for position, (space, hits) in enumerate(zip(comparison.spaces, example.answers, strict=True))
                ],
            }
            for number, example in enumerate(examples, 1)
        ],
    }


def _note(comparison: Comparison, shown: list[Example], seconds: float) -> str:
    left_out = len(comparison.examples) - len(shown)
    judged = any(hit.relevant is not None for example in shown for hits in example.answers for hit in hits)
    heard = any(example.query.sound is not None for example in shown)
    return " ".join(
        [
            "Each query with the nearest items of every space, nearest first.",
            f"Under each answer: {_number_name(comparison.spaces)}, and its label if it has one.",
            *(
                [f"Pictures are spectrograms, high pitch on top; the first {seconds:g} s can be played."]
                if heard
                else []
            ),
            *(["✓ relevant, ✗ not relevant."] if judged else []),
            *([f"{left_out} more examples are left out to keep the page small."] if left_out else []),
        ]
    )


def _number_name(spaces: list[SpaceResult]) -> str:
    """Return what the number under an answer is: a distance, or a score where the metric is not a distance."""
    scored = [str(space.metric) == "dot" for space in spaces]
    score = "its score (larger is better)"
    if all(scored):
        return score
    distance = "its distance in the metric of the space"
    return f"{distance} or, where that is an inner product, {score}" if any(scored) else distance


def _query(query: Shown, thumbnail: int) -> dict[str, Any]:
    """Return a query; a title that is the cut beginning of the text is completed from the snippet."""
    shown = _shown(query, thumbnail)
    if query.title and query.title.endswith("…") and query.snippet:
        return {**shown, "heading": f"{query.title.removesuffix('…')} {query.snippet}", "snippet": ""}
    return {**shown, "snippet": _spaced(query.snippet)}


def _answered(space: SpaceResult, hits: list[Answer], position: int, shown: dict[str, Any]) -> dict[str, Any]:
    judged = [hit.relevant for hit in hits if hit.relevant is not None]
    return {
        "space": space,
        "position": position,
        "measured": _MEASURED[str(space.metric)],
        "counted": f"{sum(judged)} of {len(hits)} relevant" if judged else "",
        "answers": [
            {"shown": shown[hit.shown.id], "relevant": hit.relevant, "number": _number(hit.number, space.metric)}
            for hit in hits
        ],
    }


def _shown(shown: Shown, thumbnail: int) -> dict[str, Any]:
    """Return an item: its picture as a data address, a sound with its spectrogram, or its heading and snippet."""
    picture = picture_shown(shown)
    return {
        "id": shown.id,
        "label": shown.label,
        "title": shown.title,
        "heading": shown.title or shown.id,
        "snippet": cut_at_word(_spaced(shown.snippet), SNIPPET),
        "src": None if picture is None else data_uri(picture, thumbnail),
        "sound": None if shown.sound is None else sound_uri(shown.sound, _seconds(thumbnail)),
        "length": "" if shown.sound is None else length_of(shown.sound),
        "small": picture is not None and max(picture.shape[:2]) <= _PIXEL_ART,
        "alt": _alt(shown),
    }


def _seconds(thumbnail: int) -> float:
    """Return how much of a sound can be played: a page with smaller pictures has shorter sounds."""
    return MAX_SECONDS * thumbnail / THUMBNAIL


def _spaced(text: str | None) -> str:
    return " ".join((text or "").split())


def _number(value: float, metric: str) -> str:
    """Write a distance or a score: whole for bits, otherwise three digits."""
    if not math.isfinite(value):
        return "–"
    if metric == "hamming" or abs(value) < 1e-6:
        return f"{value:.0f}"
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 1e4 else f"{value:.2g}"


def _alt(shown: Shown) -> str:
    named = f"{shown.title} ({shown.id})" if shown.title else shown.id
    return f"{named}, label {shown.label}" if shown.label is not None else named
