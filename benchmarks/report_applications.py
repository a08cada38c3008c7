"""The part of docs/results.md on what codes are good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from record import latest_of_each
from report_page import TARGETS

if TYPE_CHECKING:
    from report_page import Page

#: Bytes of a picture at which the table shows each method.
LEVELS = {"mnist": (10, 20, 30, 60, 120), "cifar10": (50, 100, 200, 400, 800), "orl-faces": (100, 200, 400, 800, 1600)}


def compression(page: Page, run: dict[str, Any]) -> None:
    page.heading("Compressed pictures", run)
    page.lines += [
        "",
        "Squared error of held-out pictures, summed over values from 0 to 1, at the bytes that were really written "
        "(the best point that needs no more), without what stands in a file once; in brackets from how many pictures "
        "on a file with its encoder is smaller than the best codec at the same error. Codecs: a file for each picture, "
        "the same without the bytes that all files share, and all pictures in one mosaic.",
    ]
    rows = []
    for made in latest_of_each("compression", "corpus"):
        figures = made["figures"]
        _corpus(page, figures)
        rows += _targets(page, figures)
    if rows:
        page.table(TARGETS, rows)


def _corpus(page: Page, figures: dict[str, Any]) -> None:
    first, levels = figures["runs"][0], LEVELS[figures["corpus"]]
    page.lines += [
        "",
        f"**{figures['corpus']}**: {first['items']:,} pictures of {first['raw_bytes']:,} bytes, {first['held_out']}"
        + (f"; means of {len(figures['runs'])} choices." if len(figures["runs"]) > 1 else "."),
    ]
    rows = []
    for number, curve in enumerate(first["curves"]):
        curves = [run["curves"][number] for run in figures["runs"]]
        once = [curve["points"][-1]["once"] if curve["learnt"] else "–"]
        times = [1000 * sum(point[key] for point in curve["points"]) / len(curve["points"])
                 for key in ("compress_seconds", "decompress_seconds")]  # fmt: skip
        rows.append([f"`{curve['name']}`" if curve["learnt"] else curve["name"],
                     *(_at(curves, level) for level in levels), *once, *times])  # fmt: skip
    heads = [f"{level} B" for level in levels]
    page.table(["method", *heads, "bytes once", "ms to compress", "ms to decompress"], rows)


def _at(curves: list[dict[str, Any]], level: int) -> str:
    """Return the mean error at a size, with the break-even count of the first run."""
    points = [
        min((point for point in curve["points"] if point["bytes_per_item"] <= level), key=lambda one: one["error"],
            default=None)
        for curve in curves
    ]  # fmt: skip
    if any(point is None for point in points):
        return "–"
    error = sum(point["error"] for point in points if point) / len(points)
    items = (points[0] or {}).get("break_even")
    return f"{error:.3g}" + (f" ({items:,})" if items else "")


def _targets(page: Page, figures: dict[str, Any]) -> list[list[Any]]:
    best = figures["best"]
    if best is None:
        return []
    what = f"{figures['corpus']}: squared error at {best['bytes']:.0f} bytes, `{best['space']}`"
    if figures["corpus"] == "mnist":
        return [page.target(what, best["error"], 3.0, False)]
    return [page.target(f"{what}, beside {name}", best["error"], error, False) for name, error in best["jpeg"].items()]


PARTS = {"compression": compression}
