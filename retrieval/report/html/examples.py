"""The examples: each query, then every space's answers, side by side."""

from __future__ import annotations

import math

from retrieval.experiment.result import Comparison, Example, SpaceResult
from retrieval.report.colours import colour_of
from retrieval.report.figures.pictures import THUMBNAIL, data_uri
from retrieval.report.html.markup import Markup, element, join
from retrieval.report.specs import breakable
from retrieval.search.result import Answer, Shown

#: Documents shown at once; the others open on a click.
CARDS = 5
_SNIPPET = 280
#: Pictures up to this size are enlarged by whole pixels, not smoothed.
_PIXEL_ART = 48
#: What stands under the answers of a space, by its metric.
_MEASURED = {
    "hamming": "Hamming distance, bits",
    "dot": "score (inner product)",
    "euclidean": "Euclidean distance",
    "cosine": "cosine distance",
}


def examples_section(
    comparison: Comparison, key: str, thumbnail: int = THUMBNAIL, most: int | None = None
) -> Markup | None:
    """Write the examples of a comparison.

    Parameters
    ----------
    comparison : Comparison
        With any number of examples.
    key : str
        Prefix of the ids; distinct for every comparison of a page.
    thumbnail : int
        The longest side of a picture, in pixels.
    most : int, optional
        How many examples to write; all by default.
    """
    shown = comparison.examples[:most]
    if not shown:
        return None
    left_out = len(comparison.examples) - len(shown)
    judged = any(hit.relevant is not None for example in shown for hits in example.answers for hit in hits)
    notes = [
        "Each query, and what every space puts nearest to it, nearest first.",
        f"Under each answer {_what_stands_there(comparison.spaces)}, and its label where it has one.",
    ]
    if judged:
        notes.append("✓ relevant, ✗ not relevant.")
    if left_out:
        notes.append(f"{left_out} more are left out to keep the page small.")
    return element(
        "section",
        element("h3", "Examples", id=f"{key}-examples"),
        element("p", " ".join(notes), class_="note"),
        *(_example(example, comparison.spaces, number, thumbnail) for number, example in enumerate(shown, 1)),
        aria_labelledby=f"{key}-examples",
    )


def _what_stands_there(spaces: list[SpaceResult]) -> str:
    """Say what the number under an answer is: a distance, or a score where the metric is none."""
    scored = [str(space.metric) == "dot" for space in spaces]
    score = "its score (larger is better)"
    if all(scored):
        return score
    distance = "its distance in the space's own metric"
    return f"{distance} or, where the space's is an inner product, {score}" if any(scored) else distance


def _example(example: Example, spaces: list[SpaceResult], number: int, thumbnail: int) -> Markup:
    answered = list(enumerate(zip(spaces, example.answers, strict=True)))
    if example.query.picture is not None:
        rows = (_row(space, hits, place, thumbnail) for place, (space, hits) in answered)
        content = element(
            "div", _picture_query(example.query, number, thumbnail), element("div", *rows), class_="pictures"
        )
    else:
        columns = (_column(space, hits, place, thumbnail) for place, (space, hits) in answered)
        content = join(
            _document_query(example.query, number),
            element(
                "div",
                *columns,
                class_="columns",
                tabindex=0,
                role="region",
                aria_label=f"Answers to query {number}",
            ),
        )
    return element("article", content, class_="example")


def _picture_query(query: Shown, number: int, thumbnail: int) -> Markup:
    told = join(
        query.title or "",
        element("br") if query.title else None,
        element("span", _label(query), class_="told"),
    )
    words = element("div", element("h4", f"Query {number}"), told)
    return element("div", _image(query, thumbnail, f"Query {_said(query)}"), words, class_="query")


def _document_query(query: Shown, number: int) -> Markup:
    return element(
        "div",
        element("p", f"Query {number}", f" · {query.label}" if query.label else None, class_="eyebrow"),
        element("h4", query.title or query.id, dir="auto"),
        element("p", _cut(query.snippet), class_="snippet", dir="auto") if query.snippet else None,
        class_="document",
    )


def _row(space: SpaceResult, hits: list[Answer], place: int, thumbnail: int) -> Markup:
    tiles = (
        element(
            "li",
            _tile(hit.shown, thumbnail),
            _told(hit, space, hit.shown.label if hit.shown.picture is not None else None),
            class_=_class(hit),
        )
        for hit in hits
    )
    return element("div", _name(space, hits, place), element("ol", *tiles, class_="strip"), class_="row")


def _tile(shown: Shown, thumbnail: int) -> Markup:
    return element("span", shown.title or shown.id) if shown.picture is None else _image(shown, thumbnail, _said(shown))


def _column(space: SpaceResult, hits: list[Answer], place: int, thumbnail: int) -> Markup:
    cards = [_card(hit, space, thumbnail) for hit in hits]
    rest = cards[CARDS:]
    more = element(
        "details",
        element("summary", f"{len(rest)} more"),
        element("ol", *rest, class_="cards", start=CARDS + 1),
    )
    return element(
        "div",
        _name(space, hits, place),
        element("ol", *cards[:CARDS], class_="cards"),
        more if rest else None,
    )


def _card(hit: Answer, space: SpaceResult, thumbnail: int) -> Markup:
    shown = hit.shown
    return element(
        "li",
        None if shown.picture is None else _image(shown, thumbnail, _said(shown)),
        element("strong", shown.title or shown.id, dir="auto"),
        element("span", _cut(shown.snippet), class_="snippet", dir="auto") if shown.snippet else None,
        _told(hit, space, shown.label),
        class_=f"card {_class(hit)}".strip(),
    )


def _name(space: SpaceResult, hits: list[Answer], place: int) -> Markup:
    judged = [hit.relevant for hit in hits if hit.relevant is not None]
    measured = _MEASURED[str(space.metric)]
    count = f"{sum(judged)} of {len(hits)} relevant"
    return element(
        "div",
        swatch(place),
        element("code", breakable(space.label)),
        element("small", measured),
        element("small", count) if judged else None,
        None if hits else element("small", "no answer"),
        class_="name",
    )


def swatch(place: int) -> Markup:
    """Return the little square in a space's colour."""
    return element("span", class_="swatch", style=f"background:{colour_of(place)}", aria_hidden="true")


def _told(hit: Answer, space: SpaceResult, label: str | None) -> Markup:
    sign = (
        None
        if hit.relevant is None
        else join(
            element("span", "✓" if hit.relevant else "✗", class_="sign", aria_hidden="true"),
            element("span", "relevant, " if hit.relevant else "not relevant, ", class_="hidden"),
            " ",
        )
    )
    named = element("span", label, class_="label") if label else None
    return element("span", sign, _number(hit.number, space.metric), " " if label else None, named, class_="told")


def _number(value: float, metric: str) -> str:
    """Write a distance or a score: whole for bits, otherwise three digits."""
    if not math.isfinite(value):
        return "–"
    if metric == "hamming" or abs(value) < 1e-6:
        return f"{value:.0f}"
    return f"{value:#.3g}".rstrip(".") if 1e-3 <= abs(value) < 1e4 else f"{value:.2g}"


def _image(shown: Shown, thumbnail: int, alt: str) -> Markup:
    assert shown.picture is not None  # noqa: S101  the callers look first
    small = max(shown.picture.shape[:2]) <= _PIXEL_ART
    source = data_uri(shown.picture, thumbnail)
    return element("img", src=source, alt=alt, title=shown.id, class_="pixel" if small else None)


def _class(hit: Answer) -> str:
    return "" if hit.relevant is None else "yes" if hit.relevant else "no"


def _label(shown: Shown) -> str:
    return f"label {shown.label}" if shown.label is not None else shown.id


def _said(shown: Shown) -> str:
    named = f"{shown.title} ({shown.id})" if shown.title else shown.id
    return f"{named}, label {shown.label}" if shown.label is not None else named


def _cut(snippet: str) -> str:
    words = " ".join(snippet.split())
    return words if len(words) <= _SNIPPET else words[:_SNIPPET].rsplit(" ", 1)[0] + " …"
