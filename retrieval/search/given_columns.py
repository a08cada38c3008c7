"""Search with a row that gives some of its columns only: the others are not compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Codes, Kind, Metric, Space
from encoders.row import Row
from indexers.base import Hit
from retrieval.collection.base import Collection
from retrieval.collection.filters import Filter
from retrieval.corpora.base import Content
from retrieval.search.stored_codes import stored_codes


def search_spaces(
    collection: Collection, asked: Sequence[tuple[str, Codes]], content: Content, k: int, filters: Sequence[Filter]
) -> list[list[Hit]]:
    """Return the best `k` hits in each space.

    In a space of columns, a row that lacks some is compared with the codes of all items on those that it has. No index
    can do that: it compares whole codes, and of two rows that agree with the query, the one that is more usual in a
    column that was not asked for would be nearer. In other spaces, the code of the query stands for it as it is.
    """
    if not isinstance(content, Row):
        return collection.search(asked, k, filters)
    masks = {spec: mask for spec, _ in asked if (mask := _mask(collection.space(spec).encoder, content)) is not None}
    whole = [(spec, codes) for spec, codes in asked if spec not in masks]
    hit_lists = iter(collection.search(whole, k, filters) if whole else [])
    return [
        _on_given(collection, spec, codes, masks[spec], k, filters) if spec in masks else next(hit_lists)
        for spec, codes in asked
    ]


def _mask(encoder: Encoder, content: Row) -> NDArray[np.bool_] | None:
    """Return the components of the columns that a row has; None where all are compared, or the code has no columns."""
    from encoders.table.columns import Columns

    if not isinstance(encoder, Columns):
        return None
    given = encoder.given_components(content)
    return None if given.all() else given


def _on_given(
    collection: Collection, spec: str, codes: Any, given: NDArray[np.bool_], k: int, filters: Sequence[Filter]
) -> list[Hit]:
    from indexers.registry import create_index

    only = frozenset(collection.items.matching(filters)) if filters else None
    index = create_index("exact", Space(int(given.sum()), Kind.DENSE, Metric.EUCLIDEAN))
    for ids, stored in stored_codes(collection, spec):
        rows = [row for row, id in enumerate(ids) if only is None or id in only]
        if rows:
            index.add([ids[row] for row in rows], np.ascontiguousarray(stored[rows][:, given]))
    return index.search(np.ascontiguousarray(codes[:, given]), k)[0]
