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
    found = collection.server_indexes()
    return info_json(collection) | ({} if found is None else {"indexes": indexes_json(found)})


def everything_lines(collection: Collection, verbose: bool = False) -> list[str]:
    """Return the same as lines; `verbose` adds the options of every space, defaults too."""
    found = collection.server_indexes()
    return [*info_lines(collection, verbose), *([] if found is None else ["", *indexes_lines(found, False)])]


def indexes_json(found: Indexes) -> dict[str, Any]:
    """Return the indexes at an address as JSON values."""
    return {
        "address": found.address,
        "served": found.served,
        "items": found.items,
        "kept": [asdict(one) for one in found.kept],
        "stale": [asdict(one) for one in found.stale],
        "removed": list(found.removed),
    }


def indexes_lines(found: Indexes, cleaned: bool) -> list[str]:
    """Return the served index, the kept ones, and those that are stale or were removed."""
    what = f"{found.served}, {counted(found.items, 'item')}" if found.served else "nothing is served"
    lines = [f"{found.address}: {what}"]
    lines += [f"kept: {one.name}, {_counted(one.documents)}, {one.reason}" for one in found.kept]
    if not found.stale:
        return [*lines, "no index is stale"]
    removed = [one for one in found.stale if one.name in found.removed]
    left = [one for one in found.stale if one.name not in found.removed]
    if cleaned:
        blocks = [("removed:", removed), ("not removed; --clean --yes removes them too:", left)]
    else:
        own = [one for one in left if one.maker == THIS]
        others = [one for one in left if one.maker != THIS]
        blocks = [("stale, and removed by --clean:", own), ("stale, and removed by --clean --yes:", others)]
    for head, stale in blocks:
        if stale:
            rows = [
                [
                    one.name,
                    "closed" if one.documents is None else f"{one.documents:,}",
                    one.maker,
                    "unfinished load" if one.loading else "",
                ]
                for one in stale
            ]
            lines += ["", head, *aligned(["index", "documents", "made by", "note"], rows, right=[1])]
    return lines


def _counted(documents: int | None) -> str:
    return "closed" if documents is None else counted(documents, "document")
