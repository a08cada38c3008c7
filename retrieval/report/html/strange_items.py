"""What a page shows of strange items: pictures or values that raise the score, and the nearest normal items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.anomaly.explanation import Explanation
from retrieval.applications.anomaly.strangest import ExplainedItem
from retrieval.report.anomaly_words import (
    NAME,
    identical_sentence,
    number,
    p_value_text,
    table_value,
    unknown_words_sentence,
)
from retrieval.report.figures.heat_map import heat_picture
from retrieval.report.figures.pictures import THUMBNAIL, data_uri
from retrieval.report.figures.spectrogram import picture_shown
from retrieval.search.result import Shown, cut_at_word

#: Components of an item that are listed, and letters of a text.
COMPONENTS, LETTERS = 5, 240
#: Pictures up to this side are enlarged by whole pixels.
_SMALL = 48


def strange_items(items: Sequence[ExplainedItem], kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Return the items of a page, strangest first.

    Parameters
    ----------
    items : sequence of ExplainedItem
    kinds : sequence of str
        What each one is, such as ``anomaly`` or ``flagged``.
    """
    return [_item(rank, item, kind) for rank, (item, kind) in enumerate(zip(items, kinds, strict=True), start=1)]


def _item(rank: int, item: ExplainedItem, kind: str) -> dict[str, Any]:
    explanation, shown = item.explanation, item.shown
    return {
        "rank": rank,
        "id": shown.id,
        "label": shown.label or "",
        "kind": kind,
        "identical": identical_sentence(item.identical),
        "text": _text(shown) if explanation.item is None else "",
        "score": number(explanation.score),
        "p": p_value_text(explanation.p_value),
        "pictures": _pictures(item),
        "columns": [_component(component, explanation) for component in explanation.components[:COMPONENTS]],
        "compared": any(component.nearest is not None for component in explanation.components[:COMPONENTS]),
        "rest": max(0, len(explanation.components) - COMPONENTS),
        "means": explanation.means,
        "unknown": unknown_words_sentence(explanation),
        "near": [_near(neighbour.shown, neighbour.distance, explanation) for neighbour in explanation.nearest],
    }


def _text(shown: Shown) -> str:
    parts = [part for part in (shown.title, shown.snippet) if part and part != shown.id]
    return cut_at_word(" ".join(" ".join(parts).split()), LETTERS)


def _component(component: Any, explanation: Explanation) -> dict[str, str]:
    write = table_value if explanation.by_column else number
    return {
        "name": cut_at_word(component.name, NAME),
        "share": f"{component.share:.0%}",
        "observed": write(component.observed) + (" (rare)" if component.is_rare else ""),
        "expected": write(component.expected),
        "nearest": write(component.nearest),
    }


def _pictures(item: ExplainedItem) -> list[dict[str, Any]]:
    explanation = item.explanation
    if explanation.item is None or explanation.expected is None or explanation.heat is None:
        return []
    name = item.shown.id
    cells = [
        (explanation.item, "item", f"Item {name}"),
        (explanation.expected, "expected", f"What the space expects instead of item {name}"),
        (
            heat_picture(explanation.heat),
            "share of the score",
            f"Where the score of item {name} comes from: dark is much",
        ),
    ]
    return [{**_picture(picture), "caption": caption, "alt": alt} for picture, caption, alt in cells]


def _picture(picture: NDArray[np.uint8]) -> dict[str, Any]:
    return {"src": data_uri(picture, THUMBNAIL), "small": max(picture.shape[:2]) <= _SMALL}


def _near(shown: Shown, distance: float, explanation: Explanation) -> dict[str, Any]:
    picture = picture_shown(shown) if shown.picture is not None or shown.sound is not None else None
    named = f"Nearest normal item {shown.id}" + (f", label {shown.label}" if shown.label else "")
    return {
        "id": shown.id,
        "label": shown.label or "",
        "distance": number(distance),
        "text": _text(shown) if picture is None else "",
        **({} if picture is None else {**_picture(picture), "alt": named}),
        "has_picture": picture is not None,
    }
