"""How a space is stored as a field of an Elasticsearch index: mapping, values, queries, and scores as in nearby."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Lexicon, Metric, Space
from encoders.errors import DimensionError
from indexers.elasticsearch.address import Address

#: The widest vectors that Elasticsearch takes, in numbers and in bits.
MAX_NUMBERS, MAX_BITS = 4096, 32_768
#: The smallest width of quantisations that have one.
MIN_NUMBERS = {"bbq_hnsw": 64, "bbq_flat": 64}
#: The largest number of candidates of a kNN search, and of answers of any search.
WINDOW = 10_000
#: The tokenizer splits words of more than 255 characters; a character above U+FFFF counts twice.
LONGEST_WORD = 255


@dataclass(frozen=True)
class QueryOptions:
    """The options of a search.

    Attributes
    ----------
    candidates : int
        Number of candidates in each shard.
    oversample : float, optional
        Rescore this many times k answers by their full vectors; only for quantised vectors.
    filters : tuple of dict
        Filters as Elasticsearch writes them; only items that satisfy all are answers.
    """

    candidates: int
    oversample: float | None = None
    filters: tuple[dict[str, Any], ...] = ()


class Field(ABC):
    """One space, as a field of an index.

    Parameters
    ----------
    space : Space
    address : Address
        With the build options.
    """

    def __init__(self, space: Space, address: Address) -> None:
        self.space, self.address = space, address

    @abstractmethod
    def mapping(self) -> dict[str, Any]:
        """Return the mapping of the field."""

    @abstractmethod
    def values(self, codes: Codes) -> list[Any]:
        """Return codes as they are stored in documents, or sent as queries."""

    @abstractmethod
    def query(self, name: str, code: Any, k: int, options: QueryOptions) -> dict[str, Any]:
        """Return the search for the `k` items nearest to one code (from `values`) in the field `name`."""

    @abstractmethod
    def scores(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Turn Elasticsearch's scores into those of nearby."""


class VectorField(Field):
    """Vectors, searched by ``knn``."""

    #: Whether quantised vectors are stored beside the full ones.
    quantised = False

    def query(self, name: str, code: Any, k: int, options: QueryOptions) -> dict[str, Any]:
        """Return a kNN search."""
        clause = {"field": name, "query_vector": code, "k": k, "num_candidates": max(options.candidates, k)}
        if options.oversample is not None and self.quantised:
            clause["rescore_vector"] = {"oversample": options.oversample}
        if options.filters:
            clause["filter"] = list(options.filters)
        return {"knn": clause}

    def _options(self, algorithm: str) -> dict[str, Any]:
        options: dict[str, Any] = {"type": algorithm}
        if algorithm.endswith("hnsw"):
            options |= {"m": self.address.m, "ef_construction": self.address.ef_construction}
        return options


