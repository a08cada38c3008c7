"""Bag of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Modality, Space
from encoders.errors import ArtifactError, BadItemError
from encoders.numbers import counted
from encoders.options import option
from encoders.text.counting import WordIndex, WordTable, count_words
from encoders.text.folding import MARKS
from encoders.text.tokens import stemmer, stop_words, words

#: Version of the rules by which `words` splits a text; an encoder fitted by another version is refused.
ANALYSIS = 2


@dataclass
class BagOfWords(Encoder):
    """Word counts over a vocabulary that is learnt from the corpus.

    Use it when another encoder needs word counts, for instance ``nmf`` or an autoencoder after it.

    ``bow``, ``tfidf`` and ``bm25`` analyse texts in the same way: `words` splits a text, stop words are removed, and
    the other words are stemmed.

    Examples
    --------
    >>> encoder = BagOfWords().fit(["a red apple", "red, red pears"])
    >>> encoder.vocabulary
    ['appl', 'pear', 'red']
    >>> encoder.encode(["the red pear is red"]).toarray().tolist()
    [[0.0, 1.0, 2.0]]

    References
    ----------
    Salton, Wong & Yang, A vector space model for automatic indexing, CACM 18(11), 1975.
    """

    name: ClassVar[str] = "bow"
    reads: ClassVar[Modality] = Modality.TEXT
    metric: ClassVar[Metric] = Metric.COSINE
    size: int | None = option(None, "Vocabulary size: the number of most frequent words; none: all words.", ge=1)
    min_df: float = option(1, "Smallest document frequency of a word: a count from 1 up, or a share below 1.", gt=0)
    max_df: float = option(1.0, "Largest document frequency of a word: a share up to 1, or a count above 1.", gt=0)
    stop: str = option("english", "Stop list: common words that are left out.", choices=("none", "english"))
    stem: str = option(
        "english",
        "Language of the Snowball stemmer.",
        choices=("none", "english", "german", "french", "spanish", "italian"),
    )
    marks: str = option(
        "points", "Marks removed from words: none, Hebrew and Arabic vowel points, or these and accents.", choices=MARKS
    )
    binary: bool = option(False, "Encode whether a word occurs instead of how often.")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._index: dict[str, int] = {}
        self._table: WordTable | None = None
        self._store_counts = False

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        table = WordTable(self._split, self._normal, self._store_counts)
        for batch in batches:
            table.count(batch.items)
        self._table = table if self._store_counts else None
        min_documents = self.min_df if self.min_df >= 1 else self.min_df * table.documents
        max_documents = self.max_df * table.documents if self.max_df <= 1 else self.max_df
        vocabulary = table.choose(self.size, min_documents, max_documents)
        if not vocabulary:
            if not table.numbers:
                raise BadItemError(f"{self.name}: there is no word in {counted(table.documents, 'document')}")
            raise BadItemError(
                f"{self.name}: none of {counted(len(table.numbers), 'word')} in {counted(table.documents, 'document')} "
                "is left: change min-df, max-df or the stop list"
            )
        self.vocabulary = vocabulary
        frequency = table.frequency(vocabulary)
        occurrences = frequency if self.binary else table.occurrences(vocabulary)
        self._learn(frequency, table.documents, float(occurrences.sum()))
        return Space(len(vocabulary), Kind.SPARSE, self.metric)

    def _learn(self, frequency: NDArray[np.int64], documents: int, tokens: float) -> None:
        """Learn weights from the document frequency of each word and the total number of tokens."""

    def fit_encode(self, batches: Batches | Items, y: Sequence[Any] | None = None) -> Codes:
        """Fit and return the codes of the same items, in one reading."""
        self._store_counts = True
        try:
            self.fit(batches, y)
            assert self._table is not None  # noqa: S101
            return self._weighted(self._binary(self._table.chosen(list(self._index))))
        finally:
            self._store_counts, self._table = False, None

    def _split(self, text: str) -> list[str]:
        return words(text, self.marks)

    def _normal(self, word: str) -> str | None:
        """Return the stem of a word; None for a stop word."""
        if word in stop_words(self.stop):
            return None
        stem = stemmer(self.stem)
        return word if stem is None else stem([word])[0]

    @property
    def vocabulary(self) -> list[str] | None:
        """The words, in the order of the components."""
        return list(self._index) or None

    @vocabulary.setter
    def vocabulary(self, value: list[str]) -> None:
        self._index = {word: component for component, word in enumerate(value)}
        self._word_index = WordIndex(self._find, self._index.items() if self.stem == "none" else ())

    def counts(self, texts: Iterable[str]) -> csr_array:
        """Return how often each word of the vocabulary occurs, float32 (n, dim)."""
        return self._binary(count_words(texts, self._split, self._word_index, lambda: self.space.dim))

    def unknown_words(self, text: str) -> list[str]:
        """Return the words of a text that are not in the vocabulary, sorted, each once; stop words are left out.

        Examples
        --------
        >>> BagOfWords().fit(["a red apple"]).unknown_words("The red apples and blue pears, blue")
        ['blue', 'pears']
        """
        return sorted({word for word in self._split(text) if self._word_index[word] < 0 and self._normal(word)})

    def _find(self, word: str) -> int:
        normal = self._normal(word)
        return -1 if normal is None else self._index.get(normal, -1)

    def _binary(self, counts: csr_array) -> csr_array:
        if self.binary:
            counts.data[:] = 1
        return counts

    def _encode(self, items: Any) -> Codes:
        return self._weighted(self.counts(items))

    def _weighted(self, counts: csr_array) -> csr_array:
        """Turn counts into codes; the counts may be changed in place."""
        return counts

    def learnt_shape(self) -> dict[str, Any]:
        """Return the learnt spaces and the version of the rules that split texts."""
        return {**super().learnt_shape(), "analysis": ANALYSIS}

    def restore_shape(self, value: dict[str, Any]) -> None:
        """Restore what `learnt_shape` returned.

        Raises
        ------
        ArtifactError
            When another version of the rules split the texts: the same text has other words now.
        """
        if value.get("analysis", 1) != ANALYSIS:
            raise ArtifactError(
                f"the '{self.name}' encoder was fitted by a nearby that split texts into words by other rules, so "
                "queries would miss documents: fit and index again"
            )
        super().restore_shape(value)

    def state(self) -> State:
        """Return no arrays: only the vocabulary is learnt."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing to restore."""
