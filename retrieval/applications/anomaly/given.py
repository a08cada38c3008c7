"""Items given from Python, as a corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from encoders.codes import Items, Modality, n_rows
from encoders.errors import BadItemError
from encoders.items import READERS, as_matrix
from retrieval.corpora.base import Corpus, Item

_READERS: dict[Modality, Any] = {
    **READERS,
    Modality.VECTOR: lambda items: np.asarray(as_matrix(items), dtype=np.float32),
}


class GivenItems(Corpus):
    """Texts, pictures, sounds, rows of a table or a matrix as a corpus; the ids are the positions.

    Parameters
    ----------
    items : list of str, pictures, list of Sound, list of Row, or array-like (n, dim)
    modality : Modality
    labels : sequence, optional
        One for each item, or None.

    Raises
    ------
    BadItemError, DimensionError
        When the items are of another sort, or not as many as the labels.

    Examples
    --------
    >>> [item.id for item in GivenItems([[1.0, 2.0], [3.0, 4.0]], Modality.VECTOR)]
    ['0', '1']
    """

    def __init__(self, items: Items, modality: Modality, labels: Sequence[Any] | None = None) -> None:
        self.name, self.modality = "the given items", modality
        if labels is not None and len(labels) != n_rows(items):
            raise BadItemError(f"every item has one label or None: got {n_rows(items):,} items, {len(labels):,} labels")
        self.items = _READERS[modality](items)
        self.labels = (
            [None] * len(self.items) if labels is None else [None if one is None else str(one) for one in labels]
        )

    def __iter__(self) -> Iterator[Item]:
        for row, (content, label) in enumerate(zip(self.items, self.labels, strict=True)):
            yield Item(str(row), content, None, label)

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self.items)
