"""Okapi BM25."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.base import State
from encoders.codes import Codes, Items, Lexicon, Metric
from encoders.options import option
from encoders.text.bag_of_words import BagOfWords

METHODS = ("lucene", "robertson", "atire", "bm25+", "bm25l")


@dataclass
class BM25(BagOfWords):
    """Okapi BM25 weights of words; documents and queries have different codes.

    Use it when people search your texts with words: try it first, and compare every other space of texts with it.

    The score of a document is the inner product of its weights with the word counts of the query.

    ``bm25+`` and ``bm25l`` give a word that a document contains a lower bound, so that long documents are not
    penalised too much. In ``bm25+`` the word adds at least delta times its idf; a word that is absent adds 0, as in
    both papers. (Table 1 of Kamphuis et al., bm25s and rank_bm25 also add the bound for absent words, which cancels its
    effect.)

    Examples
    --------
    >>> encoder = BM25().fit(["red apple", "red pear", "green pear"])
    >>> scores = encoder.encode_queries(["red apple"]) @ encoder.encode(["red apple", "red pear"]).T
    >>> bool(scores[0, 0] > scores[0, 1])
    True

    References
    ----------
    Robertson & Zaragoza, The probabilistic relevance framework: BM25 and beyond, 2009; ``bm25+``: Lv & Zhai,
    Lower-bounding term frequency normalization, CIKM 2011; ``bm25l``: Lv & Zhai, When documents are very long, BM25
    fails!, SIGIR 2011; the other variants as defined in Kamphuis, de Vries, Boytsov & Lin, Which BM25 do you mean?,
    ECIR 2020; weights computed at indexing time as in Lu, BM25S, 2024.
    """

    name: ClassVar[str] = "bm25"
    metric: ClassVar[Metric] = Metric.DOT
    method: str = option("lucene", "Variant of the formula.", choices=METHODS)
    k1: float = option(1.2, "Term frequency saturation: a larger value counts repetitions more.", ge=0)
    b: float = option(0.75, "Length normalisation: 0 is none, 1 is full.", ge=0, le=1)
    delta: float | None = option(
        None, "Lower bound of bm25+ and bm25l for a word that occurs; none: 1 for bm25+, 0.5 for bm25l.", ge=0
    )

    def _learn(self, frequency: NDArray[np.int64], documents: int, tokens: float) -> None:
        self.idf = inverse_document_frequency(frequency, documents, self.method).astype(np.float32)
        self.average_length = np.asarray([max(tokens / documents, 1e-9)], dtype=np.float32)

    def _weighted(self, counts: csr_array) -> csr_array:
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        discount = 1 - self.b + self.b * lengths / self.average_length[0]
        gains = self._saturated(counts.data, np.repeat(discount, np.diff(counts.indptr)))
        counts.data = (gains * self.idf[counts.indices]).astype(np.float32)
        return counts

    def _saturated(self, counts: NDArray[Any], discount: NDArray[Any]) -> NDArray[Any]:
        if self.method in ("lucene", "robertson"):  # without the constant factor k1 + 1 (Lucene: since version 8)
            return np.asarray(counts / (counts + self.k1 * discount))
        if self.method == "bm25l":
            shifted = counts / discount + self._bound
            return np.asarray((self.k1 + 1) * shifted / (self.k1 + shifted))
        gains = (self.k1 + 1) * counts / (counts + self.k1 * discount)
        return np.asarray(gains + self._bound if self.method == "bm25+" else gains)

    @property
    def _bound(self) -> float:
        return (1.0 if self.method == "bm25+" else 0.5) if self.delta is None else self.delta

    def _encode_queries(self, items: Any) -> Codes:
        return self.counts(items)

    @property
    def lexicon(self) -> Lexicon | None:
        """The words, for method=lucene; no search engine computes the other variants."""
        if self.method != "lucene" or not self.vocabulary:
            return None
        return Lexicon(tuple(self.vocabulary), self.k1, self.b)

    def encode_counts(self, items: Items) -> Codes:
        """Return how often each word of the vocabulary occurs, float32 (n, dim)."""
        _ = self.space
        return self.counts(self.checked(items))

    def state(self) -> State:
        """Return inverse document frequencies (dim,) and the average length of a document (1,)."""
        return {"idf": self.idf, "average_length": self.average_length}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self.idf, self.average_length = state["idf"], state["average_length"]


def inverse_document_frequency(frequency: NDArray[Any], documents: int, method: str) -> NDArray[Any]:
    """Return the idf of each word as the variant defines it (Kamphuis et al. 2020, table 1; Lv & Zhai 2011)."""
    if method == "robertson":
        return np.maximum(np.log((documents - frequency + 0.5) / (frequency + 0.5)), 0)
    if method == "atire":
        return np.asarray(np.log(documents / np.maximum(frequency, 1)))
    if method == "bm25+":
        return np.asarray(np.log((documents + 1) / np.maximum(frequency, 1)))
    if method == "bm25l":
        return np.asarray(np.log((documents + 1) / (frequency + 0.5)))
    return np.asarray(np.log(1 + (documents - frequency + 0.5) / (frequency + 0.5)))
