"""A cluster tree (dendrogram) as SVG, its root on the left and its leaves on the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from retrieval.report.figures.drawing import (
    WIDTH,
    Frame,
    fitted,
    isolated,
    linear_ticks,
    round_ticks,
    svg,
    text_width,
    words,
)
from retrieval.report.figures.markup import Markup, element, join
from retrieval.report.figures.plots import class_mark, edged

_ROW, _PICTURE = 26.0, 22.0


class Branch(NamedTuple):
    """One merge of a drawn tree: the positions and heights of the two parts, and its own height."""

    left: float
    left_height: float
    right: float
    right_height: float
    height: float


class Leaf(NamedTuple):
    """One leaf: its title, what is written after the title and never cut, its cluster, the address of its picture."""

    title: str
    suffix: str
    cluster: int
    picture: str | None = None


def tree_svg(key: str, title: str, branches: Sequence[Branch], leaves: Sequence[Leaf], cut: float) -> Markup:
    """Draw a cluster tree, with a dashed line where it is cut.

    Parameters
    ----------
    key, title : str
    branches : sequence of Branch
        Positions count leaves from 0.
    leaves : sequence of Leaf
        From top to bottom.
    cut : float
        Height of the cut.
    """
    left = 14.0
    right = min(
        290.0, max(150.0, WIDTH - max(map(_leaf_width, leaves), default=0))
    )  # titles need more room than labels
    top = max((branch.height for branch in branches), default=1.0) * 1.03
    frame = Frame(right, left, 8, 8 + _ROW * len(leaves), 0, top)  # heights grow to the left

    def y(position: float) -> float:
        return frame.top + _ROW * (position + 0.5)

    ticks = [value for value in round_ticks(0, top, 4) if value <= top]
    parts = linear_ticks(frame, ticks)
    for branch in branches:
        x = frame.across(branch.height)
        path = (
            f"M{frame.across(branch.left_height):.1f} {y(branch.left):.1f}H{x:.1f}V{y(branch.right):.1f}"
            f"H{frame.across(branch.right_height):.1f}"
        )
        parts.append(element("path", d=path, fill="none", stroke="currentColor", stroke_width=1.3))
    x = frame.across(cut)
    parts.append(
        element(
            "line",
            x1=x,
            x2=x,
            y1=frame.top,
            y2=frame.bottom,
            stroke="#D55E00",
            stroke_width=1.6,
            stroke_dasharray="5 3",
        )
    )
    for position, leaf in enumerate(leaves):
        parts += _leaf(right + 10, y(position), leaf)
    parts.append(words(left, frame.bottom + 36, "merge height (Ward: √(2 × increase of squared error))"))
    return svg(key, title, f"{len(leaves)} leaves, cut at height {cut:.3g}", frame.bottom + 48, join(*parts))


def _leaf_width(leaf: Leaf) -> float:
    """Return the room for a leaf, right of the tree."""
    picture = 0 if leaf.picture is None else _PICTURE + 6
    return 24 + picture + text_width(f"{leaf.title} {leaf.suffix}".strip())


def _leaf(x: float, y: float, leaf: Leaf) -> list[Markup]:
    parts = edged([class_mark(x, y, leaf.cluster, 4)], 1)
    start = x + 10
    if leaf.picture is not None:
        parts.append(
            element(
                "image",
                href=leaf.picture,
                x=start,
                y=y - _PICTURE / 2,
                width=_PICTURE,
                height=_PICTURE,
                style="image-rendering: pixelated",
            )
        )
        start += _PICTURE + 6
    suffix = f" {leaf.suffix}" if leaf.title and leaf.suffix else leaf.suffix
    title = isolated(fitted(leaf.title, WIDTH - start - 2 - text_width(suffix)))
    parts.append(words(start, y + 4, title + suffix))
    return parts
