"""Exact search: every item is compared, for all kinds and metrics. Other indexes are tested against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.atomic_write import link
from encoders.codes import Codes, Kind, Metric, packed_width, slices
from encoders.errors import BadItemError
from encoders.npy import map_npy, release
from indexers.brute_force import Search, search_binary, search_dense, search_sparse, squared_lengths
from indexers.checked_index import CheckedIndex
from indexers.folder import array_bytes, csr_bytes, read_array, read_csr, write_array, write_csr
from indexers.hits import Rows
from indexers.packed_codes import PackedCodes
from indexers.pairs import BinaryPairs, DensePairs, Pairs, SparsePairs
from indexers.rounding import Lengths
from indexers.unit import Unit
from indexers.validation import checked_codes, checked_ids, has_plain_form

CODES, SQUARES = "codes", "squared_lengths.npy"
#: Packed rows whose lengths are computed at a time.
PART = 2**14
_SEARCHES: dict[Kind, Callable[[Search], Rows]] = {
    Kind.DENSE: search_dense,
    Kind.SPARSE: search_sparse,
    Kind.BINARY: search_binary,
}
_PAIRS: dict[Kind, Callable[[Codes, Codes, NDArray[Any], Metric], Pairs]] = {
    Kind.DENSE: DensePairs,
    Kind.SPARSE: SparsePairs,
    Kind.BINARY: BinaryPairs,
}


class Exact(CheckedIndex):
    """Brute-force search in blocks, so that memory stays bounded for any number of queries and items.

    A score depends on its query and item alone, never on other queries or items. Items with equal
    scores come in the order of their rows. The distance of an item to itself is 0.

    Codes of a quantised space (`Space.packing`) are stored packed, without loss, and unpacked where they are compared.

    Examples
    --------
    >>> from encoders.codes import Space
    >>> index = Exact(Space(2, Kind.DENSE, Metric.EUCLIDEAN))
    >>> index.add(["a", "b"], np.array([[0, 0], [3, 4]], dtype=np.float32))
    >>> index.search(np.array([[0, 0]], dtype=np.float32), k=2)
    [[Hit(id='a', score=0.0), Hit(id='b', score=-25.0)]]
    """

    name = "exact"
    spaces: ClassVar[frozenset[tuple[Kind, Metric]]] = frozenset(
        {(kind, metric) for kind in (Kind.DENSE, Kind.SPARSE) for metric in Metric if metric is not Metric.HAMMING}
        | {(Kind.BINARY, Metric.HAMMING)}
    )
    holds_codes = True
    is_exact = True
    mapped_files = frozenset({f"{CODES}.npy", f"{CODES}.data.npy", f"{CODES}.indices.npy", f"{CODES}.indptr.npy"})

    def _configure(self, backend: str) -> None:
        super()._configure(backend)
        #: Batches, stacked when they are first needed, so that each batch is copied once.
        self._batches: list[Codes] = []
        self._squares: NDArray[Any] | None = None
        #: The file that holds the codes, if they were not copied from it.
        self._source: Path | None = None
        #: What is known of the lengths, and the squared lengths that it was computed from.
        self._known_lengths = Lengths(0, 0.0, 0.0)
        self._known_lengths_of: NDArray[Any] | None = None

    def codes(self) -> Codes:
        """Return the code of every row as it was added, read-only."""
        matrix: Any = self._matrix()
        matrix = self._unit.given(matrix[:] if isinstance(matrix, PackedCodes) else matrix)
        if self.space.kind is not Kind.SPARSE:
            return _read_only(matrix)
        parts = (matrix.data, matrix.indices, matrix.indptr)
        return csr_array(tuple(map(_read_only, parts)), shape=matrix.shape)

    def add_file(self, ids: Sequence[str], path: Path) -> bool:
        """Map the codes of a file into memory; see `Index.add_file`."""
        if len(self) or self.space.kind is not Kind.DENSE or self.space.packing is not None:
            return False
        codes = map_npy(path)
        if not has_plain_form(codes, self.space):
            return False
        try:
            for part in slices(codes, PART):
                self._choose_unit(part)
                checked_codes(part, self.space)
                release(codes)
        except BadItemError:
            return False
        finally:
            plain, self._unit = self._unit, Unit()
        if not plain.is_plain:
            return False
        self._ids, self._unit = checked_ids(ids, len(codes), {}), plain
        self._batches, self._source = [codes], path
        return True

    def _add(self, codes: Codes) -> None:
        if self.space.packing is None:
            self._batches.append(codes.copy())
        else:
            self._matrix().append(codes)
        self._squares = self._source = None

    def _remove(self, rows: NDArray[np.int64]) -> None:
        keep = np.ones(len(self), dtype=bool)
        keep[rows] = False
        matrix = self._matrix()
        self._batches = [matrix.kept(keep) if isinstance(matrix, PackedCodes) else matrix[keep]]
        self._squares = self._source = None

    def _search(self, queries: Codes, k: int) -> Rows:
        squares = self._lengths()
        return _SEARCHES[self.space.kind](
            Search(queries, self._compared(), squares, self._described(squares), self.space.metric, k)
        )

    def _pairs(self, queries: Codes, rows: NDArray[np.int64]) -> Pairs:
        return _PAIRS[self.space.kind](queries, self._compared(), self._lengths(), self.space.metric)

    def _write(self, folder: Path) -> None:
        codes: Any = self._matrix()
        if self.space.kind is Kind.SPARSE:
            write_csr(folder, CODES, codes)
        elif self.space.packing is not None:
            codes.write(folder)
        elif self._source is not None:
            link(self._source, folder / f"{CODES}.npy")
        else:
            write_array(folder / f"{CODES}.npy", codes)
        if self.space.packing is None:  # the lengths of packed codes are computed again: no byte more than the packing
            write_array(folder / SQUARES, self._lengths())

    def _bytes_on_disk(self) -> int:
        codes: Any = self._matrix()
        if self.space.packing is not None:
            return int(codes.bytes_on_disk())
        size = csr_bytes(codes) if self.space.kind is Kind.SPARSE else array_bytes(codes)
        return size + array_bytes(self._lengths())

    def _read(self, folder: Path, mmap: bool) -> None:
        shape = (len(self), self._width)
        codes: Any
        if self.space.kind is Kind.SPARSE:
            codes = read_csr(folder, CODES, shape, mmap)
        elif self.space.packing is not None:
            codes = PackedCodes.read(folder, self.space.packing, mmap)
            if codes.shape != shape:
                raise ValueError(f"codes have shape {codes.shape}, expected {shape}")
            self._batches = [codes]
            return
        else:
            codes = read_array(folder / f"{CODES}.npy", mmap)
        self._squares = read_array(folder / SQUARES, mmap=False)
        if codes.shape != shape or codes.dtype != self._dtype or self._squares.shape != (len(self),):
            raise ValueError(f"codes have shape {codes.shape}, expected {shape}")
        self._batches = [codes]

    @property
    def _width(self) -> int:
        return packed_width(self.space.dim) if self.space.kind is Kind.BINARY else self.space.dim

    @property
    def _dtype(self) -> type[np.generic]:
        return np.uint8 if self.space.kind is Kind.BINARY else np.float32

    def _lengths(self) -> NDArray[Any]:
        """Return the squared lengths of all rows, computed when first needed."""
        if self._squares is None:
            codes: Any = self._compared()
            if self._source is not None or isinstance(codes, PackedCodes):
                self._squares = _lengths_by_parts(codes)
            else:
                self._squares = squared_lengths(codes)
        return self._squares

    def _described(self, squares: NDArray[Any]) -> Lengths:
        if self._known_lengths_of is not squares:
            self._known_lengths_of, self._known_lengths = squares, Lengths.of(squares)
        return self._known_lengths

    def _compared(self) -> Codes:
        """Return the codes for a search."""
        codes: Any = self._matrix()
        return codes.ready() if isinstance(codes, PackedCodes) else codes

    def _matrix(self) -> Codes:
        if not self._batches and self.space.packing is not None:
            packed: Any = PackedCodes(self.space.packing)
            self._batches = [packed]
        if not self._batches:
            empty: Any = csr_array if self.space.kind is Kind.SPARSE else np.empty
            self._batches = [empty((0, self._width), dtype=self._dtype)]
        if len(self._batches) > 1:
            self._batches = [_stacked(self._batches)]
        return self._batches[0]


def _lengths_by_parts(codes: Any) -> NDArray[Any]:
    """Return squared lengths without holding all codes in memory."""
    parts = [np.empty(0, np.float32)]
    for start in range(0, len(codes), PART):
        parts.append(squared_lengths(codes[start : start + PART]))
        release(codes)
    return np.concatenate(parts)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


def _stacked(batches: list[Any]) -> Any:
    """Stack and empty `batches`: each is freed as soon as it is copied, so memory never holds the whole twice."""
    if not isinstance(batches[0], np.ndarray):
        from scipy.sparse import vstack

        return csr_array(vstack(batches, format="csr"))
    whole = np.empty((sum(batch.shape[0] for batch in batches), batches[0].shape[1]), dtype=batches[0].dtype)
    stop = len(whole)
    while batches:
        batch = batches.pop()
        whole[stop - batch.shape[0] : stop] = batch
        stop -= batch.shape[0]
    return whole
