"""Three ways to find principal components, and the choice between them by the shape of the data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Batch, Batches, Codes, collect, n_rows, slices
from encoders.errors import BadItemError, OptionError
from encoders.moments import MAX_WIDTH, moments
from encoders.projection.feature_scores import means, variances

#: Above this number of items AND of components per item, the exact solver no longer pays.
MAX_SIDE = MAX_WIDTH
#: Up to this number of items OR of components per item, the exact solver is as fast as the randomized one; so it is up
#: to the second one where the items are `TALL` times as many as their components.
SMALL_SIDE, MEDIUM_SIDE, TALL = 500, 1000, 10
#: The randomized solver finds few components; of more than this share of the smaller side, the exact one is faster.
FEW = 0.1
#: Numbers of a corpus that ``auto`` holds in order to choose (float32: 1 GiB); of a larger one it sums the scatter.
HELD_NUMBERS = 2**28
#: Directions beyond the wanted components in which the randomized solver looks.
OVERSAMPLES = 10
#: Rows that the incremental solver takes at a time, at least.
STEP_ROWS = 2048
#: Rows, or columns, of which a float64 copy is made at a time.
BLOCK = 4096
#: Share of the largest variance below which a direction is taken for one in which nothing varies.
NOTHING = 1e-13


class Solution(NamedTuple):
    """Mean (dim,), components (k, dim), their variances (k,), and the variance of all components together."""

    mean: NDArray[Any]
    components: NDArray[Any]
    variance: NDArray[Any]
    total: float


def choose(batches: Batches, k: int) -> tuple[str, Batches]:
    """Return the solver for data of this shape, and the batches that it should read.

    ``exact`` where either side is small, or where more than a tenth of the components is wanted; ``randomized`` where
    both sides are large (scikit-learn's ``svd_solver="auto"`` draws the lines nearly there). Rows are held while the
    choice is open and the corpus fits. What was held whole is handed on, so that it is not read twice.
    """
    parts: list[Batch] = []
    rows = numbers = width = 0
    for batch in batches:
        parts.append(batch)
        rows, width = rows + n_rows(batch.items), int(batch.items.shape[1])
        numbers += 3 * batch.items.nnz if issparse(batch.items) else n_rows(batch.items) * width
        if (width <= rows and width <= SMALL_SIDE) or (width <= MEDIUM_SIDE and rows >= TALL * width):
            return "exact", batches
        if numbers > HELD_NUMBERS and width <= MAX_SIDE:
            return "exact", batches
    if not parts:
        return "exact", []
    side = min(rows, width)
    held = [Batch(collect(parts.pop(0) for _ in range(len(parts))))]
    return "exact" if side <= SMALL_SIDE or (FEW * side < k and side <= MAX_SIDE) else "randomized", held


def exact(batches: Batches, k: int) -> Solution:
    """Solve the eigenproblem of the smaller side: of the (dim, dim) scatter matrix, or of the (n, n) Gram matrix.

    Rows are held while they are fewer than their components; from then on they are summed batch by batch, so that
    neither more rows than components nor a matrix larger than the smaller side squared is ever held.

    References
    ----------
    Bishop, Pattern Recognition and Machine Learning, 2006, §12.1 and §12.1.4 (fewer items than components).
    """
    few: list[Batch] = []
    stream = iter(batches)
    count = 0
    for batch in stream:
        few.append(batch)
        count += n_rows(batch.items)
        if count >= batch.items.shape[1]:
            _require_small(batch.items.shape[1])
            return _by_scatter(_chain(few, stream), k)
    return _by_gram(collect(few.pop(0) for _ in range(len(few))), k)


def _chain(first: list[Batch], rest: Iterator[Batch]) -> Iterator[Batch]:
    while first:
        yield first.pop(0)
    yield from rest


def _by_scatter(batches: Iterator[Batch], k: int) -> Solution:
    count, mean, scatter = moments(batches)
    _require_enough(k, count, len(mean))
    variance, vectors = _leading(scatter / count, k)
    return Solution(mean, vectors.T, variance, float(np.trace(scatter)) / count)


def _by_gram(matrix: Codes, k: int) -> Solution:
    """Find the components of fewer rows than components: eigenvectors of the Gram matrix, carried over by the rows."""
    count, width = matrix.shape
    _require_enough(k, count, width)
    _require_small(count)
    mean = means(matrix)
    gram = np.zeros((count, count))
    for part in _centred_columns(matrix, mean):
        gram += part @ part.T
    values, vectors = _leading(gram / count, k)
    there = int(np.count_nonzero(values > NOTHING * max(float(values[0]), 0.0)))
    components = np.empty((k, width))
    start = 0
    for part in _centred_columns(matrix, mean):
        components[:there, start : start + part.shape[1]] = vectors[:, :there].T @ part
        start += part.shape[1]
    # what is left over are directions in which nothing varies: any that are orthogonal to the others
    components[there:] = np.random.default_rng(0).standard_normal((k - there, width))
    values[there:] = 0
    return Solution(mean, np.linalg.qr(components.T)[0].T, values, float(np.trace(gram)) / count)


def _centred_columns(matrix: Codes, mean: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield the columns about their mean, float64 and dense, some at a time."""
    columns: Any = matrix.tocsc() if issparse(matrix) else matrix
    for start in range(0, matrix.shape[1], BLOCK):
        yield _dense(columns[:, start : start + BLOCK]) - mean[start : start + BLOCK]


def _leading(symmetric: NDArray[np.float64], k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the k largest eigenvalues, largest first, and their eigenvectors (size, k)."""
    from scipy.linalg import eigh

    size = len(symmetric)
    values, vectors = eigh(symmetric, subset_by_index=[size - k, size - 1], overwrite_a=True, check_finite=False)
    return values[::-1].copy(), vectors[:, ::-1]


def randomized(matrix: Codes, k: int, iterations: int, seed: int) -> Solution:
    """Find components in the block Krylov space of some random directions; the data are centred in products only.

    The space keeps what every iteration found, not the last one alone: as many products with the data find the
    components far more exactly than subspace iteration does. scikit-learn's ``randomized_svd`` would need a centred,
    dense copy.

    References
    ----------
    Halko, Martinsson & Tropp, Finding structure with randomness, SIAM Review 53(2), 2011, Algorithm 4.4; Musco & Musco,
    Randomized block Krylov methods for stronger and faster approximate singular value decomposition, NIPS 2015,
    Algorithm 2.
    """
    _require_enough(k, *matrix.shape)
    mean, total = means(matrix), float(variances(matrix).sum())
    centre = mean.astype(np.float32)
    count, width = matrix.shape

    def across(probe: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(matrix @ probe - centre @ probe)

    def back(probe: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(matrix.T @ probe - np.outer(centre, probe.sum(axis=0)))

    # the space is kept on the smaller side, where to make it orthogonal costs less
    there, again = (across, back) if width <= count else (back, across)
    side = min(count, width)
    size = min(k + OVERSAMPLES, side)
    block = np.random.default_rng(seed).standard_normal((side, size), dtype=np.float32)
    blocks: list[NDArray[Any]] = []
    for _ in range(min(iterations, side // size - 1) + 1):
        halfway = there(block)
        halfway /= max(float(np.abs(halfway).max()), np.finfo(np.float32).tiny)  # squares of tiny data would be 0
        block = np.linalg.qr(again(halfway))[0]
        blocks.append(block)
    space = np.linalg.qr(np.concatenate(blocks, axis=1))[0] if len(blocks) > 1 else block
    images = there(space)
    values, vectors = _leading(_gram_of_columns(images), k)
    found = space if width <= count else images
    components = np.linalg.qr(found @ vectors.astype(np.float32))[0].T
    return Solution(mean, components, values / count, total)


def _gram_of_columns(matrix: NDArray[Any]) -> NDArray[np.float64]:
    total = np.zeros((matrix.shape[1], matrix.shape[1]))
    for piece in slices(matrix, BLOCK):
        rows = piece.astype(np.float64)
        total += rows.T @ rows
    return total


def incremental(batches: Batches, k: int) -> Solution:
    """Hold a few thousand rows and k components at a time (scikit-learn).

    References
    ----------
    Ross, Lim, Lin & Yang, Incremental learning for robust visual tracking, IJCV 77, 2008, Figure 1.
    """
    from sklearn.decomposition import IncrementalPCA

    model = IncrementalPCA(k)
    total = 0
    for rows in _steps(batches, max(STEP_ROWS, 2 * k)):
        _require_enough(k, total + len(rows), rows.shape[1])
        model.partial_fit(rows.astype(np.float64))
        total += len(rows)
    if total == 0:
        raise BadItemError("there is nothing to fit on: the corpus holds no items")
    variance = model.explained_variance_ * (total - 1) / total
    return Solution(model.mean_, model.components_, variance, float(model.var_.sum()))


def _steps(batches: Batches, least: int) -> Iterator[NDArray[Any]]:
    """Yield dense rows, at least `least` at a time: what is left over goes with the last ones."""
    held: list[NDArray[Any]] = []
    for batch in batches:
        held.append(_dense(batch.items))
        if sum(map(n_rows, held)) >= 2 * least:
            whole = np.concatenate(held)
            while len(whole) >= 2 * least:
                yield whole[:least]
                whole = whole[least:]
            held = [whole]
    if held:
        yield np.concatenate(held)


def _dense(rows: Any) -> NDArray[Any]:
    return np.asarray(rows.toarray() if issparse(rows) else rows)


def _require_enough(k: int, rows: int, width: int) -> None:
    most = min(rows, width)
    if k > most:
        raise OptionError(
            f"pca: n-components={k} is more than {rows:,} items of {width:,} numbers can give: at most {most:,}"
        )


def _require_small(side: int) -> None:
    if side > MAX_SIDE:
        raise OptionError(
            f"pca: solver=exact takes up to {MAX_SIDE:,} items, or vectors of up to {MAX_SIDE:,} numbers; "
            f"both are at least {side:,}: use randomized or incremental"
        )
