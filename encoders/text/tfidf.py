"""Term weights by rarity: the vector space model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import csr_array

from encoders.base import State
from encoders.codes import Batches, Codes, Space, normalized
from encoders.options import option
from encoders.text.bag_of_words import BagOfWords


@dataclass
class TfIdf(BagOfWords):
    """Counts times inverse document frequency, scaled to unit length, compared by cosine.

    tf is ``1 + ln(count)`` when `sublinear`, the count otherwise; idf is ``ln((1 + n) / (1 + df)) + 1``.

    Examples
    --------
    >>> codes = TfIdf().fit_encode(["red apple", "red pear"]).toarray()
    >>> bool(codes[0, 0] > codes[0, 2])  # "apple" is rarer than "red"
    True

    References
    ----------
    Sparck Jones, A statistical interpretation of term specificity, 1972; Salton & Buckley, Term-weighting approaches in
    automatic text retrieval, 1988.
    """

    name: ClassVar[str] = "tfidf"
    sublinear: bool = option(True, "1 + ln(count) instead of the count")

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        space = super()._fit(batches, work)
        self._space = space
        frequency, documents = np.zeros(space.dim), 0
        for batch in batches:
            counts = self.counts(batch.items)
            frequency += np.bincount(counts.indices, minlength=space.dim)
            documents += counts.shape[0]
        self.idf = (np.log((1 + documents) / (1 + frequency)) + 1).astype(np.float32)
        return space

    def _encode(self, items: Any) -> Codes:
        return normalized(self._weighted(self.counts(items)))

    def _weighted(self, counts: csr_array) -> csr_array:
        weights = 1 + np.log(counts.data) if self.sublinear else counts.data
        counts.data = (weights * self.idf[counts.indices]).astype(np.float32)
        return counts

    def state(self) -> State:
        """Inverse document frequencies (dim,)."""
        return {"idf": self.idf}

    def restore(self, state: State) -> None:
        """Take back what `state` returned."""
        self.idf = state["idf"]
