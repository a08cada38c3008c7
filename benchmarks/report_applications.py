"""The part of docs/results.md on what codes are good for."""

from __future__ import annotations

from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

from record import latest, latest_of_each
from report_page import TARGETS

from retrieval.applications.compression.rate_distortion import error_at

if TYPE_CHECKING:
    from report_page import Page

#: Bytes of a picture at which the table shows each method.
#: What must be known about the pictures of a corpus.
REMARKS = {
    "cifar10": "The pictures have been JPEG files of quality 75 before they came here: JPEG of that quality finds its "
    "own grid again (error .026 at 296 bytes, less than at higher qualities), and blocks of 8 x 8 cosines profit too."
}
LEVELS = {"mnist": (10, 20, 30, 60, 120), "cifar10": (50, 100, 200, 400, 800), "orl-faces": (100, 200, 400, 800, 1600)}


def compression(page: Page, run: dict[str, Any]) -> None:
    page.heading("Compressed pictures", run)
    page.lines += [
        "",
        "Squared error of held-out pictures, summed over values from 0 to 1, at the bytes that were really written "
        "(interpolated between two measured sizes), without what stands in a file once; in brackets from how many "
        "pictures on a file with its encoder is smaller than the best codec at the same error. Codecs: a file for each "
        "picture, the same without the bytes that all files share, and all pictures in one mosaic.",
    ]
    rows = []
    for figures in _over_seeds():
        _corpus(page, figures)
        rows += _targets(page, figures)
    if rows:
        page.table(TARGETS, rows)
    choice = latest("compression_choice")
    if choice is not None:
        _choice(page, choice["figures"])


def _over_seeds() -> list[dict[str, Any]]:
    """Return for each corpus the figures of its first seed, with the runs, and the mean best error, of all seeds."""
    by_corpus: dict[str, dict[int, dict[str, Any]]] = {}
    for made in latest_of_each("compression", "corpus", "seed"):  # rows without a seed are older, and of seed 0
        by_corpus.setdefault(made["figures"]["corpus"], {})[made["figures"].get("seed", 0)] = made["figures"]
    found = []
    for by_seed in by_corpus.values():
        every = [by_seed[seed] for seed in sorted(by_seed)]
        best = every[0]["best"] and {
            **every[0]["best"],
            "error": fmean(one["best"]["error"] for one in every),
            "jpeg": {name: fmean(one["best"]["jpeg"][name] for one in every) for name in every[0]["best"]["jpeg"]},
        }
        runs = [run for one in every for run in one["runs"]]
        found.append({**every[0], "runs": runs, "best": best, "seeds": len(every)})
    return found


def _choice(page: Page, figures: dict[str, Any]) -> None:
    page.lines += [
        "",
        f"The blocks for faces were chosen before, by the squared error at {figures['bytes']:.0f} bytes of "
        f"{figures['held_out']}, all of them people of the training pictures:",
    ]
    errors = sorted((error, name) for name, error in figures["errors"].items() if error and "block" in name)
    page.table(["space", "squared error"], [[f"`{name}`", error] for error, name in errors])


def _corpus(page: Page, figures: dict[str, Any]) -> None:
    first, levels = figures["runs"][0], LEVELS[figures["corpus"]]
    page.lines += [
        "",
        f"**{figures['corpus']}**: {first['items']:,} pictures of {first['raw_bytes']:,} bytes, {first['held_out']}"
        + f"; {_means_of(len(figures['runs']), figures['seeds'])}.",
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
    if figures["corpus"] in REMARKS:
        page.lines += ["", REMARKS[figures["corpus"]]]


def _means_of(runs: int, seeds: int) -> str:
    """Say over what the errors are means, with ± their deviation.

    Examples
    --------
    >>> _means_of(1, 1), _means_of(3, 3), _means_of(6, 2)
    ('one seed', 'means of 3 seeds', 'means of 6 choices')
    """
    if runs > seeds:
        return f"means of {runs} choices"
    return "one seed" if seeds == 1 else f"means of {seeds} seeds"


def _at(curves: list[dict[str, Any]], level: int) -> str:
    """Return the mean error at a size, with the break-even count of the first run."""
    errors = [
        error_at([(point["bytes_per_item"], point["error"]) for point in curve["points"]], level) for curve in curves
    ]
    known = [error for error in errors if error is not None]
    if len(known) < len(errors):
        return "–"
    within = [point for point in curves[0]["points"] if point["bytes_per_item"] <= level]
    items = within[-1].get("break_even")
    deviation = pstdev(known)
    varied = f" ± {deviation:.2g}" if deviation > 0.0005 * fmean(known) else ""
    return f"{fmean(known):.3g}{varied}" + (f" ({items:,})" if items else "")


def _targets(page: Page, figures: dict[str, Any]) -> list[list[Any]]:
    best = figures["best"]
    if best is None:
        return []
    what = f"{figures['corpus']}: squared error at {best['bytes']:.0f} bytes, `{best['space']}`"
    if figures["corpus"] == "mnist":
        return [page.target(what, best["error"], 3.0, False)]
    return [page.target(f"{what}, beside {name}", best["error"], error, False) for name, error in best["jpeg"].items()]


PARTS = {"compression": compression}
