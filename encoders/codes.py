"""What a code is and how two codes are compared."""

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

from encoders.errors import BadItemError, DimensionError


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
    """What an encoder reads: raw items of one sort, or the codes of another encoder."""

    TEXT = "text"
    IMAGE = "image"
    VECTOR = "vector"


#: Components of a code at most: what sparse matrices of 32-bit indices and every engine count.
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
        The picture shape ``(height, width[, channels])`` when a code can be looked at.

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

    @property
    def bytes_per_item(self) -> int | None:
        """Bytes of one stored code; None for sparse codes, whose length varies."""
        return {Kind.DENSE: 4 * self.dim, Kind.BINARY: packed_width(self.dim), Kind.SPARSE: None}[self.kind]

    def to_json(self) -> dict[str, Any]:
        """Return the space as plain JSON values."""
        shape = None if self.shape is None else list(self.shape)
        return {"dim": self.dim, "kind": str(self.kind), "metric": str(self.metric), "shape": shape}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Space:
        """Read what `to_json` wrote.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is anything else.
        """
        shape = value.get("shape")
        if not isinstance(shape, list | None):
            raise ValueError(f"a shape is a list of lengths, found {type(shape).__name__}")
        lengths = None if shape is None else tuple(whole_number(length, MAX_DIM) for length in shape)
        dim = whole_number(value["dim"], MAX_DIM)
        if lengths is not None and math.prod(lengths) != dim:
            raise ValueError(f"codes of width {dim:,} have no shape {lengths}")
        return cls(dim, Kind(value["kind"]), Metric(value["metric"]), lengths)


