"""Comparing every query with every item, block by block: the arithmetic behind `Exact`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Metric, moderate_rows
from encoders.errors import ArtifactError
from indexers.base import Rows
from indexers.pairs import DensePairs, as_cosines, as_words, exact_squares, inverse_lengths
from indexers.topk import best, reaching, smallest

#: Scores held at a time (float32: 128 MiB), and items compared at a time.
BLOCK_SCORES = 2**25
BLOCK_ITEMS = 2**17
#: Hamming distances computed at a time: few enough that the 64-bit words between stay in the cache.
BLOCK_WORDS = 2**18
#: Components of sparse queries spread out at a time (float32: 64 MiB).
BLOCK_SPREAD = 2**24
#: Squared lengths below this, and above its inverse, are summed in a unit of their own.
SMALL = 1e-24
ROUNDING = float(np.finfo(np.float32).eps)


class Scan(NamedTuple):
    """One search: unit-length queries for cosine, items as they are with their squared lengths, and the median length
    (to find it at every search costs more than to answer a single query).
    """

    queries: Any
    codes: Any
    squares: NDArray[Any]
    middle: float
    metric: Metric
    k: int


def squared_lengths(codes: Any) -> NDArray[Any]:
    """Return the squared length of every row, float32 (n,); float64 where rows are too small or large for that.

    For packed bits zeros, which nothing reads.
    """
    if codes.dtype == np.uint8:
        return np.zeros(codes.shape[0], dtype=np.float32)
    if issparse(codes):
        exact = exact_squares(codes)
        return exact if len(_odd(exact[exact > 0])) else exact.astype(np.float32)
    squares = np.asarray(np.einsum("nd,nd->n", codes, codes))
    odd = _odd(squares)
    if not len(odd):
        return squares
    squares = squares.astype(np.float64)
    for start in range(0, len(odd), BLOCK_ITEMS):
        rows, exponents = moderate_rows(codes[odd[start : start + BLOCK_ITEMS]])
        moderate = np.einsum("nd,nd->n", rows, rows).astype(np.float64)
        squares[odd[start : start + BLOCK_ITEMS]] = np.ldexp(moderate, 2 * exponents)
    return squares


def _odd(squares: NDArray[Any]) -> NDArray[np.int64]:
    """Return where float32 has lost digits of a squared length."""
    return np.flatnonzero(~((squares > SMALL) & (squares < 1 / SMALL)))


def scan_dense(scan: Scan) -> Rows:
    """Search float32 codes: one matrix product ranks, then the best are compared one by one.

    The product rounds; ``|a|^2 + |b|^2 - 2ab`` loses all digits where lengths are large beside distances.
    So it only chooses candidates, all within its rounding error of the k-th best, and these get their scores
    from the definition. That also makes a score independent of the block it was computed in.
    """
    queries, codes, squares, middle, metric, k = scan
    found = _empty(len(queries), k)
    inverse = inverse_lengths(squares) if metric is Metric.COSINE else None
    slack = 2 * ROUNDING * codes.shape[1] * _magnitude(queries, middle, metric)
    width = min(len(codes), BLOCK_ITEMS)
    height = max(1, BLOCK_SCORES // width)
    pairs = DensePairs(queries, codes, squares, metric)
    lengths = squares.astype(np.float32, copy=False) if metric is Metric.EUCLIDEAN else squares
    room = np.empty(min(height, len(queries)) * width, dtype=np.float32)  # fresh memory each time costs a tenth
    for top in range(0, len(queries), height):
        block = queries[top : top + height]
        kept: list[list[NDArray[np.int64]]] = [[] for _ in block]
        for left in range(0, len(codes), width):
            part = slice(left, left + width)
            items = codes[part]
            ranks = room[: len(block) * len(items)].reshape(len(block), len(items))
            np.matmul(block, items.T, out=ranks)
            for row, candidates in enumerate(kept):  # row by row: each fits the cache
                near = ranks[row]
                if metric is Metric.EUCLIDEAN:
                    near *= 2
                    near -= lengths[part]
                elif inverse is not None:
                    near *= inverse[part]
                candidates.append(reaching(near, k, slack[top + row]) + left)
        for row, candidates in enumerate(kept):
            rows = np.concatenate(candidates)
            scores = pairs.scores(top + row, rows)
            order = np.argsort(-scores, kind="stable")[:k]
            if len(order) < k or np.isnan(scores[order[-1]]):  # NaN reaches nothing, and comes last
                raise _damaged()
            found.scores[top + row], found.rows[top + row] = scores[order], rows[order]
    return found


def _damaged() -> ArtifactError:
    """Say of codes that hold NaN what that means: none is ever added."""
    return ArtifactError("the codes of the index are damaged, some are no numbers: see  nearby info FOLDER --verify")


def scan_sparse(scan: Scan) -> Rows:
    """Search CSR codes: some queries at a time are spread out and multiplied with the whole matrix."""
    queries, codes, squares, _, metric, k = scan
    n, dim = codes.shape
    found = _empty(queries.shape[0], k)
    if metric is Metric.EUCLIDEAN:
        codes = codes.astype(np.float64)
        squares = exact_squares(codes)
    height = max(1, min(BLOCK_SCORES // n, BLOCK_SPREAD // dim))
    for top in range(0, queries.shape[0], height):
        block = queries[top : top + height]
        products = (codes @ block.toarray().astype(codes.dtype, copy=False).T).T
        if metric is Metric.COSINE:
            products = as_cosines(products * inverse_lengths(squares))
        elif metric is Metric.EUCLIDEAN:
            products = 2 * products - squares - exact_squares(block)[:, None]
        _take_best(np.ascontiguousarray(products, dtype=np.float32), found, top, k)
    return found


def scan_binary(scan: Scan) -> Rows:
    """Search packed bits: exclusive or, population count."""
    queries, codes, _, _, _, k = scan
    found = _empty(len(queries), k)
    items, asked = as_words(codes), as_words(queries)
    if len(asked) > items.shape[1]:  # then it pays to bring together the words that are compared together
        items = np.asfortranarray(items)
    height = max(1, BLOCK_WORDS // len(items))
    for top in range(0, len(asked), height):
        for row, distances in enumerate(_differing_bits(asked[top : top + height], items), start=top):
            rows = smallest(distances, k)
            found.scores[row], found.rows[row] = 0 - distances[rows].astype(np.float32), rows
    return found


def _take_best(scores: NDArray[np.float32], found: Rows, top: int, k: int) -> None:
    """Write the best of a block of scores (n, items) into `found`, from row `top` on."""
    for row, near in enumerate(scores, start=top):
        rows = best(near, k)
        if len(rows) < k or np.isnan(near[rows[-1]]):
            raise _damaged()
        found.scores[row], found.rows[row] = near[rows], rows


def _empty(n: int, k: int) -> Rows:
    return Rows(np.empty((n, k), np.float32), np.empty((n, k), np.int64))


def _magnitude(queries: NDArray[np.float32], middle: float, metric: Metric) -> NDArray[np.float32]:
    """Return the size of the terms in a comparison with a median item, to which rounding is relative."""
    lengths: NDArray[np.float32] = np.linalg.norm(queries, axis=1)
    if metric is Metric.COSINE:
        return lengths
    return np.asarray(lengths * middle if metric is Metric.DOT else (lengths + middle) ** 2)


def _differing_bits(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.unsignedinteger[Any]]:
    """Return the Hamming distances (len(a), len(b)): small numbers, of which the smallest are found fast."""
    wide = 64 * a.shape[1] > np.iinfo(np.uint16).max
    total = np.zeros((len(a), len(b)), dtype=np.uint32 if wide else np.uint16)
    for word in range(a.shape[1]):
        total += np.bitwise_count(a[:, word, None] ^ b[None, :, word])
    return total
