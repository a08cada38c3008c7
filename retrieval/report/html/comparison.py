"""The comparison as one HTML file: nothing is loaded, nothing runs, everything from the corpus is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retrieval.experiment.result import Comparison
from retrieval.output import writing
from retrieval.report.figures.pictures import THUMBNAIL
from retrieval.report.html.document import document
from retrieval.report.html.examples import examples_section
from retrieval.report.html.markup import Markup, element
from retrieval.report.html.sections import figures_section, method_section, overlap_section, table_section
from retrieval.report.html.training_history import training_section
from retrieval.report.verdict import answer, cost_title, listed

#: The page stays below this.
MAX_BYTES = 5_000_000
#: Pictures shrink before examples are left out: (longest side in pixels, examples kept; None = all).
_SIZES: tuple[tuple[int, int | None], ...] = (
    (THUMBNAIL, None), (64, None), (48, None), (32, None), (32, 6), (32, 3), (32, 1), (32, 0),
)  # fmt: skip


def write_page(comparisons: Comparison | Sequence[Comparison], path: str | Path) -> Path:
    """Write one or several comparisons as one self-contained page, all or nothing.

    Parameters
    ----------
    comparisons : Comparison or sequence of Comparison
        What was found; one section each.
    path : str or Path
        The file, replaced where there is one; its folder is made.

    Returns
    -------
    Path
        Where the page lies.

    Raises
    ------
    ArtifactError
        When the file cannot be written; an older one is then untouched.
    """
    several = [comparisons] if isinstance(comparisons, Comparison) else list(comparisons)
    path = Path(path)
    content = _within(several, MAX_BYTES)
    with writing(path) as file:
        file.write(content)
    return path


def page(comparisons: Sequence[Comparison], thumbnail: int = THUMBNAIL, most: int | None = None) -> Markup:
    """Return the page as HTML.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One section each, in this order.
    thumbnail : int
        The longest side of a picture, in pixels.
    most : int, optional
        How many examples of each comparison to show; all by default.
    """
    title = _title(comparisons)
    return document(
        title,
        _contents(comparisons) if len(comparisons) > 1 else None,
        *(_comparison(one, f"c{place}", thumbnail, most) for place, one in enumerate(comparisons, 1)),
    )


def _within(comparisons: Sequence[Comparison], limit: int) -> bytes:
    for thumbnail, most in _SIZES:
        content = page(comparisons, thumbnail, most).encode()
        if len(content) < limit:
            return content
    return content


def _title(comparisons: Sequence[Comparison]) -> str:
    names = listed([comparison.corpus for comparison in comparisons]) if comparisons else "nothing"
    return f"nearby: spaces compared on {names}"


def _contents(comparisons: Sequence[Comparison]) -> Markup:
    links = (element("a", one.corpus, href=f"#c{place}") for place, one in enumerate(comparisons, 1))
    return element("nav", *links, aria_label="Comparisons")


def _comparison(comparison: Comparison, key: str, thumbnail: int, most: int | None) -> Markup:
    sections = (
        ("curves", "curves", figures_section(comparison, key)),
        ("overlap", "overlap of neighbours", overlap_section(comparison, key)),
        ("examples", "examples", examples_section(comparison, key, thumbnail, most)),
        ("training", "training", training_section(comparison, key)),
        ("method", "how it was measured", method_section(comparison, key)),
    )
    links = (element("a", name, href=f"#{key}-{anchor}") for anchor, name, part in sections if part is not None)
    facts = (
        f" · {comparison.n_items:,} {comparison.modality} items · {comparison.n_queries:,} queries · "
        f"judged by {comparison.judged_by}"
    )
    return element(
        "section",
        element("p", element("strong", comparison.corpus), facts, class_="eyebrow"),
        element("h2", answer(comparison), id=f"{key}-answer"),
        element("p", f"{cost_title(comparison)}."),
        element("nav", *links, aria_label=f"Sections of {comparison.corpus}"),
        table_section(comparison),
        *(part for _, _, part in sections),
        class_="comparison",
        id=key,
        aria_labelledby=f"{key}-answer",
    )
