"""What a collection holds and what lies at an address of Elasticsearch, for the terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from retrieval.collection import Collection
from retrieval.report.listing import aligned, info_json, info_lines
from retrieval.report.terminal import counted
from retrieval.served.left import Lying, lying_at


def everything_json(collection: Collection) -> dict[str, Any]:
    """Return what a collection holds and, of one on a server, what lies at its address."""
    server = collection.manifest.server
    return info_json(collection) | ({"lying": lying_json(lying_at(server), False)} if server else {})


def everything_lines(collection: Collection) -> list[str]:
    """Return the same as lines."""
    server = collection.manifest.server
    return [*info_lines(collection), *(["", *lying_lines(lying_at(server), False)] if server else [])]


def lying_json(lying: Lying, cleaned: bool) -> dict[str, Any]:
    """Return the same as JSON values."""
    left = [asdict(one) for one in lying.left]
    return {
        "address": lying.address,
        "served": lying.served,
        "items": lying.items,
        "left_over": left,
        "cleaned": cleaned,
    }


def lying_lines(lying: Lying, cleaned: bool) -> list[str]:
    """Return what is served and what is left over."""
    what = f"{lying.served}, {counted(lying.items, 'item')}" if lying.served else "nothing is served"
    lines = [f"{lying.address}: {what}"]
    if not lying.left:
        return [*lines, "nothing is left over"]
    rows = [[one.name, f"{one.documents:,}", "an unfinished load" if one.loading else ""] for one in lying.left]
    did = "removed:" if cleaned else "left over, and removed by --clean:"
    return [*lines, "", did, *aligned(["index", "documents", "note"], rows, right=[1])]
