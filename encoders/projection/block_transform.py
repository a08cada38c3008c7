"""An orthonormal transform of the square blocks of a picture, as picture codecs use it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder, State
from encoders.codes import Batches, Codes, Items, Kind, Metric, Space
from encoders.errors import BadItemError, OptionError
from encoders.options import option

#: Largest number of values of a block: the matrix has this size squared.
LARGEST = 4096


@dataclass
class BlockTransform(Encoder):
    """Each square block of a picture by itself, in cosine waves or in the principal components of all blocks.

    Use it when you compress pictures: it needs few training items, reconstructs every picture as well as you pay for,
    and also those that are unlike the training items.

    Blocks of `block` x `block` pixels, with all colours, are multiplied by an orthonormal matrix; at the right and
    lower edge, the last pixels are repeated to fill a block. All components together are the picture itself, turned:
    a code is as large as a picture, and a quantiser decides which components are worth their bits. ``basis=dct`` has
    products of cosines, low frequencies first, and learns nothing; ``basis=pca`` has the eigenvectors of the
    covariance of all blocks around the mean block at their place, largest variance first (the Karhunen-Loève
    transform).

    Examples
    --------
    >>> pictures = np.random.default_rng(0).integers(0, 256, (20, 10, 8), dtype=np.uint8)
    >>> rows = pictures.reshape(20, -1) / np.float32(255)
    >>> encoder = BlockTransform(4)
    >>> encoder.input_space = Space(80, Kind.DENSE, Metric.EUCLIDEAN, (10, 8))
    >>> encoder.fit(rows).space.dim, bool(np.allclose(encoder.reconstruct(rows), rows, atol=1e-6))
    (96, True)

    References
    ----------
    .. [1] Ahmed, Natarajan & Rao, Discrete cosine transform, IEEE Transactions on Computers C-23(1), 1974.
    .. [2] Goyal, Theoretical foundations of transform coding, IEEE Signal Processing Magazine 18(5), 2001.
    """

    name: ClassVar[str] = "block-transform"
    reads_sparse: ClassVar[bool] = False
    keeps_distances: ClassVar[bool] = True  # apart from what is cut off where a block reaches over the edge
    block: int = option(16, "Side of a block, in pixels.", ge=2, le=32)
    basis: str = option("dct", "Cosines, or the principal components of the blocks.", choices=("dct", "pca"))
    n_components: int | None = option(None, "Components of each block that are kept; none: all.", ge=1)

    def _fit(self, batches: Batches, work: Path | None) -> Space:
        self._shape = self._picture_shape()
        size = self._block_size
        if self.n_components is not None and self.n_components > size:
            raise OptionError(
                f"{self.name}: n-components={self.n_components} is more than the {size} of a block: use at most {size}"
            )
        components = _cosines(self.block, self._colours) if self.basis == "dct" else self._principal(batches)
        self.components = np.ascontiguousarray(components[: self.n_components], dtype=np.float32)
        return Space(self._n_blocks * len(self.components), Kind.DENSE, Metric.EUCLIDEAN)

    def _picture_shape(self) -> tuple[int, ...]:
        shape = None if self.input_space is None else self.input_space.shape
        if shape is None or len(shape) not in (2, 3):
            raise OptionError(
                f"{self.name}: it cuts pictures into blocks, but the input may not be pictures: put pixels before it"
            )
        size = self.block**2 * (shape[2] if len(shape) == 3 else 1)
        if size > LARGEST:
            raise OptionError(
                f"{self.name}: a block of {self.block} x {self.block} pixels has {size:,} numbers, more than "
                f"{LARGEST:,}: take smaller blocks, or pixels:grey=true before it"
            )
        return shape

    @property
    def _colours(self) -> int:
        return self._shape[2] if len(self._shape) == 3 else 1

    @property
    def _block_size(self) -> int:
        return self.block**2 * self._colours

    @property
    def _grid(self) -> tuple[int, int]:
        """How many blocks stand above one another, and side by side."""
        return -(-self._shape[0] // self.block), -(-self._shape[1] // self.block)

    @property
    def _n_blocks(self) -> int:
        down, across = self._grid
        return down * across

    def _principal(self, batches: Batches) -> NDArray[np.float64]:
        """Return the eigenvectors of the covariance of blocks, as rows, the largest variance first."""
        size = self._block_size
        count, sums, products = 0, np.zeros((self._n_blocks, size)), np.zeros((size, size))
        for batch in batches:
            blocks = self._blocks(np.asarray(batch.items)).astype(np.float64)
            count += len(blocks)
            sums += blocks.sum(axis=0)
            flat = blocks.reshape(-1, size)
            products += flat.T @ flat
        if not count:
            raise BadItemError("there is nothing to fit on: the corpus holds no pictures")
        vectors = np.linalg.eigh(products - sums.T @ sums / count)[1].T[::-1]
        largest = vectors[np.arange(size), np.abs(vectors).argmax(axis=1)]
        return np.asarray(vectors * np.where(largest < 0, -1, 1)[:, None])

    def _blocks(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the blocks of pictures (n, places, block size), row by row."""
        (down, across), side = self._grid, self.block
        height, width = self._shape[:2]
        pictures = rows.reshape(-1, height, width, self._colours)
        edges = ((0, 0), (0, down * side - height), (0, across * side - width), (0, 0))
        cells = np.pad(pictures, edges, mode="edge").reshape(-1, down, side, across, side, self._colours)
        return cells.swapaxes(2, 3).reshape(len(pictures), self._n_blocks, -1)

    def _encode(self, items: NDArray[np.float32]) -> Codes:
        blocks = self._blocks(items)
        codes = self._products.of(self.components)(blocks.reshape(-1, blocks.shape[2]))
        return codes.reshape(len(items), -1)

    def _decode(self, codes: Codes) -> Items:
        (down, across), side = self._grid, self.block
        height, width = self._shape[:2]
        blocks = np.asarray(codes).reshape(-1, len(self.components)) @ self.components
        cells = blocks.reshape(-1, down, across, side, side, self._colours).swapaxes(2, 3)
        pictures = cells.reshape(-1, down * side, across * side, self._colours)[:, :height, :width]
        return np.asarray(pictures.reshape(len(codes), -1), dtype=np.float32)

    def state(self) -> State:
        """Return the principal components of a block (n_components, block size); cosines are not stored."""
        return {} if self.basis == "dct" else {"components": self.components}

    def restore(self, state: State) -> None:
        """Restore what `state` returned."""
        self._shape = self._picture_shape()
        components = _cosines(self.block, self._colours) if self.basis == "dct" else state["components"]
        self.components = np.ascontiguousarray(components[: self.n_components], dtype=np.float32)


def _cosines(side: int, colours: int) -> NDArray[np.float64]:
    """Return products of cosines down, across and over colours, as orthonormal rows, low frequencies first.

    Examples
    --------
    >>> _cosines(2, 1)[0].round(6).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    from scipy.fft import dct

    down, over = (dct(np.eye(length), norm="ortho", axis=0) for length in (side, colours))
    products = np.einsum("ua,vb,wc->uvwabc", down, down, over).reshape(side**2 * colours, -1)
    frequencies = np.add.outer(np.add.outer(np.arange(side), np.arange(side)), np.arange(colours)).ravel()
    return np.asarray(products[np.argsort(frequencies, kind="stable")])
