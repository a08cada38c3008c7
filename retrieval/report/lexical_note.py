"""What must be said where a space stands in Elasticsearch and beside it in an index of our own."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.experiment.result import SpaceResult

_SERVER = "elasticsearch:"


def served_note(spaces: Sequence[SpaceResult]) -> str | None:
    """Return why the rows of one space of words differ between indexes; None where no such rows are compared."""
    here = {row.spec for row in spaces if row.kind == "sparse" and not row.index.startswith(_SERVER)}
    there = {row.spec for row in spaces if row.kind == "sparse" and row.index.startswith(_SERVER)}
    if not here & there:
        return None
    return (
        "In Elasticsearch bm25 is weighed by Lucene, which rounds the lengths of documents above 40 words: its scores "
        "and measures differ a little from those of the exact index beside it."
    )
