"""A comparison as one HTML file that loads nothing, and runs nothing but its own explorer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from encoders.listed import listed
from retrieval.experiment.result import Comparison
from retrieval.output import writing
from retrieval.report.figure_titles import cost_title
from retrieval.report.figures.markup import Markup
from retrieval.report.figures.pictures import THUMBNAIL
from retrieval.report.html.byte_budgets import bytes_data
from retrieval.report.html.examples import examples_data
from retrieval.report.html.explorer_data import BUDGET, explorer_block
from retrieval.report.html.fusion import fusion_data
from retrieval.report.html.health import health_data
from retrieval.report.html.losses import losses_data
from retrieval.report.html.script import script, script_policy
from retrieval.report.html.sections import (
    differences_data,
    figures_data,
    method_data,
    overlap_data,
    table_data,
    training_data,
)
from retrieval.report.html.template import render
from retrieval.report.rung import judge
from retrieval.report.verdict import below_headline, headline

#: The largest page in bytes.
MAX_BYTES = 5_000_000
#: Pictures shrink before examples are left out: (longest side in pixels, examples kept; None = all).
_SIZES: tuple[tuple[int, int | None], ...] = (
    (THUMBNAIL, None), (64, None), (48, None), (32, None), (32, 6), (32, 3), (32, 1), (32, 0),
)  # fmt: skip


def write_page(comparisons: Comparison | Sequence[Comparison], path: str | Path) -> Path:
    """Write one or several comparisons as one self-contained page.

    Parameters
    ----------
    comparisons : Comparison or sequence of Comparison
        One section of the page each.
    path : str or Path
        The file. An existing one is replaced; missing folders are made.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArtifactError
        When the file cannot be written; an existing one is then unchanged.
    """
    several = [comparisons] if isinstance(comparisons, Comparison) else list(comparisons)
    path = Path(path)
    explorers = [explorer_block(comparison, BUDGET // len(several)) for comparison in several]
    content = _within(several, MAX_BYTES, explorers)
    with writing(path) as file:
        file.write(content)
    return path


def page(
    comparisons: Sequence[Comparison],
    thumbnail: int = THUMBNAIL,
    limit: int | None = None,
    explorers: Sequence[Markup | None] = (),
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One section each, in this order.
    thumbnail : int
        The longest side of a picture, in pixels.
    limit : int, optional
        Number of examples shown of each comparison; by default all.
    explorers : sequence of Markup or None
        The data of the explorer of each comparison, by `explorer_block`; without any, the page has no script.
    """
    blocks = explorers or [None] * len(comparisons)
    sections = [
        {
            **_section(comparison, f"c{number}"), "name": name, "examples": examples_data(comparison, thumbnail, limit),
            "explorer": block,
        }
        for number, (comparison, name, block) in enumerate(
            zip(comparisons, _names(comparisons), blocks, strict=True), 1
        )
    ]  # fmt: skip
    runs = {"script": script(), "script_policy": script_policy()} if any(blocks) else {"script": None}
    return render("comparison.html", title=_title(comparisons), comparisons=sections, **runs)


def _within(comparisons: Sequence[Comparison], limit: int, explorers: Sequence[Markup | None]) -> bytes:
    for thumbnail, limit_of_examples in _SIZES:
        content = page(comparisons, thumbnail, limit_of_examples, explorers).encode()
        if len(content) < limit:
            return content
    return content


def _title(comparisons: Sequence[Comparison]) -> str:
    names = listed([comparison.corpus for comparison in comparisons]) if comparisons else "nothing"
    return f"nearby: spaces compared on {names}"


def _names(comparisons: Sequence[Comparison]) -> list[str]:
    """Return a name for each comparison: its corpus, with a number from the second comparison of a corpus on."""
    corpora = [comparison.corpus for comparison in comparisons]
    earlier = [corpora[:position].count(corpus) for position, corpus in enumerate(corpora)]
    return [f"{corpus} ({count + 1})" if count else corpus for corpus, count in zip(corpora, earlier, strict=True)]


def _section(comparison: Comparison, key: str) -> dict[str, Any]:
    """Return what the page shows of a comparison, apart from its examples."""
    return {
        "key": key,
        "comparison": comparison,
        "facts": f"{comparison.n_items:,} {comparison.modality} items · {comparison.n_queries:,} queries · "
        f"judged by {judge(comparison.judged_by)}",
        "headline": headline(comparison),
        "below_headline": below_headline(comparison),
        "cost": cost_title(comparison),
        "table": table_data(comparison),
        "figures": figures_data(comparison, key),
        "losses": losses_data(comparison, key),
        "differences": differences_data(comparison),
        "bytes": bytes_data(comparison, key),
        "fusion": fusion_data(comparison),
        "first_seed": comparison.first_seed_note,
        "overlap": overlap_data(comparison),
        "health": health_data(comparison.health, key),
        "training": training_data(comparison, key),
        "method": method_data(comparison),
    }
