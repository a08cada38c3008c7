"""Bag of words: how often each word of a learnt vocabulary occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Kind, Metric, Modality, Space
from encoders.errors import BadItemError
from encoders.options import option
from encoders.text.tokens import stemmer, stop_words, words


@dataclass
class BagOfWords(Encoder):
    """Word counts over a vocabulary learnt from the corpus.

    Examples
    --------
    >>> encoder = BagOfWords().fit(["red apple", "red red pear"])
    >>> encoder.vocabulary
    ['apple', 'pear', 'red']
    >>> encoder.encode(["red pear red"]).toarray().tolist()
    [[0.0, 1.0, 2.0]]

    References
    ----------
    Salton, Wong & Yang, A vector space model for automatic indexing, CACM 18(11), 1975.
    """

    name: ClassVar[str] = "bow"
    reads: ClassVar[Modality] = Modality.TEXT
    metric: ClassVar[Metric] = Metric.COSINE
    size: int | None = option(None, "keep the most frequent words only", ge=1)
    min_df: float = option(1, "least number of documents (or share, below 1) a word occurs in", gt=0)
    max_df: float = option(1.0, "largest share of documents (or number, above 1) a word occurs in", gt=0)
    stop: str = option("none", "stop list", choices=("none", "english"))
    stem: str = option(
        "none", "Snowball stemmer", choices=("none", "english", "german", "french", "spanish", "italian")
    )
    binary: bool = option(False, "presence instead of counts")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._index: dict[str, int] = {}

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        occurrences: Counter[str] = Counter()
        document_frequency: Counter[str] = Counter()
        documents = 0
        for batch in batches:
            for text in batch.items:
                found = words(text)
                occurrences.update(found)
                document_frequency.update(set(found))
                documents += 1
        return self._learn(occurrences, document_frequency, documents)

    def _learn(self, occurrences: Counter[str], document_frequency: Counter[str], documents: int) -> Space:
        """Choose the vocabulary from raw words; stems and stop words are settled once per word, not per token."""
        merged, frequency = self._merged(occurrences), self._merged(document_frequency)
        least = self.min_df if self.min_df >= 1 else self.min_df * documents
        most = self.max_df * documents if self.max_df <= 1 else self.max_df
        kept = [word for word in merged if least <= frequency[word] <= most]
        if not kept:
            raise BadItemError(
                f"{self.name}: no word is left of {len(merged)} in {documents} documents; "
                "loosen min-df, max-df or the stop list"
            )
        if self.size is not None and len(kept) > self.size:
            kept = sorted(kept, key=lambda word: (-merged[word], word))[: self.size]
        self.vocabulary = sorted(kept)
        return Space(len(kept), Kind.SPARSE, self.metric)

    def _merged(self, counts: Counter[str]) -> Counter[str]:
        stopped, stem = stop_words(self.stop), stemmer(self.stem)
        if not stopped and stem is None:
            return counts
        raw = [word for word in counts if word not in stopped]
        merged: Counter[str] = Counter()
        for word, final in zip(raw, raw if stem is None else stem(raw), strict=True):
            merged[final] += counts[word]
        return merged

    @property
    def vocabulary(self) -> list[str] | None:
        """The words, in the order of the components."""
        return list(self._index) or None

    @vocabulary.setter
    def vocabulary(self, value: list[str]) -> None:
        self._index = {word: place for place, word in enumerate(value)}
        #: raw word -> component; unknown words and stop words are remembered as -1
        self._place: dict[str, int] = dict(self._index) if self.stem == "none" else {}

    def counts(self, texts: Iterable[str]) -> csr_array:
        """Return how often each word of the vocabulary occurs, float32 (n, dim)."""
        find, place = self._find, self._place
        indices: list[int] = []
        pointers = [0]
        for text in texts:
            row = [place[word] if word in place else find(word) for word in words(text)]
            indices += [component for component in row if component >= 0]
            pointers.append(len(indices))
        return _count_matrix(np.asarray(indices, dtype=np.int32), np.asarray(pointers), self.space.dim, self.binary)

    def _find(self, word: str) -> int:
        if word in stop_words(self.stop):
            component = -1
        else:
            stem = stemmer(self.stem)
            component = self._index.get(word if stem is None else stem([word])[0], -1)
        if len(self._place) < 4_000_000:  # bounded: a stream of new words must not fill the memory
            self._place[word] = component
        return component

    def _encode(self, items: Any) -> Codes:
        return self.counts(items)

    def state(self) -> State:
        """Nothing but the vocabulary is learnt."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing to take back."""


def _count_matrix(indices: NDArray[Any], pointers: NDArray[Any], dim: int, binary: bool) -> csr_array:
    matrix = csr_array((np.ones(len(indices), dtype=np.float32), indices, pointers), shape=(len(pointers) - 1, dim))
    matrix.sum_duplicates()
    if binary:
        matrix.data[:] = 1
    return matrix
