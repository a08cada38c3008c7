"""A note for comparisons of bm25 in Elasticsearch with bm25 in an index of nearby."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.experiment.result import SpaceResult

_SERVER = "elasticsearch:"


def served_note(spaces: Sequence[SpaceResult]) -> str | None:
    """Return why the same bm25 differs between two indexes; None when no such rows are compared."""
    here = {row.spec for row in spaces if row.kind == "sparse" and not row.index.startswith(_SERVER)}
    there = {row.spec for row in spaces if row.kind == "sparse" and row.index.startswith(_SERVER)}
    if not here & there:
        return None
    return (
        "In Elasticsearch, Lucene computes bm25 and rounds the lengths of documents above 40 words: its scores "
        "and measures differ a little from those of the exact index."
    )
