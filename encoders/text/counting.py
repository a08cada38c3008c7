"""Word counts of texts: one pass with one dictionary look-up per token, the rest in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.codes import small_indices, stack_codes

#: Largest number of words in a `WordIndex`: a stream of new words must not fill the memory.
REMEMBERED = 4_000_000


class WordIndex(dict[str, int]):
    """A dictionary from a word to its component, or -1; `find` is called once for each new word."""

    def __init__(self, find: Callable[[str], int], known: Iterable[tuple[str, int]] = ()) -> None:
        super().__init__(known)
        self._find = find

    def __missing__(self, word: str) -> int:
        component = self._find(word)
        if len(self) < REMEMBERED:
            self[word] = component
        return component


def count_words(
    texts: Iterable[str], split: Callable[[str], list[str]], word_index: WordIndex, dim: Callable[[], int]
) -> csr_array:
    """Return the count of each component in each text, float32 (n, dim).

    Parameters
    ----------
    texts : iterable of str
    split : callable
        Text -> its words.
    word_index : WordIndex
    dim : callable
        The number of components, called after all words have been looked up.
    """
    lengths = [0]

    def rows() -> Iterator[list[str]]:  # text by text, so that words are looked up while they are in the cache
        for text in texts:
            words = split(text)
            lengths.append(len(words))
            yield words

    indices = np.fromiter(map(word_index.__getitem__, chain.from_iterable(rows())), np.int32)
    pointers = np.cumsum(lengths)
    return matrix_of(indices, np.ones(len(indices), dtype=np.float32), pointers, dim())


def matrix_of(
    indices: NDArray[np.int32], data: NDArray[np.float32], pointers: NDArray[np.int64], dim: int
) -> csr_array:
    """Return a CSR matrix (n, dim) with sorted, unique columns, without the entries of column -1.

    Examples
    --------
    >>> entries = np.array([1, -1, 1], np.int32), np.ones(3, np.float32), np.array([0, 2, 3])
    >>> matrix_of(*entries, dim=2).toarray().tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    known = indices >= 0
    if not known.all():
        pointers = np.concatenate([[0], np.cumsum(known)])[pointers]
        indices, data = indices[known], data[known]
    matrix = csr_array((data, indices, pointers), shape=(len(pointers) - 1, dim))
    matrix.sum_duplicates()
    return small_indices(matrix)


class WordTable:
    """Counts of all words, from which the vocabulary is chosen.

    Parameters
    ----------
    split : callable
        Text -> its words.
    normal : callable
        Word -> the form that is counted (its stem), or None for a stop word.
    store : bool
        Store the counts of every text, for `chosen`.
    """

    def __init__(self, split: Callable[[str], list[str]], normal: Callable[[str], str | None], store: bool) -> None:
        self.numbers: dict[str, int] = {}
        self.documents = 0
        self._occurrences: NDArray[Any] = np.zeros(0)
        self._frequency: NDArray[Any] = np.zeros(0, dtype=np.int64)
        self._split, self._normal = split, normal
        self._word_index = WordIndex(self._number)
        self._stored: list[csr_array] | None = [] if store else None

    def _number(self, raw: str) -> int:
        word = self._normal(raw)
        return -1 if word is None else self.numbers.setdefault(word, len(self.numbers))

    def count(self, texts: Iterable[str]) -> None:
        """Count the words of some texts."""
        matrix = count_words(texts, self._split, self._word_index, lambda: max(1, len(self.numbers)))
        width = int(matrix.shape[1])
        self._occurrences = _grown(self._occurrences, width)
        self._frequency = _grown(self._frequency, width)
        self._occurrences += np.bincount(matrix.indices, matrix.data, width)
        self._frequency += np.bincount(matrix.indices, minlength=width)
        self.documents += int(matrix.shape[0])
        if self._stored is not None:
            self._stored.append(matrix)

    def choose(self, size: int | None, min_documents: float, max_documents: float) -> list[str]:
        """Return the words in at least `min_documents` and at most `max_documents` texts, at most `size`, sorted."""
        frequency = self._frequency[: len(self.numbers)]
        wanted = ((frequency >= min_documents) & (frequency <= max_documents)).tolist()
        words = [word for word, take in zip(self.numbers, wanted, strict=True) if take]
        if size is not None and len(words) > size:
            words = sorted(words, key=lambda word: (-self._occurrences[self.numbers[word]], word))[:size]
        return sorted(words)

    def frequency(self, vocabulary: list[str]) -> NDArray[np.int64]:
        """Return the number of texts in which each word occurs."""
        return np.asarray(self._frequency[self._rows(vocabulary)])

    def occurrences(self, vocabulary: list[str]) -> NDArray[np.float64]:
        """Return the total count of each word."""
        return np.asarray(self._occurrences[self._rows(vocabulary)])

    def chosen(self, vocabulary: list[str]) -> csr_array:
        """Return the stored counts of every text, float32 (documents, len(vocabulary))."""
        column = np.full(len(self.numbers) + 1, -1, dtype=np.int32)
        column[self._rows(vocabulary)] = np.arange(len(vocabulary), dtype=np.int32)
        counts, self._stored = self._stored or [], None
        return stack_codes(
            [matrix_of(column[block.indices], block.data, block.indptr, len(vocabulary)) for block in counts]
        )

    def _rows(self, vocabulary: list[str]) -> NDArray[np.int64]:
        return np.fromiter(map(self.numbers.__getitem__, vocabulary), np.int64, len(vocabulary))


def _grown(array: NDArray[Any], width: int) -> NDArray[Any]:
    return np.concatenate([array, np.zeros(width - len(array), dtype=array.dtype)])
