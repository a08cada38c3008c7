"""The picture of the README: the same queries in two spaces of a collection, side by side.

Run: ``NEARBY_DATA=... nearby index mnist -s pixels -s pixels+deep-ae:1000-500-250-30,epochs=10 -o out/mnist`` and then
``python benchmarks/picture.py out/mnist docs/pixels-beside-codes.png``
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from retrieval.collection.local import LocalCollection
from retrieval.experiment.query_set import QuerySet
from retrieval.search.query import Query
from retrieval.search.result import show
from retrieval.search.searcher import Searcher

ROWS, NEIGHBOURS, SIZE, GAP, HEAD, UNDER = 6, 6, 56, 8, 58, 20
RIGHT, WRONG, INK = "#009e73", "#d55e00", "#222222"


def main(folder: str, out: str) -> None:
    collection = LocalCollection(folder)
    searcher = Searcher(collection)
    queries = chosen(collection, searcher)
    block = NEIGHBOURS * (SIZE + GAP)
    width = GAP + SIZE + 3 * GAP + len(searcher.specs) * (block + 3 * GAP)
    canvas = Image.new("RGB", (width, HEAD + ROWS * (SIZE + UNDER + GAP)), "white")
    draw = ImageDraw.Draw(canvas)
    font, small = ImageFont.load_default(15), ImageFont.load_default(12)
    draw.text((GAP, 30), "query", INK, small)
    for position, spec in enumerate(searcher.specs):
        left = GAP + SIZE + 3 * GAP + position * (block + 3 * GAP)
        dim = collection.space(spec).encoder.space.dim
        draw.text((left, 8), f"{dim} numbers: {spec.partition(',')[0]}", INK, font)
        draw.text((left, 30), "nearest first; distance; orange: another class", INK, small)
    for row, query in enumerate(queries):
        top = HEAD + row * (SIZE + UNDER + GAP)
        paste(canvas, query.content, GAP, top)
        for position, found in enumerate(searcher.search(query, NEIGHBOURS)):
            left = GAP + SIZE + 3 * GAP + position * (block + 3 * GAP)
            for at, answer in enumerate(found.answers):
                x, colour = left + at * (SIZE + GAP), RIGHT if answer.relevant else WRONG
                paste(canvas, answer.shown.picture, x, top)
                draw.rectangle(
                    (x - 1, top - 1, x + SIZE, top + SIZE), outline=colour, width=1 if answer.relevant else 3
                )
                draw.text((x, top + SIZE + 3), f"{answer.number:.2f}", colour, small)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    canvas.save(out, optimize=True)


def chosen(collection: LocalCollection, searcher: Searcher) -> list[Query]:
    """Return the first queries on which the spaces differ in how many neighbours have the query's label."""
    query_set, queries = QuerySet.of(collection.items), []
    for item, query_row in zip(query_set.queries, query_set.query_rows, strict=True):
        query = Query(item.content, show(item), item.id if query_row >= 0 else None)
        right = [sum(bool(answer.relevant) for answer in found.answers) for found in searcher.search(query, NEIGHBOURS)]
        if len(set(right)) > 1:
            queries.append(query)
        if len(queries) == ROWS:
            break
    return queries


def paste(canvas: Image.Image, picture: Any, x: int, y: int) -> None:
    canvas.paste(
        Image.fromarray(np.asarray(picture)).convert("RGB").resize((SIZE, SIZE), Image.Resampling.NEAREST), (x, y)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
