"""Validation of what an index is given: spaces, k, rows, ids and codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Codes, Kind, Metric, Space, n_rows, packed_width
from encoders.errors import BadItemError, DimensionError, OptionError, UnsupportedSpaceError
from encoders.items import as_matrix, describe
from encoders.npy import released

#: Products of larger values overflow float32 when they are summed.
LARGEST = 1e17
#: Codes with a smaller sum of squares are valid; others must be checked value by value.
LARGEST_SQUARE = LARGEST**2
#: Rows of many codes that are checked or added at a time. FAISS adds as many, so products round as its own do.
BLOCK_ROWS = 2**16
#: Looked up once: reading an attribute of an enum class is slow beside the check of a single query.
_DENSE, _FLOAT32 = Kind.DENSE, np.dtype(np.float32)


def require_supported(name: str, spaces: Collection[tuple[Kind, Metric]], space: Space) -> None:
    """Refuse a kind and metric that an index does not support, and name an index that does.

    Raises
    ------
    UnsupportedSpaceError
    OptionError
        For a space without components.
    """
    if space.dim < 1:
        raise OptionError(f"a space should have at least 1 component; got {space.dim}")
    if (space.kind, space.metric) in spaces:
        return
    can = ", ".join(sorted(f"{kind} {metric}" for kind, metric in spaces))
    raise UnsupportedSpaceError(
        f"'{name}' cannot search {space.kind} codes by {space.metric}, only {can}; {_advice(space)}"
    )


def _advice(space: Space) -> str:
    if space.kind is Kind.BINARY:
        return "binary codes are compared by hamming"
    if space.metric is Metric.HAMMING:
        return "hamming compares binary codes: add '+binarize' to the space"
    lexical = space.kind is Kind.SPARSE and space.metric is not Metric.EUCLIDEAN
    return f"use {'sparse or exact' if lexical else 'exact'}"


def checked_k(k: Any) -> int:
    """Return `k` when it is a positive whole number."""
    if type(k) is int and k > 0:  # the usual case, five times faster than the full check
        return k
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise OptionError(f"k should be a whole number, at least 1; got {k!r}")
    return int(k)


def checked_rows(rows: Any, queries: Any, count: int) -> NDArray[np.int64]:
    """Return rows of an index of `count` items as an array (n, m), one line per query; -1 stands for none.

    Raises
    ------
    DimensionError
        When there is not one line for each query.
    BadItemError
        When a number is not a row of the index.
    """
    wanted = np.asarray(rows)
    n = n_rows(queries)
    if wanted.ndim != 2 or len(wanted) != n:
        raise DimensionError(f"expected rows for {n} queries, one line each; got an array of shape {wanted.shape}")
    if wanted.size and (wanted.dtype.kind not in "iu" or wanted.min() < -1 or wanted.max() >= count):
        raise BadItemError(f"rows are whole numbers from 0 to {count - 1}, or -1 for none")
    return wanted.astype(np.int64, copy=False)


def known_rows(ids: Iterable[str], rows_by_id: Mapping[str, int]) -> NDArray[np.int64]:
    """Return the rows of ids, given the row of every id in the index.

    Raises
    ------
    BadItemError
        When an id is not in the index, or one text is given for a list.
    """
    if isinstance(ids, str):
        raise BadItemError(f"expected a list of ids, got the single text {ids!r}")
    wanted = list(ids)
    unknown = [name for name in wanted if name not in rows_by_id]
    if unknown:
        more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise BadItemError(f"the index holds no item {unknown[0]!r}{more}")
    return np.array([rows_by_id[name] for name in wanted], dtype=np.int64)


def checked_ids(ids: Sequence[str], rows: int, present: Mapping[str, int]) -> list[str]:
    """Return new ids as a list of plain texts.

    Raises
    ------
    BadItemError
        When there are more or fewer ids than codes, or one is not a text, comes twice, or is in the index.
    """
    if isinstance(ids, str):
        raise BadItemError(f"expected a list of ids, got the single text {ids!r}")
    names = list(ids)
    if len(names) != rows:
        raise BadItemError(f"every code needs one id: got {len(names)} ids for {rows} codes")
    if set(map(type, names)) <= {str} and len(set(names)) == rows and present.keys().isdisjoint(names):
        return names
    seen: set[str] = set()
    for row, name in enumerate(names):
        if not isinstance(name, str):
            raise BadItemError(f"ids are texts; id {row} is {type(name).__name__} {name!r}")
        if name in seen:
            raise BadItemError(f"the id {name!r} is given twice; ids are unique")
        if name in present:
            raise BadItemError(f"the id {name!r} is in the index already; remove it first to replace it")
        seen.add(name)
    return [str(name) for name in names]


def checked_codes(codes: Any, space: Space) -> Codes:
    """Return codes in the form that `space` stores.

    Raises
    ------
    BadItemError
        For another kind of codes, or values that are NaN, infinite or too large.
    DimensionError
        For another width.
    """
    if has_plain_form(codes, space) and _has_moderate_sums(codes):
        return codes
    with np.errstate(over="ignore"):  # values beyond float32 become infinite and are refused below
        matrix: Any = as_matrix(codes)
    kind = Kind.SPARSE if issparse(matrix) else Kind.BINARY if matrix.dtype == np.uint8 else Kind.DENSE
    if kind is not space.kind:
        raise BadItemError(f"this index holds {space.kind} codes, got {kind} codes ({describe(codes)})")
    width = packed_width(space.dim) if space.kind is Kind.BINARY else space.dim
    if matrix.shape[1] != width:
        unit = "bytes (packed bits)" if space.kind is Kind.BINARY else "components"
        raise DimensionError(f"this index holds codes of {width} {unit}, got {matrix.shape[1]}")
    if space.kind is Kind.SPARSE:
        _require_moderate(matrix.data)
        canonical: Codes = _canonical(matrix)
        return canonical
    if space.kind is Kind.BINARY:
        spare = np.uint8(2 ** (8 * width - space.dim) - 1)  # np.packbits fills the last byte from the left
        if spare and (matrix[:, -1] & spare).any():
            raise BadItemError(f"the last byte of codes of {space.dim} bits has unused bits that are not 0")
    else:
        _require_moderate(matrix)
    return np.ascontiguousarray(matrix)


def has_plain_form(codes: Any, space: Space) -> bool:
    """Return whether codes are dense and already in the form that is stored; values are not checked.

    With one pass over the values this is the whole check of a single query, which must be fast.
    """
    return (
        space.kind is _DENSE
        and type(codes) is np.ndarray
        and codes.dtype == _FLOAT32
        and codes.ndim == 2
        and codes.shape[1] == space.dim
        and codes.flags.c_contiguous
        and codes.size > 0
    )


def _has_moderate_sums(codes: NDArray[np.float32]) -> bool:
    """Return whether sums of squares bound every value; many codes are read part by part, as they may be mapped."""
    if len(codes) <= BLOCK_ROWS:
        return bool(np.vdot(codes, codes) < LARGEST_SQUARE)  # False for NaN
    return all(np.vdot(part, part) < LARGEST_SQUARE for part in released(codes, BLOCK_ROWS))


def _require_moderate(values: Any) -> None:
    if values.size and (values.max() > LARGEST or values.min() < -LARGEST):
        raise BadItemError(f"codes hold values beyond {LARGEST:g}, which overflow in comparisons: scale them first")


def _canonical(matrix: Any) -> Any:
    """Return a CSR matrix with sorted, unique columns; the caller's matrix is not changed."""
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix
