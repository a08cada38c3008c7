"""A collection with the indexes at its address in Elasticsearch, as lines of a terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from encoders.numbers import counted
from indexers.elasticsearch.ownership import THIS
from retrieval.collection.base import Collection
from retrieval.collection.elasticsearch.cleanup import Indexes
from retrieval.report.terminal.info import info_json, info_lines
from retrieval.report.terminal.listing import aligned


def everything_json(collection: Collection) -> dict[str, Any]:
    """Return what a collection holds and, if it is on a server, the indexes at its address."""
    indexes = collection.server_indexes()
    return info_json(collection) | ({} if indexes is None else {"indexes": indexes_json(indexes)})


def everything_lines(collection: Collection, verbose: bool = False) -> list[str]:
    """Return the same as lines; `verbose` adds the options of every space, defaults too."""
    indexes = collection.server_indexes()
    return [*info_lines(collection, verbose), *([] if indexes is None else ["", *indexes_lines(indexes, False)])]


def indexes_json(indexes: Indexes) -> dict[str, Any]:
    """Return the indexes at an address as JSON values."""
    return {
        "address": indexes.address,
        "served": indexes.served,
        "items": indexes.items,
        "kept": [asdict(index) for index in indexes.kept],
        "stale": [asdict(index) for index in indexes.stale],
        "removed": list(indexes.removed),
    }


def indexes_lines(indexes: Indexes, cleaned: bool) -> list[str]:
    """Return the served index, the kept ones, and those that are stale or were removed."""
    what = f"{indexes.served}, {counted(indexes.items, 'item')}" if indexes.served else "nothing is served"
    lines = [f"{indexes.address}: {what}"]
    lines += [f"kept: {index.name}, {_counted(index.documents)}, {index.reason}" for index in indexes.kept]
    if not indexes.stale:
        return [*lines, "no index is stale"]
    removed = [index for index in indexes.stale if index.name in indexes.removed]
    left = [index for index in indexes.stale if index.name not in indexes.removed]
    if cleaned:
        blocks = [("removed:", removed), ("not removed; --clean --yes removes them too:", left)]
    else:
        made_here = [index for index in left if index.maker == THIS]
        others = [index for index in left if index.maker != THIS]
        blocks = [("stale, and removed by --clean:", made_here), ("stale, and removed by --clean --yes:", others)]
    for head, stale in blocks:
        if stale:
            rows = [
                [
                    index.name,
                    "closed" if index.documents is None else f"{index.documents:,}",
                    index.maker,
                    "unfinished load" if index.loading else "",
                ]
                for index in stale
            ]
            lines += ["", head, *aligned(["index", "documents", "made by", "note"], rows, right=[1])]
    return lines


def _counted(documents: int | None) -> str:
    return "closed" if documents is None else counted(documents, "document")
