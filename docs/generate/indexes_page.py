"""The indexes, from their registry."""

from __future__ import annotations

from docstrings import read
from regions import table

from indexers.registry import INDEXES, index_class


def write_indexes() -> str:
    """Return one table of all indexes, and the spaces that each takes."""
    rows = []
    for name, entry in INDEXES.items():
        spaces = sorted({f"{kind} by {metric}" for kind, metric in index_class(name).spaces})
        rows.append([f"`{name}`", entry.summary, ", ".join(spaces)])
    return table(["index", "what it is", "codes that it takes"], rows)


def write_details() -> str:
    """Return what the class of each index says."""
    parts = []
    for name in INDEXES:
        text = read(index_class(name))
        parts.append("\n\n".join(part for part in (f"### {name}", text.summary, text.details) if part))
    return "\n\n".join(parts)
