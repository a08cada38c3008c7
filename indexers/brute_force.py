"""Exact search by comparing every query with every item, block by block."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Metric, moderate_rows
from encoders.errors import ArtifactError
from indexers.batch_search import search_batch, suits
from indexers.hits import Rows
from indexers.pairs import DensePairs, as_cosines, as_words, exact_squares, inverse_lengths
from indexers.rounding import Lengths
from indexers.topk import best, candidate_columns, smallest

#: Scores held at a time (float32: 128 MiB), and items compared at a time.
BLOCK_SCORES = 2**25
BLOCK_ITEMS = 2**17
#: Packed items unpacked at a time.
BLOCK_PACKED = 2**14
#: Hamming distances computed at a time: few enough that their 64-bit words stay in the cache.
BLOCK_WORDS = 2**18
#: Components of sparse queries made dense at a time (float32: 64 MiB).
BLOCK_COMPONENTS = 2**24
#: Rows whose squared length is below this, or above its inverse, are scaled before their squares are summed.
SMALL = 1e-24


class Search(NamedTuple):
    """The arguments of one search.

    Attributes
    ----------
    queries : codes (n, dim)
        Of unit length for cosine.
    codes : codes (m, dim)
        The items as they are stored.
    squares : ndarray (m,)
        Their squared lengths.
    lengths : Lengths
        Of the items. The index keeps them, as computing them takes longer than answering one query.
    """

    queries: Any
    codes: Any
    squares: NDArray[Any]
    lengths: Lengths
    metric: Metric
    k: int


def squared_lengths(codes: Any) -> NDArray[Any]:
    """Return the squared length of every row, float32 (n,); float64 where rows are too small or large for that.

    For packed bits the result is zeros, which nothing reads.
    """
    if codes.dtype == np.uint8:
        return np.zeros(codes.shape[0], dtype=np.float32)
    if issparse(codes):
        exact = exact_squares(codes)
        return exact if len(_extreme(exact[exact > 0])) else exact.astype(np.float32)
    squares = np.asarray(np.einsum("nd,nd->n", codes, codes))
    extreme = _extreme(squares)
    if not len(extreme):
        return squares
    squares = squares.astype(np.float64)
    for start in range(0, len(extreme), BLOCK_ITEMS):
        rows, exponents = moderate_rows(codes[extreme[start : start + BLOCK_ITEMS]])
        moderate = np.einsum("nd,nd->n", rows, rows).astype(np.float64)
        squares[extreme[start : start + BLOCK_ITEMS]] = np.ldexp(moderate, 2 * exponents)
    return squares


def _extreme(squares: NDArray[Any]) -> NDArray[np.int64]:
    """Return the rows whose squared length loses digits in float32."""
    return np.flatnonzero(~((squares > SMALL) & (squares < 1 / SMALL)))


def search_dense(search: Search) -> Rows:
    """Search float32 codes: many queries together, and those that this cannot answer with certainty one by one."""
    queries, codes, squares, _, metric, k = search
    batch = search_batch(queries, codes, squares, metric, k) if suits(queries, codes, k) else None
    if batch is None:
        return search_each(search)
    open_ones = np.flatnonzero(~batch.certain)
    if len(open_ones):
        others = search_each(search._replace(queries=queries[open_ones]))
        batch.rows.scores[open_ones], batch.rows.rows[open_ones] = others
    return batch.rows


def search_each(search: Search) -> Rows:
    """Search float32 codes: a matrix product selects candidates, which are then compared one by one.

    The product rounds; ``|a|^2 + |b|^2 - 2ab`` loses all digits where lengths are much larger than distances.
    So it only selects candidates, all within its rounding error of the k-th best, and their scores are computed by
    the definition. That also makes a score independent of the block that it is computed in.
    """
    queries, codes, squares, known_lengths, metric, k = search
    result = _empty(len(queries), k)
    inverse = inverse_lengths(squares) if metric is Metric.COSINE else None
    slack = known_lengths.slack(queries, metric, k)
    # packed codes are unpacked block by block
    width = min(len(codes), BLOCK_ITEMS if isinstance(codes, np.ndarray) else BLOCK_PACKED)
    height = max(1, BLOCK_SCORES // width)
    pairs = DensePairs(queries, codes, squares, metric)
    lengths = squares.astype(np.float32, copy=False) if metric is Metric.EUCLIDEAN else squares
    # one buffer for all blocks: new memory for each makes the search a tenth slower
    buffer = np.empty(min(height, len(queries)) * width, dtype=np.float32)
    for top in range(0, len(queries), height):
        block = queries[top : top + height]
        selected: list[list[NDArray[np.int64]]] = [[] for _ in block]
        for left in range(0, len(codes), width):
            part = slice(left, left + width)
            items = codes[part]
            products = buffer[: len(block) * len(items)].reshape(len(block), len(items))
            np.matmul(block, items.T, out=products)
            for row, candidates in enumerate(selected):  # row by row, as each fits the cache
                near = products[row]
                if metric is Metric.EUCLIDEAN:
                    near *= 2
                    near -= lengths[part]
                elif inverse is not None:
                    near *= inverse[part]
                candidates.append(candidate_columns(near, k, slack[top + row]) + left)
        for row, candidates in enumerate(selected):
            rows = np.concatenate(candidates)
            scores = pairs.scores(top + row, rows)
            order = np.argsort(-scores, kind="stable")[:k]
            if len(order) < k or np.isnan(scores[order[-1]]):  # NaN is never a candidate, or comes last
                raise _damaged_error()
            result.scores[top + row], result.rows[top + row] = scores[order], rows[order]
    return result


def _damaged_error() -> ArtifactError:
    """Return the error for stored codes that hold NaN, which is never added."""
    return ArtifactError("the codes of the index are damaged (NaN): see  nearby info FOLDER --verify")


def search_sparse(search: Search) -> Rows:
    """Search CSR codes: some queries at a time are made dense and multiplied with the whole matrix."""
    queries, codes, squares, _, metric, k = search
    n, dim = codes.shape
    result = _empty(queries.shape[0], k)
    if metric is Metric.EUCLIDEAN:
        codes = codes.astype(np.float64)
        squares = exact_squares(codes)
    height = max(1, min(BLOCK_SCORES // n, BLOCK_COMPONENTS // dim))
    for top in range(0, queries.shape[0], height):
        block = queries[top : top + height]
        products = (codes @ block.toarray().astype(codes.dtype, copy=False).T).T
        if metric is Metric.COSINE:
            products = as_cosines(products * inverse_lengths(squares))
        elif metric is Metric.EUCLIDEAN:
            products = 2 * products - squares - exact_squares(block)[:, None]
        _take_best(np.ascontiguousarray(products, dtype=np.float32), result, top, k)
    return result


def search_binary(search: Search) -> Rows:
    """Search packed bits by exclusive or and population count."""
    queries, codes, _, _, _, k = search
    result = _empty(len(queries), k)
    items, wanted = as_words(codes), as_words(queries)
    if len(wanted) > items.shape[1]:  # then it is faster to store words side by side that are compared together
        items = np.asfortranarray(items)
    height = max(1, BLOCK_WORDS // len(items))
    for top in range(0, len(wanted), height):
        for row, distances in enumerate(_differing_bits(wanted[top : top + height], items), start=top):
            rows = smallest(distances, k)
            result.scores[row], result.rows[row] = 0 - distances[rows].astype(np.float32), rows
    return result


def _take_best(scores: NDArray[np.float32], result: Rows, top: int, k: int) -> None:
    """Write the best of a block of scores (n, items) into `result`, from row `top` on."""
    for row, near in enumerate(scores, start=top):
        rows = best(near, k)
        if len(rows) < k or np.isnan(near[rows[-1]]):
            raise _damaged_error()
        result.scores[row], result.rows[row] = near[rows], rows


def _empty(n: int, k: int) -> Rows:
    return Rows(np.empty((n, k), np.float32), np.empty((n, k), np.int64))


def _differing_bits(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.unsignedinteger[Any]]:
    """Return the Hamming distances (len(a), len(b)): small numbers, of which the smallest are found fast."""
    wide = 64 * a.shape[1] > np.iinfo(np.uint16).max
    total = np.zeros((len(a), len(b)), dtype=np.uint32 if wide else np.uint16)
    for word in range(a.shape[1]):
        total += np.bitwise_count(a[:, word, None] ^ b[None, :, word])
    return total
