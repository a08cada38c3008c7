"""Codes, the spaces that they are in, and functions of matrices of codes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

# isort: off
import numpy as np
from numpy.typing import NDArray

import encoders.unused_numpy  # before SciPy, which would load them  # noqa: F401
from scipy.sparse import csr_array, issparse
from scipy.sparse import vstack as sparse_vstack
# isort: on

from encoders.packing import Packing, packed_bytes, packing_from_json, packing_to_json


class Kind(StrEnum):
    """How the numbers of a code are stored."""

    DENSE = "dense"
    SPARSE = "sparse"
    BINARY = "binary"


class Metric(StrEnum):
    """The geometry of a space; larger scores are better in all of them."""

    COSINE = "cosine"
    DOT = "dot"
    EUCLIDEAN = "euclidean"
    HAMMING = "hamming"


class Modality(StrEnum):
    """What an encoder reads: texts, pictures, sounds, rows of a table, or vectors, such as codes of another encoder.

    `ITEM` is any of these with its id (`encoders.named`), for an encoder that looks codes up; no corpus has it.
    """

    TEXT = "text"
    IMAGE = "image"
    SOUND = "sound"
    ROW = "row"
    VECTOR = "vector"
    ITEM = "item"


#: Largest number of components of a code: the limit of sparse matrices with 32-bit indices and of search engines.
MAX_DIM = 2**31 - 1


@dataclass(frozen=True)
class Space:
    """The type of a code.

    Parameters
    ----------
    dim : int
        Number of components (bits, for a binary code).
    kind : Kind
        Dense float32, sparse float32 (CSR) or bits packed into bytes.
    metric : Metric
        How two codes are compared.
    shape : tuple of int, optional
        The shape ``(height, width[, channels])`` if a code is a picture, or a spectrogram.
    packing : tuple of Part, optional
        How few bytes store a dense code exactly, if its numbers come from small codebooks (a quantised space). Codes
        are float32 all the same; an exact index stores them packed.

    Examples
    --------
    >>> Space(784, Kind.DENSE, Metric.EUCLIDEAN, (28, 28)).bytes_per_item
    3136
    >>> Space(30, Kind.BINARY, Metric.HAMMING).bytes_per_item
    4
    """

    dim: int
    kind: Kind
    metric: Metric
    shape: tuple[int, ...] | None = None
    packing: Packing | None = None

    @property
    def bytes_per_item(self) -> int | None:
        """Bytes of one stored code; None for sparse codes, whose length varies."""
        if self.packing is not None:
            return packed_bytes(self.packing)
        return {Kind.DENSE: 4 * self.dim, Kind.BINARY: packed_width(self.dim), Kind.SPARSE: None}[self.kind]

    @property
    def columns(self) -> int:
        """Columns of a matrix of codes: bytes of packed bits, components otherwise."""
        return packed_width(self.dim) if self.kind is Kind.BINARY else self.dim

    def to_json(self) -> dict[str, Any]:
        """Return the space as plain JSON values."""
        shape = None if self.shape is None else list(self.shape)
        value = {"dim": self.dim, "kind": str(self.kind), "metric": str(self.metric), "shape": shape}
        return value if self.packing is None else {**value, "packing": packing_to_json(self.packing)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Space:
        """Read what `to_json` wrote.

        Raises
        ------
        KeyError, TypeError, ValueError
            When the value is not a space.
        """
        shape = value.get("shape")
        if not isinstance(shape, list | None):
            raise ValueError(f"a shape is a list of lengths, found {type(shape).__name__}")
        lengths = None if shape is None else tuple(whole_number(length, MAX_DIM) for length in shape)
        dim = whole_number(value["dim"], MAX_DIM)
        if lengths is not None and math.prod(lengths) != dim:
            raise ValueError(f"codes of width {dim:,} have no shape {lengths}")
        kind, packed = Kind(value["kind"]), value.get("packing")
        if packed is not None and kind is not Kind.DENSE:
            raise ValueError(f"{kind} codes have no packing")
        packing = None if packed is None else packing_from_json(packed, dim)
        return cls(dim, kind, Metric(value["metric"]), lengths, packing)


def whole_number(value: Any, largest: int) -> int:
    """Check that a value from a file is a whole number from 0 to `largest`, and return it.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> whole_number(-1, 100)
    Traceback (most recent call last):
    ValueError: expected a whole number from 0 to 100, found -1
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= largest:
        description = repr(value) if isinstance(value, bool | int | float | None) else type(value).__name__
        raise ValueError(f"expected a whole number from 0 to {largest:,}, found {description[:40]}")
    return value


