"""Word counts weighted by inverse document frequency (tf-idf)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.base import State
from encoders.codes import normalized
from encoders.options import option
from encoders.text.bag_of_words import BagOfWords


@dataclass
class TfIdf(BagOfWords):
    """Word counts weighted by inverse document frequency (tf-idf), scaled to unit length, compared by cosine.

    Use it when you want a simple baseline of words for texts, or the input of ``lsa``.

    tf is ``1 + ln(count)`` with `sublinear`, the count otherwise; idf is ``ln((1 + n) / (1 + df)) + 1`` for n documents
    of which df contain the word.

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
    sublinear: bool = option(True, "Use 1 + ln(count) instead of the count.")

    def _learn(self, frequency: NDArray[np.int64], documents: int, tokens: float) -> None:
        self.idf = (np.log((1 + documents) / (1 + frequency)) + 1).astype(np.float32)

    def _weighted(self, counts: csr_array) -> csr_array:
        weights = 1 + np.log(counts.data) if self.sublinear else counts.data
        counts.data = (weights * self.idf[counts.indices]).astype(np.float32)
        return normalized(counts)

    def state(self) -> State:
        """Return inverse document frequencies (dim,)."""
        return {"idf": self.idf}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.idf = state["idf"]
