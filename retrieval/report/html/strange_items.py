"""What a page shows of strange items: pictures or values that raise the score, and the nearest normal items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.applications.anomaly.explanation import Explanation
from retrieval.applications.anomaly.strangest import ExplainedItem
from retrieval.report.anomaly_words import NAME, identical_sentence, number, table_value, unknown_words_sentence
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
    return [_item(rank, one, kind) for rank, (one, kind) in enumerate(zip(items, kinds, strict=True), start=1)]


def _item(rank: int, one: ExplainedItem, kind: str) -> dict[str, Any]:
    found, shown = one.explanation, one.shown
    return {
        "rank": rank,
        "id": shown.id,
        "label": shown.label or "",
        "kind": kind,
        "identical": identical_sentence(one.identical),
        "text": _text(shown) if found.item is None else "",
        "score": number(found.score),
        "p": f"{found.p_value:.4f}",
        "pictures": _pictures(one),
        "columns": [_component(component, found) for component in found.components[:COMPONENTS]],
        "compared": any(component.nearest is not None for component in found.components[:COMPONENTS]),
        "rest": max(0, len(found.components) - COMPONENTS),
        "means": found.means,
        "unknown": unknown_words_sentence(found),
        "near": [_near(one.shown, one.distance, found) for one in found.nearest],
    }


def _text(shown: Shown) -> str:
    parts = [part for part in (shown.title, shown.snippet) if part and part != shown.id]
    return cut_at_word(" ".join(" ".join(parts).split()), LETTERS)


def _component(component: Any, found: Explanation) -> dict[str, str]:
    write = table_value if found.by_column else number
    return {
        "name": cut_at_word(component.name, NAME),
        "share": f"{component.share:.0%}",
        "observed": write(component.observed) + (" (rare)" if component.is_rare else ""),
        "expected": write(component.expected),
        "nearest": write(component.nearest),
    }


def _pictures(one: ExplainedItem) -> list[dict[str, Any]]:
    found = one.explanation
    if found.item is None or found.expected is None or found.heat is None:
        return []
    name = one.shown.id
    cells = [
        (found.item, "item", f"Item {name}"),
        (found.expected, "expected", f"What the space expects instead of item {name}"),
        (heat_picture(found.heat), "share of the score", f"Where the score of item {name} comes from: dark is much"),
    ]
    return [{**_picture(picture), "caption": caption, "alt": alt} for picture, caption, alt in cells]


def _picture(picture: NDArray[np.uint8]) -> dict[str, Any]:
    return {"src": data_uri(picture, THUMBNAIL), "small": max(picture.shape[:2]) <= _SMALL}


def _near(shown: Shown, distance: float, found: Explanation) -> dict[str, Any]:
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
