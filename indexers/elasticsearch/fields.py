"""How the codes of a space become a field of an Elasticsearch index, a query, and scores of our own again."""

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
MOST_NUMBERS, MOST_BITS = 4096, 32_768
#: Least width of each quantisation that has one.
LEAST = {"bbq_hnsw": 64, "bbq_flat": 64}
#: The most candidates of a search for neighbours, and the most answers of any search.
WINDOW = 10_000
#: The tokenizer cuts words of more than 255 characters in two; one beyond U+FFFF counts twice.
LONGEST_WORD = 255


@dataclass(frozen=True)
class QueryOptions:
    """How a search is made.

    Attributes
    ----------
    candidates : int
        Looked at in each shard.
    oversample : float, optional
        How many times k are put in order again by their full vectors, where shortened ones are searched.
    only : tuple of dict
        Filters in Elasticsearch's own words: what does not pass them is no answer.
    """

    candidates: int
    oversample: float | None = None
    only: tuple[dict[str, Any], ...] = ()


class Field(ABC):
    """One space of an index.

    Parameters
    ----------
    space : Space
    address : Address
        With what is built.
    """

    def __init__(self, space: Space, address: Address) -> None:
        self.space, self.address = space, address

    @abstractmethod
    def mapping(self) -> dict[str, Any]:
        """Return the mapping of the field."""

    @abstractmethod
    def values(self, codes: Codes) -> list[Any]:
        """Return what a document holds of each code, and what is sent of each query."""

    @abstractmethod
    def query(self, name: str, code: Any, k: int, options: QueryOptions) -> dict[str, Any]:
        """Return the part of a search that finds the `k` nearest of one code (from `values`) in the field `name`."""

    @abstractmethod
    def scores(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Turn Elasticsearch's scores into ours."""


class VectorField(Field):
    """What is searched by ``knn``."""

    #: Whether vectors are kept shortened beside the full ones.
    quantised = False

    def query(self, name: str, code: Any, k: int, options: QueryOptions) -> dict[str, Any]:
        """Return a search for neighbours."""
        clause = {"field": name, "query_vector": code, "k": k, "num_candidates": max(options.candidates, k)}
        if options.oversample is not None and self.quantised:
            clause["rescore_vector"] = {"oversample": options.oversample}
        if options.only:
            clause["filter"] = list(options.only)
        return {"knn": clause}

    def _options(self, algorithm: str) -> dict[str, Any]:
        options: dict[str, Any] = {"type": algorithm}
        if algorithm.endswith("hnsw"):
            options |= {"m": self.address.m, "ef_construction": self.address.ef_construction}
        return options


class DenseField(VectorField):
    """Dense codes as ``dense_vector``.

    Cosine is the inner product of unit vectors, as in every index of nearby; so zero vectors, which
    Elasticsearch's own cosine refuses, are what they are elsewhere: at 0 from everything.
    """

    def __init__(self, space: Space, address: Address) -> None:
        super().__init__(space, address)
        algorithm, dim = address.algorithm, space.dim
        self.quantised = "_" in algorithm
        if dim > MOST_NUMBERS:
            raise DimensionError(
                f"Elasticsearch takes at most {MOST_NUMBERS:,} numbers, this space has {dim:,}: "
                "shorten the codes, e.g. by '+pca:256', or use faiss or exact"
            )
        if dim < LEAST.get(algorithm, 1):
            raise DimensionError(
                f"{algorithm} needs at least {LEAST[algorithm]} numbers, this space has {dim}: use int8_hnsw"
            )
        if algorithm.startswith("int4") and dim % 2:
            raise DimensionError(f"{algorithm} needs an even number of numbers, this space has {dim}: use int8_hnsw")

    def mapping(self) -> dict[str, Any]:
        """Return a vector's mapping; every option is stated, as defaults differ between versions."""
        return {
            "type": "dense_vector",
            "dims": self.space.dim,
            "element_type": "float",
            "index": True,
            "similarity": "l2_norm" if self.space.metric is Metric.EUCLIDEAN else "max_inner_product",
            "index_options": self._options(self.address.algorithm),
        }

    def values(self, codes: Any) -> list[Any]:
        """Return the rows themselves; the serializer reads arrays."""
        return list(codes)

    def scores(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Undo 1 / (1 + d²), or what keeps an inner product above 0."""
        if self.space.metric is Metric.EUCLIDEAN:
            found = 1 - 1 / raw
        else:
            found = np.where(raw < 1, 1 - 1 / np.minimum(raw, 1), raw - 1)
        if self.space.metric is Metric.COSINE:
            found = np.clip(found, -1, 1)
        return np.asarray(found, dtype=np.float32)


class BitField(VectorField):
    """Packed bits as ``dense_vector`` of bits; Elasticsearch wants whole bytes, spare bits are 0 on both sides."""

    def __init__(self, space: Space, address: Address) -> None:
        super().__init__(space, address)
        self.bits = -(-space.dim // 8) * 8
        if self.bits > MOST_BITS:
            raise DimensionError(
                f"Elasticsearch takes at most {MOST_BITS:,} bits, this space has {space.dim:,}: use faiss"
            )

    def mapping(self) -> dict[str, Any]:
        """Return the mapping of bits: a graph or a scan, they are not quantised further."""
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
        """Undo (bits - distance) / bits, exactly: distances are whole numbers."""
        return np.asarray(0 - np.rint((1 - raw) * self.bits), dtype=np.float32)


class WordsField(Field):
    """Words as our own analysis found them, weighed by Lucene's BM25.

    What is added are counts over the words of a `Lexicon`. The words go through a tokenizer that only splits
    at spaces, so that the analysis is the same as in a local index. Scores equal the local ones up to Lucene's
    rounding of lengths above 40 words; the frequencies are those of the documents that are in the index now.
    """

    def __init__(self, space: Space, address: Address, lexicon: Lexicon) -> None:
        super().__init__(space, address)
        self.lexicon = lexicon
        self._words: NDArray[np.object_] = np.array([word_sent(word) for word in lexicon.words], dtype=object)

    @property
    def similarity(self) -> dict[str, Any]:
        """The parameters of BM25, always stated."""
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
        """Return each document's words, as often as they occur."""
        bounds, counts = codes.indptr, np.rint(codes.data).astype(np.int64)
        words = self._words[codes.indices]
        return [
            " ".join(np.repeat(words[start:stop], counts[start:stop]).tolist())
            for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        ]

    def query(self, name: str, code: Any, k: int, options: QueryOptions) -> dict[str, Any]:
        """Return a search for any of the words; one that is said twice counts twice."""
        match = {"match": {name: {"query": code}}}
        return {"query": {"bool": {"must": [match], "filter": list(options.only)}} if options.only else match}

    def scores(self, raw: NDArray[np.float64]) -> NDArray[np.float32]:
        """Leave out the constant factor k1 + 1, which Lucene's legacy similarity has kept."""
        return np.asarray(raw / (self.lexicon.k1 + 1), dtype=np.float32)


#: Splits at spaces and does nothing else; there is one in every distribution.
ANALYZER = "whitespace"


def word_sent(word: str) -> str:
    """Return a word as it is sent: one that would be cut by its beginning and a digest.

    Examples
    --------
    >>> word_sent("river"), len(word_sent("x" * 300))
    ('river', 134)
    """
    if len(word) <= LONGEST_WORD // 2 or len(word.encode("utf-16-le")) // 2 <= LONGEST_WORD:
        return word
    import hashlib

    return f"{word[:70]}{hashlib.sha256(word.encode()).hexdigest()}"


def similarity_name(lexicon: Lexicon) -> str:
    """Return what the similarity of a lexicon is called in the settings.

    Examples
    --------
    >>> similarity_name(Lexicon((), 1.5, 0.75))
    'bm25_k1_1p5_b_0p75'
    """
    return f"bm25_k1_{lexicon.k1}_b_{lexicon.b}".replace(".", "p")  # a dot would begin a name below


def field_of(space: Space, address: Address, lexicon: Lexicon | None) -> Field:
    """Return the field that holds a space."""
    if lexicon is not None:
        return WordsField(space, address, lexicon)
    return (BitField if space.kind is Kind.BINARY else DenseField)(space, address)
