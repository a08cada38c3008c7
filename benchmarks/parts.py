"""The picture in docs/results.md: 49 components of MNIST by several methods, side by side.

Run: ``NEARBY_DATA=... python benchmarks/parts.py docs/parts.png``
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from encoders.registry import create
from retrieval.analysis.components import components_of
from retrieval.corpora.registry import open_corpus
from retrieval.report.figures.components import component_pictures, grid
from retrieval.report.figures.pictures import as_image

SPECS = ("pixels+pca:49", "pixels+nmf:49", "pixels+ica:49", "pixels+kmeans:49")
HEAD, GAP = 26, 18


def main(out: str) -> None:
    pictures = [item.content for item in open_corpus("mnist")]
    grids = []
    for spec in SPECS:
        components = components_of(create(spec).fit(pictures))
        assert components is not None
        grids.append(as_image(grid(component_pictures(components, 49), 7, gap=2)).convert("RGBA"))
    width, height = grids[0].size
    canvas = Image.new("RGB", (len(grids) * (width + GAP) - GAP, height + HEAD), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(15)
    for position, (spec, one) in enumerate(zip(SPECS, grids, strict=True)):
        draw.text((position * (width + GAP), 2), spec, "#222222", font)
        canvas.paste(one, (position * (width + GAP), HEAD), one)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    canvas.save(out, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
