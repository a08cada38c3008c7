"""Items and scores as a person reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Metric
from encoders.numbers import span
from encoders.row import Row
from encoders.sound import Sound
from retrieval.corpora.base import Item


@dataclass(frozen=True)
class Shown:
    """A query or an answer as it is shown: a picture (uint8), a sound, a row, or a title with a snippet."""

    id: str
    label: str | None
    title: str | None = None
    snippet: str | None = None
    picture: NDArray[np.uint8] | None = None
    sound: Sound | None = None
    row: Row | None = None


@dataclass(frozen=True)
class Answer:
    """One answer of one space.

    ``distance`` is in the space's own metric (see ``SpaceResult.metric``): None if answers are ranked by a score
    that is no distance (inner products, BM25).
    """

    shown: Shown
    score: float
    distance: float | None
    relevant: bool | None

    @property
    def number(self) -> float:
        """The number to print: the distance, or the score when there is none."""
        return self.score if self.distance is None else self.distance


def length_of(sound: Sound) -> str:
    """Return how long a sound lasts, as it is shown.

    Examples
    --------
    >>> length_of(Sound(np.zeros(3440, np.int16), 8000)), length_of(Sound(np.zeros(10**6, np.int16), 8000))
    ('0.43 s', '2 min 5 s')
    """
    return f"{sound.seconds:.2f} s" if sound.seconds < 60 else span(sound.seconds)


#: Letters of a title that is cut from the text, and of a snippet.
TITLE, SNIPPET = 80, 240


def cut_at_word(text: str, limit: int) -> str:
    """Return at most `limit` letters of a text; a cut text ends with a whole word, if it has one, and an ellipsis.

    Examples
    --------
    >>> cut_at_word("heat transfer", 20), cut_at_word("heat transfer", 9), cut_at_word("heattransfer", 9)
    ('heat transfer', 'heat…', 'heattran…')
    """
    if len(text) <= limit:
        return text
    head = text[:limit]
    return f"{head.rsplit(maxsplit=1)[0] if ' ' in head.strip() else head[:-1]}…"


def distance_of(score: float, metric: Metric) -> float | None:
    """Return the distance that belongs to a score; None for an inner product, which has no distance.

    Examples
    --------
    >>> distance_of(-25.0, Metric.EUCLIDEAN), distance_of(0.75, Metric.COSINE), distance_of(-3.0, Metric.HAMMING)
    (5.0, 0.25, 3.0)
    >>> distance_of(0.0, Metric.EUCLIDEAN), distance_of(1.0000001, Metric.COSINE)
    (0.0, 0.0)
    >>> distance_of(5.8, Metric.DOT) is None
    True
    """
    if metric is Metric.DOT:
        return None
    distance = 1 - score if metric is Metric.COSINE else -score
    nearest = max(distance, 0.0) + 0.0  # rounding makes distances a little negative, and -0.0 is printed with its sign
    return float(np.sqrt(nearest)) if metric is Metric.EUCLIDEAN else nearest


def show(item: Item) -> Shown:
    """Return the parts of an item that are shown: a picture, a sound, or a title and a snippet."""
    content = item.content
    if isinstance(content, str):
        title, rest = item.title, content
        if not title:
            title = cut_at_word(content, TITLE)
            rest = content[len(title.removesuffix("…")) :]
        else:
            text = " ".join(content.split())
            after = text.removeprefix(" ".join(title.split()))
            rest = text if after[:1].isalnum() else after
        return Shown(item.id, item.label, title, cut_at_word(" ".join(rest.split()), SNIPPET))
    if isinstance(content, Sound):
        return Shown(item.id, item.label, item.title, sound=content)
    if isinstance(content, Row):
        text = str(content)
        if item.title:
            return Shown(item.id, item.label, item.title, cut_at_word(text, SNIPPET), row=content)
        title = cut_at_word(text, TITLE)
        rest = text[len(title.removesuffix("…")) :].strip()
        return Shown(item.id, item.label, title, cut_at_word(rest, SNIPPET), row=content)
    if content.dtype == np.uint8 and content.ndim in (2, 3):
        return Shown(item.id, item.label, item.title, picture=content)
    return Shown(item.id, item.label, item.title or item.id)
