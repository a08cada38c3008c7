"""Three solvers of PCA, and the choice between them by the shape of the data.

Each solver first takes the name of the encoder that the user asked for, which its errors begin with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.batches import collect
from encoders.codes import Batch, Batches, Codes, n_rows, slices
from encoders.errors import BadItemError, OptionError
from encoders.moments import MAX_WIDTH, moments
from encoders.projection.component_limit import require_components
from encoders.projection.feature_scores import means, variances

#: Largest number of items or of numbers per item (the smaller of the two) for the exact solver.
MAX_SIDE = MAX_WIDTH
#: Up to SMALL_SIDE items or numbers per item, the exact solver is as fast as the randomized one; also up to
#: MEDIUM_SIDE numbers per item if there are TALL times as many items.
SMALL_SIDE, MEDIUM_SIDE, TALL = 500, 1000, 10
#: For more components than this share of the smaller side, the exact solver is faster than the randomized one.
FEW = 0.1
#: Largest corpus that ``auto`` holds to choose, in numbers (float32: 1 GiB); for a larger one it sums the scatter.
HELD_NUMBERS = 2**28
#: Extra directions of the randomized solver beyond `n_components`.
OVERSAMPLES = 10
#: Smallest number of rows per step of the incremental solver.
STEP_ROWS = 2048
#: Rows or columns per float64 block.
BLOCK = 4096
#: A direction has no variance if its variance is below this share of the largest.
NOTHING = 1e-13


class Solution(NamedTuple):
    """Mean (dim,), components (n_components, dim), their variances (n_components,) and the total variance."""

    mean: NDArray[Any]
    components: NDArray[Any]
    variance: NDArray[Any]
    total: float


def choose(batches: Batches, n_components: int) -> tuple[str, Batches]:
    """Return the solver for data of this shape, and the batches that it should read.

    ``exact`` if either side is small, or if `n_components` is more than a tenth of the smaller side; ``randomized`` if
    both sides are large (scikit-learn's ``svd_solver="auto"`` has almost the same limits). Rows are held until the
    solver is chosen, as long as the corpus fits; a corpus held whole is returned, so that it is not read twice.
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
    smaller_side = min(rows, width)
    collected = [Batch(collect(parts.pop(0) for _ in range(len(parts))))]
    return "exact" if smaller_side <= SMALL_SIDE or (
        FEW * smaller_side < n_components and smaller_side <= MAX_SIDE
    ) else "randomized", collected


def exact(name: str, batches: Batches, n_components: int) -> Solution:
    """Solve the eigenproblem of the smaller side: of the (dim, dim) scatter matrix, or of the (n, n) Gram matrix.

    Rows are held as long as there are fewer rows than numbers per row; then they are summed batch by batch. So no
    matrix larger than the smaller side squared is ever held.

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
            _require_small(name, batch.items.shape[1])
            return _by_scatter(name, _chain(few, stream), n_components)
    return _by_gram(name, collect(few.pop(0) for _ in range(len(few))), n_components)


def _chain(first: list[Batch], rest: Iterator[Batch]) -> Iterator[Batch]:
    while first:
        yield first.pop(0)
    yield from rest


def _by_scatter(name: str, batches: Iterator[Batch], n_components: int) -> Solution:
    count, mean, scatter = moments(batches)
    require_components(name, n_components, (count, len(mean)))
    variance, vectors = _leading(scatter / count, n_components)
    return Solution(mean, vectors.T, variance, float(np.trace(scatter)) / count)


def _by_gram(name: str, matrix: Codes, n_components: int) -> Solution:
    """Find the components from the eigenvectors of the Gram matrix, for fewer rows than numbers per row."""
    count, width = matrix.shape
    require_components(name, n_components, (count, width))
    _require_small(name, count)
    mean = means(matrix)
    gram = np.zeros((count, count))
    for part in _centred_columns(matrix, mean):
        gram += part @ part.T
    values, vectors = _leading(gram / count, n_components)
    rank = int(np.count_nonzero(values > NOTHING * max(float(values[0]), 0.0)))
    components = np.empty((n_components, width))
    start = 0
    for part in _centred_columns(matrix, mean):
        components[:rank, start : start + part.shape[1]] = vectors[:, :rank].T @ part
        start += part.shape[1]
    # the remaining directions have no variance: any directions orthogonal to the others
    components[rank:] = np.random.default_rng(0).standard_normal((n_components - rank, width))
    values[rank:] = 0
    return Solution(mean, np.linalg.qr(components.T)[0].T, values, float(np.trace(gram)) / count)


def _centred_columns(matrix: Codes, mean: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield blocks of centred columns, float64 and dense."""
    columns: Any = matrix.tocsc() if issparse(matrix) else matrix
    for start in range(0, matrix.shape[1], BLOCK):
        yield _dense(columns[:, start : start + BLOCK]) - mean[start : start + BLOCK]


def _leading(symmetric: NDArray[np.float64], n_components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest eigenvalues, in descending order, and their eigenvectors (size, n_components)."""
    from scipy.linalg import eigh

    size = len(symmetric)
    values, vectors = eigh(
        symmetric, subset_by_index=[size - n_components, size - 1], overwrite_a=True, check_finite=False
    )
    return values[::-1].copy(), vectors[:, ::-1]


def randomized(name: str, matrix: Codes, n_components: int, iterations: int, seed: int) -> Solution:
    """Find components in the block Krylov space of some random directions; the data are centred in products only.

    The space contains the directions of every iteration, not only of the last one: with the same number of products
    with the data, the components are far more accurate than by subspace iteration. scikit-learn's ``randomized_svd``
    would need a centred, dense copy.

    References
    ----------
    Halko, Martinsson & Tropp, Finding structure with randomness, SIAM Review 53(2), 2011, Algorithm 4.4; Musco & Musco,
    Randomized block Krylov methods for stronger and faster approximate singular value decomposition, NIPS 2015,
    Algorithm 2.
    """
    require_components(name, n_components, matrix.shape)
    mean, total = means(matrix), float(variances(matrix).sum())
    centre = mean.astype(np.float32)
    count, width = matrix.shape

    def project(probe: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(matrix @ probe - centre @ probe)

    def project_back(probe: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(matrix.T @ probe - np.outer(centre, probe.sum(axis=0)))

    # the space is stored on the smaller side, where orthogonalisation costs less
    forward, backward = (project, project_back) if width <= count else (project_back, project)
    smaller_side = min(count, width)
    size = min(n_components + OVERSAMPLES, smaller_side)
    block = np.random.default_rng(seed).standard_normal((smaller_side, size), dtype=np.float32)
    blocks: list[NDArray[Any]] = []
    for _ in range(min(iterations, smaller_side // size - 1) + 1):
        halfway = forward(block)
        halfway /= max(float(np.abs(halfway).max()), np.finfo(np.float32).tiny)  # squares of tiny data would be 0
        block = np.linalg.qr(backward(halfway))[0]
        blocks.append(block)
    space = np.linalg.qr(np.concatenate(blocks, axis=1))[0] if len(blocks) > 1 else block
    images = forward(space)
    values, vectors = _leading(_gram_of_columns(images), n_components)
    basis = space if width <= count else images
    components = np.linalg.qr(basis @ vectors.astype(np.float32))[0].T
    return Solution(mean, components, values / count, total)


def _gram_of_columns(matrix: NDArray[Any]) -> NDArray[np.float64]:
    total = np.zeros((matrix.shape[1], matrix.shape[1]))
    for piece in slices(matrix, BLOCK):
        rows = piece.astype(np.float64)
        total += rows.T @ rows
    return total


def incremental(name: str, batches: Batches, n_components: int) -> Solution:
    """Fit with a few thousand rows and the components in memory at a time (scikit-learn).

    References
    ----------
    Ross, Lim, Lin & Yang, Incremental learning for robust visual tracking, IJCV 77, 2008, Figure 1.
    """
    from sklearn.decomposition import IncrementalPCA

    model = IncrementalPCA(n_components)
    total = 0
    for rows in _steps(batches, max(STEP_ROWS, 2 * n_components)):
        require_components(name, n_components, (total + len(rows), rows.shape[1]))
        model.partial_fit(rows.astype(np.float64))
        total += len(rows)
    if total == 0:
        raise BadItemError("there is nothing to fit on: the corpus holds no items")
    variance = model.explained_variance_ * (total - 1) / total
    return Solution(model.mean_, model.components_, variance, float(model.var_.sum()))


def _steps(batches: Batches, block_rows: int) -> Iterator[NDArray[Any]]:
    """Yield dense blocks of at least `block_rows` rows; the remaining rows are in the last block."""
    blocks: list[NDArray[Any]] = []
    for batch in batches:
        blocks.append(_dense(batch.items))
        if sum(map(n_rows, blocks)) >= 2 * block_rows:
            whole = np.concatenate(blocks)
            while len(whole) >= 2 * block_rows:
                yield whole[:block_rows]
                whole = whole[block_rows:]
            blocks = [whole]
    if blocks:
        yield np.concatenate(blocks)


def _dense(rows: Any) -> NDArray[Any]:
    return np.asarray(rows.toarray() if issparse(rows) else rows)


def _require_small(name: str, smaller_side: int) -> None:
    if smaller_side > MAX_SIDE:
        raise OptionError(
            f"{name}: solver=exact reads up to {MAX_SIDE:,} items, or vectors of up to {MAX_SIDE:,} numbers; "
            f"both are at least {smaller_side:,}: use randomized or incremental"
        )
