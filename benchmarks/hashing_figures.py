"""The figures of docs/results.md about bits: precision at k on CIFAR-10, precision and recall on 20 Newsgroups.

Run: ``python benchmarks/hashing_figures.py docs``
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from record import averaged

from retrieval.report.figures.plots import Series, lines_svg

CUTOFFS = (1, 2, 5, 10, 20, 50, 100)
PICTURES = ("patches, 256 bits", "256 numbers", "256 bits", "28 bits", "pixels", "random hyperplanes, 256 bits")
POSTINGS = ("tfidf", "bm25", "lsa:128", "lsa signs, 32 bits", "semantic hash, 32 bits", "semantic hash, 128 bits")

#: Ink and paper of a figure in the documentation: those of a report.
STYLE = (
    "svg{color:#1d1f23;background:#fdfdfc}.ground{fill:#fdfdfc}"
    "@media(prefers-color-scheme:dark){svg{color:#e6e7e9;background:#15171a}.ground{fill:#15171a}}"
)

#: Pixels of a unit of a figure: its letters are then as high as those of the page.
SCALE = 1.3


def main(folder: str) -> None:
    images, texts = averaged("image_hashing"), averaged("text_hashing")
    if images is not None:
        spaces = images["figures"]["spaces"]
        series = [Series(name, [spaces[name][f"P@{k}"] for k in CUTOFFS]) for name in PICTURES]
        drawn = lines_svg(
            "cifar", "Mean precision at k on CIFAR-10", CUTOFFS, series, "k (log)", "P@k", logarithmic=True
        )
        written(Path(folder) / "image-hashing.svg", str(drawn))
    if texts is not None:
        spaces = texts["figures"]["spaces"]
        series = [Series(name, spaces[name]["curve"]) for name in POSTINGS]
        levels = [level / 10 for level in range(11)]
        title = "Interpolated precision on 20 Newsgroups"
        drawn = lines_svg("postings", title, levels, series, "recall", "precision")
        written(Path(folder) / "text-hashing.svg", str(drawn))


def written(path: Path, drawn: str) -> None:
    """Write a figure on paper of its own, which is light or dark as the page around it is, in a size that fits text."""
    width, height = (float(side) * SCALE for side in re.findall(r'viewBox="0 0 (\S+) (\S+)"', drawn)[0])
    sized = drawn.replace("<svg ", f'<svg width="{width:.0f}" height="{height:.0f}" ', 1)
    path.write_text(sized.replace("<title", f"<style>{STYLE}</style><title", 1))


if __name__ == "__main__":
    main(*sys.argv[1:])