class DenseField(VectorField):
    """Dense codes as ``dense_vector``.

    Cosine is the inner product of unit vectors, as in every index of nearby. So zero vectors, which
    Elasticsearch's own cosine refuses, have the cosine 0 with every item, as in other indexes.
    """

    def __init__(self, space: Space, address: Address) -> None:
        super().__init__(space, address)
        algorithm, dim = address.algorithm, space.dim
        self.quantised = "_" in algorithm
        if dim > MAX_NUMBERS:
            raise DimensionError(
                f"Elasticsearch takes at most {MAX_NUMBERS:,} numbers, this space has {dim:,}: "
                "shorten the codes, e.g. by '+pca:256', or use faiss or exact"
            )
        if dim < MIN_NUMBERS.get(algorithm, 1):
            raise DimensionError(
                f"{algorithm} needs at least {MIN_NUMBERS[algorithm]} numbers, this space has {dim}: use int8_hnsw"
            )
        if algorithm.startswith("int4") and dim % 2:
            raise DimensionError(f"{algorithm} needs an even width, this space has {dim}: use int8_hnsw")

    def mapping(self) -> dict[str, Any]:
        """Return the mapping of vectors; every option is written out, as defaults differ between versions."""
        return {
            "type": "dense_vector",
            "dims": self.space.dim,
            "element_type": "float",
            "index": True,
            "similarity": "l2_norm" if self.space.metric is Metric.EUCLIDEAN else "max_inner_product",
            "index_options": self._options(self.address.algorithm),
        }

    def values(self, codes: Any) -> list[Any]:
        """Return the rows as arrays, which the serializer can write."""
        return list(codes)

    def scores(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Undo 1 / (1 + d²), or the formula that keeps inner products above 0."""
        if self.space.metric is Metric.EUCLIDEAN:
            scores = 1 - 1 / raw
        else:
            scores = np.where(raw < 1, 1 - 1 / np.minimum(raw, 1), raw - 1)
        if self.space.metric is Metric.COSINE:
            scores = np.clip(scores, -1, 1)
        return np.asarray(scores, dtype=np.float32)


class BitField(VectorField):
    """Packed bits as ``dense_vector`` of bits, in whole bytes; unused bits are 0 in codes and queries."""

    def __init__(self, space: Space, address: Address) -> None:
        super().__init__(space, address)
        self.bits = -(-space.dim // 8) * 8
        if self.bits > MAX_BITS:
            raise DimensionError(
                f"Elasticsearch takes at most {MAX_BITS:,} bits, this space has {space.dim:,}: use faiss"
            )

    def mapping(self) -> dict[str, Any]:
        """Return the mapping of bits: a graph or brute force, without quantisation."""
        algorithm = "hnsw" if self.address.algorithm.endswith("hnsw") else "flat"
        return {
            "type": "dense_vector",
            "dims": self.bits,
            "element_type": "bit",
            "index": True,
            "similarity": "l2_norm",
            "index_options": self._options(algorithm),
        }

    def values(self, codes: Any) -> list[Any]:
        """Return hex strings."""
        return [row.tobytes().hex() for row in codes]

    def scores(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Undo (bits - distance) / bits, exactly, as distances are whole numbers."""
        return np.asarray(0 - np.rint((1 - raw) * self.bits), dtype=np.float32)


class WordsField(Field):
    """Words as nearby's own text analysis finds them, weighed by Lucene's BM25.

    Codes are counts over the words of a `Lexicon`. The tokenizer only splits at spaces, so the analysis is the same as
    in a local index. Scores equal the local scores up to Lucene's rounding of lengths above 40 words; document
    frequencies count the documents that are in the index now.
    """

    def __init__(self, space: Space, address: Address, lexicon: Lexicon) -> None:
        super().__init__(space, address)
        self.lexicon = lexicon
        self._words: NDArray[np.object_] = np.array([sent_word(word) for word in lexicon.words], dtype=object)

    @property
    def similarity(self) -> dict[str, Any]:
        """The parameters of BM25, always written out."""
        return {"type": "BM25", "k1": self.lexicon.k1, "b": self.lexicon.b}

    def mapping(self) -> dict[str, Any]:
        """Return the mapping of words; the similarity has the name that `similarity_name` gives it."""
        return {
            "type": "text",
            "analyzer": ANALYZER,
            "similarity": similarity_name(self.lexicon),
            "index_options": "freqs",
        }

    def values(self, codes: Any) -> list[Any]:
        """Return the words of each document, each as often as it occurs."""
        bounds, counts = codes.indptr, np.rint(codes.data).astype(np.int64)
        words = self._words[codes.indices]
        return [
            " ".join(np.repeat(words[start:stop], counts[start:stop]).tolist())
            for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        ]

    def query(self, name: str, code: Any, k: int, options: QueryOptions) -> dict[str, Any]:
        """Return a search for any of the words; a repeated word counts repeatedly."""
        match = {"match": {name: {"query": code}}}
        return {"query": {"bool": {"must": [match], "filter": list(options.filters)}} if options.filters else match}

    def scores(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Divide by the constant factor k1 + 1 of Lucene's legacy similarity."""
        return np.asarray(raw / (self.lexicon.k1 + 1), dtype=np.float32)


#: Splits at spaces and does nothing else; every distribution has it.
ANALYZER = "whitespace"


def sent_word(word: str) -> str:
    """Return a word as it is sent: its beginning and a digest, if it is too long for the tokenizer.

    Examples
    --------
    >>> sent_word("river"), len(sent_word("x" * 300))
    ('river', 134)
    """
    if len(word) <= LONGEST_WORD // 2 or len(word.encode("utf-16-le")) // 2 <= LONGEST_WORD:
        return word
    import hashlib

    return f"{word[:70]}{hashlib.sha256(word.encode()).hexdigest()}"


def similarity_name(lexicon: Lexicon) -> str:
    """Return the name of the similarity of a lexicon in the settings.

    Examples
    --------
    >>> similarity_name(Lexicon((), 1.5, 0.75))
    'bm25_k1_1p5_b_0p75'
    """
    return f"bm25_k1_{lexicon.k1}_b_{lexicon.b}".replace(".", "p")  # a dot would nest the name


def field_of(space: Space, address: Address, lexicon: Lexicon | None) -> Field:
    """Return the field that holds a space."""
    if lexicon is not None:
        return WordsField(space, address, lexicon)
    return (BitField if space.kind is Kind.BINARY else DenseField)(space, address)