@dataclass(frozen=True)
class Lexicon:
    """What a search engine needs to compute BM25 itself; its index stores word counts instead of codes.

    Attributes
    ----------
    words : tuple of str
        The word of each component.
    k1, b : float
        Term frequency saturation and length normalisation.
    """

    words: tuple[str, ...]
    k1: float
    b: float


#: float32 (n, dim) | csr_array float32 (n, dim) | packed uint8 (n, ceil(dim / 8))
#: (SciPy is untyped, so the checker sees Any.)
Codes: TypeAlias = Any
#: Texts, pictures (uint8, (h, w[, c]) each, or stacked), sounds (`encoders.sound`), rows (`encoders.row`),
#: or the codes of an earlier stage.
Items: TypeAlias = Any


class Batch(NamedTuple):
    """Some items with their labels, if there are any."""

    items: Items
    labels: Sequence[str | None] | None = None


#: Squares in float32 lose digits for lengths below this number or above its inverse.
_SMALL = 1e-12

#: Re-iterable: every ``iter()`` is one pass over the same items in the same order.
Batches = Iterable[Batch]


def packed_width(bits: int) -> int:
    """Return the number of bytes for `bits` bits."""
    return (bits + 7) // 8


def n_rows(items: Items) -> int:
    """Return the number of items in a batch, list or matrix (SciPy forbids ``len`` of a sparse array)."""
    return int(items.shape[0]) if issparse(items) or isinstance(items, np.ndarray) else len(items)


def stack_codes(blocks: Sequence[Codes]) -> Codes:
    """Stack codes of one kind and width row-wise."""
    if len(blocks) == 1:
        return blocks[0]
    if issparse(blocks[0]):
        return small_indices(csr_array(sparse_vstack(list(blocks), format="csr")))
    return np.concatenate(blocks)


def small_indices(matrix: csr_array) -> csr_array:
    """Return a sparse matrix with 32-bit indices if possible: half the bytes, and scikit-learn needs them."""
    if (
        matrix.indices.dtype == np.int32 == matrix.indptr.dtype
        or max(matrix.nnz, *matrix.shape) > np.iinfo(np.int32).max
    ):
        return matrix
    indices, pointers = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return csr_array((matrix.data, indices, pointers), shape=matrix.shape)


def normalized(codes: Codes) -> Codes:
    """Return float codes scaled to unit length; zero rows stay zero.

    Examples
    --------
    >>> normalized(np.array([[3, 4], [0, 0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    if issparse(codes):
        counts = np.diff(codes.indptr)
        squares = np.square(codes.data, dtype=np.float64)  # float64 can represent the square of every float32
        norms = np.sqrt(np.bincount(np.repeat(np.arange(len(counts)), counts), squares, minlength=len(counts)))
        scaled = codes.copy()
        scaled.data = (scaled.data / np.repeat(np.where(norms > 0, norms, 1), counts)).astype(np.float32)
        return scaled
    norms = np.linalg.norm(codes, axis=1, keepdims=True)
    if not len(norms) or (norms.min() > _SMALL and norms.max() < 1 / _SMALL):
        return np.asarray(codes / norms, dtype=np.float32)
    unit = np.asarray(codes / np.where(norms > 0, norms, 1), dtype=np.float32)
    odd = np.flatnonzero(
        ~((norms > _SMALL) & (norms < 1 / _SMALL))
    )  # the squares in these rows are too small or too large
    moderate, _ = moderate_rows(codes[odd])
    norms = np.linalg.norm(moderate, axis=1, keepdims=True)
    unit[odd] = moderate / np.where(norms > 0, norms, 1)
    return unit


def moderate_rows(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Multiply each row by a power of two so that its largest entry is from 0.5 to 1; return rows and exponents.

    Examples
    --------
    >>> rows, exponents = moderate_rows(np.array([[0, 2.0**-90]], dtype=np.float32))
    >>> rows.tolist(), exponents.tolist()
    ([[0.0, 0.5]], [-89])
    """
    exponents = np.frexp(np.abs(rows).max(axis=1))[1]
    return np.ldexp(rows, -exponents[:, None]), exponents


def slices(items: Items, rows: int) -> Iterator[Items]:
    """Cut a matrix or a list into consecutive slices of at most `rows` rows (views of a dense matrix).

    Examples
    --------
    >>> list(slices(["a", "b", "c"], 2))
    [['a', 'b'], ['c']]
    """
    for start in range(0, n_rows(items), rows):
        yield items[start : start + rows]