def whole_number(value: Any, most: int) -> int:
    """Return a whole number from 0 to `most`, as a file that somebody else may have written should hold it.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> whole_number(-1, 100)
    Traceback (most recent call last):
    ValueError: expected a whole number from 0 to 100, found -1
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        found = repr(value) if isinstance(value, bool | int | float | None) else type(value).__name__
        raise ValueError(f"expected a whole number from 0 to {most:,}, found {found[:40]}")
    return value


@dataclass(frozen=True)
class Lexicon:
    """What an engine that weighs words itself needs to know of a BM25 space: its index stores counts, not codes.

    Attributes
    ----------
    words : tuple of str
        The word of each component.
    k1, b : float
        How fast repetition saturates, and how much length is discounted.
    """

    words: tuple[str, ...]
    k1: float
    b: float


#: float32 (n, dim) | csr_array float32 (n, dim) | packed uint8 (n, ceil(dim / 8))
#: (SciPy is untyped, so the checker sees Any.)
Codes: TypeAlias = Any
#: Texts, pictures (uint8, (h, w[, c]) each, or stacked), or the codes of an earlier stage.
Items: TypeAlias = Any


class Batch(NamedTuple):
    """Some items on their way to an encoder, with their labels where there are any."""

    items: Items
    labels: Sequence[str | None] | None = None


#: Lengths below which, and above whose inverse, the squares in float32 lose digits.
_SMALL = 1e-12

#: Re-iterable: every ``iter()`` is one pass over the same items in the same order.
Batches = Iterable[Batch]


def packed_width(bits: int) -> int:
    """Bytes that hold `bits` bits."""
    return (bits + 7) // 8


def n_rows(items: Items) -> int:
    """Return how many items a batch, list or matrix holds (SciPy forbids ``len`` of a sparse array)."""
    return int(items.shape[0]) if issparse(items) or isinstance(items, np.ndarray) else len(items)


def stack_codes(parts: Sequence[Codes]) -> Codes:
    """Stack codes row-wise; all of one kind and width."""
    if len(parts) == 1:
        return parts[0]
    if issparse(parts[0]):
        return small_indices(csr_array(sparse_vstack(list(parts), format="csr")))
    return np.concatenate(parts)


def small_indices(matrix: csr_array) -> csr_array:
    """Return a sparse matrix with 32-bit indices where they reach: half the bytes, and all that scikit-learn reads."""
    if (
        matrix.indices.dtype == np.int32 == matrix.indptr.dtype
        or max(matrix.nnz, *matrix.shape) > np.iinfo(np.int32).max
    ):
        return matrix
    indices, pointers = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return csr_array((matrix.data, indices, pointers), shape=matrix.shape)


def collect(batches: Batches) -> Codes:
    """Hold every row of checked `batches` as ONE matrix, filled in place where dense (no second copy).

    Raises
    ------
    BadItemError
        When there is nothing to collect.
    """
    parts: list[Codes] = [batch.items for batch in batches if n_rows(batch.items)]
    if not parts:
        raise BadItemError("there is nothing to fit on: the corpus holds no items")
    if len(parts) == 1 or issparse(parts[0]):
        return stack_codes(parts)
    width = parts[0].shape[1]
    whole = np.empty((sum(part.shape[0] for part in parts), width), dtype=parts[0].dtype)
    start = 0
    while parts:  # each part is let go as soon as it is copied
        part = parts.pop(0)
        whole[start : start + part.shape[0]] = part
        start += part.shape[0]
    return whole


def collect_labelled(batches: Batches) -> tuple[Codes, list[str] | None]:
    """Hold every row as ONE matrix, and every label, or None when an item has none.

    Raises
    ------
    BadItemError
        When there is nothing to collect.
    """
    matrix, labels = partly_labelled(batches)
    known = [label for label in labels if label is not None]
    return matrix, known if len(known) == len(labels) else None


def partly_labelled(batches: Batches) -> tuple[Codes, list[str | None]]:
    """Hold every row as ONE matrix, and a label for each, None where it has none.

    Raises
    ------
    BadItemError
        When there is nothing to collect.
    """
    labels: list[str | None] = []

    def noted() -> Iterator[Batch]:
        for batch in batches:
            labels.extend(batch.labels if batch.labels is not None else [None] * n_rows(batch.items))
            yield batch

    return collect(noted()), labels


def as_matrix(items: Items, missing: bool = False) -> Codes:
    """Return vector items as a finite float32 matrix (sparse stays sparse, packed bits stay packed).

    With `missing`, NaN stands for an entry that is not known and is let through.

    Raises
    ------
    BadItemError
        For NaN, infinite or non-numeric values.
    DimensionError
        When the rows are not all of one width.

    Examples
    --------
    >>> as_matrix([[1, 2], [3, 4]]).dtype
    dtype('float32')
    >>> as_matrix([[1.0, float("nan")]])
    Traceback (most recent call last):
    encoders.errors.BadItemError: row 0 holds NaN or infinite values
    """
    if issparse(items):
        matrix = csr_array(items, dtype=np.float32) if items.dtype != np.float32 else csr_array(items)
        require_finite(matrix.data, matrix)
        return matrix
    if isinstance(items, np.ndarray) and items.dtype == np.uint8 and items.ndim == 2:
        return items
    try:
        dense = np.asarray(items, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DimensionError(f"expected vectors of one width, got {describe(items)}") from error
    if dense.ndim != 2:
        raise DimensionError(f"expected a matrix (n, dim), got an array of shape {dense.shape}")
    if missing:
        if np.isinf(dense).any():
            raise BadItemError(f"row {int(np.flatnonzero(np.isinf(dense).any(axis=1))[0])} holds infinite values")
        return dense
    require_finite(dense, dense)
    return dense


def require_finite(values: NDArray[Any], matrix: Codes) -> None:
    """Raise `BadItemError` naming the first row with NaN or infinity."""
    if np.isfinite(values).all():
        return
    whole = matrix.toarray() if issparse(matrix) else matrix
    row = int(np.flatnonzero(~np.isfinite(whole).all(axis=1))[0])
    raise BadItemError(f"row {row} holds NaN or infinite values")


def describe(items: Any) -> str:
    """Say in a few words what was given, for error messages."""
    if isinstance(items, np.ndarray) or issparse(items):
        return f"an array of shape {items.shape}"
    if isinstance(items, str | bytes):
        return "a single text"
    try:
        first = next(iter(items))
    except (TypeError, StopIteration):
        return f"{type(items).__name__}"
    return f"a {type(items).__name__} of {type(first).__name__}"


def normalized(codes: Codes) -> Codes:
    """Return float codes scaled to unit length; zero rows stay zero.

    Examples
    --------
    >>> normalized(np.array([[3, 4], [0, 0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    if issparse(codes):
        counts = np.diff(codes.indptr)
        squares = np.square(codes.data, dtype=np.float64)  # float64 holds the squares of all that float32 holds
        norms = np.sqrt(np.bincount(np.repeat(np.arange(len(counts)), counts), squares, minlength=len(counts)))
        scaled = codes.copy()
        scaled.data = (scaled.data / np.repeat(np.where(norms > 0, norms, 1), counts)).astype(np.float32)
        return scaled
    norms = np.linalg.norm(codes, axis=1, keepdims=True)
    if not len(norms) or (norms.min() > _SMALL and norms.max() < 1 / _SMALL):
        return np.asarray(codes / norms, dtype=np.float32)
    unit = np.asarray(codes / np.where(norms > 0, norms, 1), dtype=np.float32)
    odd = np.flatnonzero(~((norms > _SMALL) & (norms < 1 / _SMALL)))  # their squares are too small or large
    moderate, _ = moderate_rows(codes[odd])
    norms = np.linalg.norm(moderate, axis=1, keepdims=True)
    unit[odd] = moderate / np.where(norms > 0, norms, 1)
    return unit


def moderate_rows(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return rows multiplied by powers of two that bring the largest entry of each to 0.5 to 1, and the exponents.

    Examples
    --------
    >>> rows, exponents = moderate_rows(np.array([[0, 2.0**-90]], dtype=np.float32))
    >>> rows.tolist(), exponents.tolist()
    ([[0.0, 0.5]], [-89])
    """
    exponents = np.frexp(np.abs(rows).max(axis=1))[1]
    return np.ldexp(rows, -exponents[:, None]), exponents


def slices(codes: Codes, rows: int) -> Iterator[Codes]:
    """Cut a matrix into consecutive pieces of at most `rows` rows (views where dense)."""
    for start in range(0, codes.shape[0], rows):
        yield codes[start : start + rows]
