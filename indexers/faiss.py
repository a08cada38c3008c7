"""FAISS by its own factory strings, for dense and binary codes.

Source: Douze et al. 2024, The Faiss library; https://github.com/facebookresearch/faiss/wiki/The-index-factory
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric, Space, n_rows
from encoders.errors import BadItemError, NotFittedError, OptionError
from encoders.npy import released
from encoders.numbers import read_number
from encoders.query_string import unknown_option
from indexers.base import TRIAL_WIDTH
from indexers.checked_index import CheckedIndex
from indexers.faiss_codes import DecodedCodes, compares_all, decoded, keeps_precision
from indexers.faiss_factory import (
    GATHERED_ROWS,
    UnfitFactoryError,
    array_functions,
    build_faiss_index,
    faiss_dim,
    graph_parameters,
    hash_table,
    parameter_names,
    reason_of,
    sample_of,
    sample_rows,
    set_binary_parameter,
    set_nflip,
)
from indexers.faiss_file import bytes_of_index, read_index, read_into_memory, write_index
from indexers.faiss_lists import add_to_lists, assigned, has_plain_lists, keep_only, make_room
from indexers.folder import array_bytes, read_array, write_array
from indexers.hits import Rows, as_rows
from indexers.validation import BLOCK_ROWS, LARGEST_SQUARE, has_plain_form

INDEX, LIVE = "index.faiss", "live.npy"
#: Beginnings of factory strings that are for bits alone.
BITS_ONLY = ("B", "Hash")
#: Arrays, because NumPy converts a plain number in every call. (Negation would turn a distance of 0 into -0.)
_ZERO = np.zeros((), dtype=np.float32)
_ONE, _MINUS_ONE = np.float32(1).reshape(()), np.float32(-1).reshape(())
_FLOAT32, _INT64 = np.dtype(np.float32), np.dtype(np.int64)
_NEEDED = re.compile(r"training points \((\d+)\).*number of clusters \((\d+)\)")


class Faiss(CheckedIndex):
    """Any index that ``faiss.index_factory`` knows.

    Cosine is the inner product of unit vectors; squared distances are returned negated. For packed bits
    ``faiss.index_binary_factory`` builds the index, with or without its leading ``B`` (``HNSW32`` is
    ``BHNSW32``). Search parameters go through ``faiss.ParameterSpace``: ``nprobe``, ``efSearch``,
    ``efConstruction`` (before adding), ... Of indexes of bits, ``nprobe`` and ``efSearch``.

    ``BHash16?nflip=2`` is the look-up of semantic hashing (Salakhutdinov & Hinton 2009): a hash table whose keys are
    16 of the bits. A search reads all keys within 2 bits of the query's key, for any number of items. ``BHash2x16``
    keeps two such tables with different bits. Items under other keys are not answers, so there may be fewer than k.
    All items within r bits are found when r <= nflip, or with m tables when r < m (nflip + 1).

    Removed items stay in FAISS' structure; a search fetches more answers and leaves removed items out. When the
    segments of a collection are merged, inverted files and flat indexes drop them (`drop_removed`). Others, such as
    graphs, are built again when they hold more removed items than others.

    Examples
    --------
    >>> from encoders.codes import Space
    >>> index = Faiss(Space(2, Kind.DENSE, Metric.EUCLIDEAN), "Flat")
    >>> index.add(["a", "b"], np.array([[0, 0], [3, 4]], dtype=np.float32))
    >>> index.search(np.array([[0, 0]], dtype=np.float32), k=2)
    [[Hit(id='a', score=0.0), Hit(id='b', score=-25.0)]]
    """

    name = "faiss"
    spaces: ClassVar[frozenset[tuple[Kind, Metric]]] = frozenset(
        {(Kind.DENSE, metric) for metric in (Metric.COSINE, Metric.DOT, Metric.EUCLIDEAN)}
        | {(Kind.BINARY, Metric.HAMMING)}
    )

    @classmethod
    def check(cls, backend: str, parameters: Mapping[str, str]) -> None:
        """Refuse factory strings that FAISS cannot parse; whether one fits the codes is known only with the codes."""
        with suppress(UnfitFactoryError):
            if backend.startswith(BITS_ONLY):  # the refusal of a dense index would not help
                cls(Space(TRIAL_WIDTH, Kind.BINARY, Metric.HAMMING), backend, dict(parameters)).close()
            else:
                super().check(backend, parameters)

    def _configure(self, backend: str) -> None:
        if not backend:
            raise OptionError("'faiss' needs a factory string, as in 'faiss:HNSW32' or 'faiss:IVF256,PQ16?nprobe=16'")
        self._index = build_faiss_index(backend, self.space)
        self.is_exact = compares_all(self._index)
        # looked up once, as every search needs them
        self._pointer, self._sum_of_squares = array_functions()
        self._distance_type = np.dtype(np.int32) if self.space.kind is Kind.BINARY else _FLOAT32
        self._by_distance = self.space.metric in (Metric.EUCLIDEAN, Metric.HAMMING)
        self._mapped = False
        #: The inverted list of every row, while `fill` adds them.
        self._lists: NDArray[np.int64] | None = None
        #: FAISS' own number of every row, after some were removed.
        self._live: NDArray[np.int64] | None = None
        #: The rows of FAISS' numbers, and the live numbers that they were made from.
        self._rows_of_live: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    def _set_parameter(self, key: str, value: str) -> None:
        import faiss

        if key == "nflip" and hash_table(self._index) is not None:  # FAISS' ParameterSpace does not know it
            set_nflip(self._index, self.backend, value)
            return
        if set_binary_parameter(self._index, self.backend, key, value):
            return
        space: Any = faiss.ParameterSpace()
        if not _is_positive(value):
            raise OptionError(f"'faiss:{self.backend}': {key} should be a positive number; got '{value}'")
        try:
            space.set_index_parameters(self._index, f"{key}={value}")
        except (RuntimeError, TypeError, NotImplementedError):
            known = parameter_names(self._index)
            raise unknown_option(f"'faiss:{self.backend}'", key, known, "search parameter") from None

    def quantised(self) -> DecodedCodes | None:
        """Return exact search in the decoded codes; None for an index that keeps the codes; see `Index.quantised`."""
        if keeps_precision(self._index):
            return None
        codes = decoded(self._index, self.space, self.description)
        return DecodedCodes.of(self.space, self._ids, codes if self._live is None else codes[self._live], self._unit)

    def _fit(self, codes: Codes) -> None:
        if self._index.is_trained:
            return
        sample = self.comparable(sample_of(codes, sample_rows(self._index)))
        try:
            self._index.train(sample)
        except RuntimeError as error:
            self._index = build_faiss_index(self.backend, self.space)  # its codebook may be incomplete
            self.set_parameters(self.parameters)
            needed = _NEEDED.search(str(error))
            if needed is None:
                raise BadItemError(f"'{self.description}' cannot learn from these codes: {reason_of(error)}") from error
            raise BadItemError(
                f"'{self.description}' learns {needed[2]} clusters and needs at least that many codes, got"
                f" {needed[1]}: use exact or faiss:Flat, or smaller numbers in the factory string"
            ) from None

    def _add(self, codes: Codes) -> None:
        if not self._index.is_trained:
            raise NotFittedError(f"'{self.description}' learns from codes first: call fit(codes) before add")
        self._read_into_memory()
        before = self._index.ntotal
        if self._lists is not None:
            add_to_lists(self._index, self.comparable(codes), self._lists[before : before + n_rows(codes)])
            return
        # cosine: a block at a time, so that there is no second copy of all codes
        scaled = self.space.metric is Metric.COSINE
        for start in range(0, n_rows(codes), BLOCK_ROWS if scaled else n_rows(codes)):
            self._index.add(self.comparable(codes[start : start + BLOCK_ROWS]) if scaled else codes)
        if self._live is not None:
            self._live = np.append(self._live, np.arange(before, self._index.ntotal))

    @contextmanager
    def _room_for(self, codes: Codes) -> Iterator[int]:
        rows = BLOCK_ROWS
        if has_plain_lists(self._index) and n_rows(codes) and not self._index.ntotal:
            rows = GATHERED_ROWS  # small blocks: lists are already chosen, so the size of a block changes no rounding
            self._lists = assigned(self._index, (self.comparable(part) for part in released(codes, BLOCK_ROWS)))
            make_room(self._index, self._lists)
        try:
            yield rows
        finally:
            self._lists = None

    def _remove(self, rows: NDArray[np.int64]) -> None:
        live = np.arange(self._index.ntotal) if self._live is None else self._live
        live = np.delete(live, rows)
        if len(live):
            self._live = live
        else:
            self._read_into_memory()
            self._index.reset()
            self._live = None

    @property
    def removed_inside(self) -> int:
        """The number of removed items that FAISS' structure still holds."""
        return 0 if self._live is None else int(self._index.ntotal) - len(self._live)

    def drop_removed(self) -> None:
        """Drop the codes of removed items, if the index is in memory and its type can; a graph keeps them."""
        if self._live is not None and not self._mapped and keep_only(self._index, self._live):
            self._live = None

    def _search(self, queries: Codes, k: int) -> Rows:
        return self._nearest(queries, k) if self._live is None else self._search_live(queries, k, self._live)

    def _checked(self, queries: Codes) -> Codes:
        """Check queries by FAISS' sum of squares: NumPy's makes a query of a graph 3% slower."""
        plain = has_plain_form(queries, self.space)
        if plain and self._sum_of_squares(self._pointer(queries), queries.size) < LARGEST_SQUARE:
            return queries
        return super()._checked(queries)

    def _nearest(self, queries: Codes, k: int, params: Any = None) -> Rows:
        """Search as FAISS' own ``search`` does, without its checks, a sixth of the time: `CheckedIndex` made them.

        The arrays are new in each call, as the caller keeps them and several threads may search at once.
        """
        index, pointer = self._index, self._pointer
        shape = n, k = len(queries), k
        scores, rows = np.empty(shape, self._distance_type), np.empty(shape, _INT64)
        # `this` is the C++ object; SWIG needs half a microsecond to find it in the Python object
        type(index).search_c(index.this, n, pointer(queries), k, pointer(scores), pointer(rows), params)
        if scores.dtype is not _FLOAT32:  # Hamming distances are whole numbers
            scores = scores.astype(_FLOAT32)
        if self._by_distance:
            np.subtract(_ZERO, scores, scores)
        elif self._scaled:
            # rounding can make cosines larger than 1
            np.maximum(np.minimum(scores, _ONE, out=scores), _MINUS_ONE, out=scores)
        # missing rows come last; reading one number is faster than slicing a column
        if rows.item(-1) < 0 or (n > 1 and np.minimum.reduce(rows[:, -1]) < 0):
            scores[rows < 0] = -np.inf
        return as_rows((scores, rows))

    def _search_live(self, queries: Codes, k: int, live: NDArray[np.int64]) -> Rows:
        """Fetch more rows until every query has `k` that were not removed, or there are no more."""
        total, row_at = self._index.ntotal, self._row_at(live)
        fetch = min(total, k + min(total - len(live), max(k, 16)))
        while True:
            nearest = self._nearest(queries, fetch, graph_parameters(self._index, fetch))
            rows = row_at[nearest.rows]
            enough = (np.count_nonzero(rows >= 0, axis=1) >= k) | (nearest.rows[:, -1] < 0)
            if fetch == total or enough.all():
                break
            fetch = min(total, 2 * fetch)
        first = np.argsort(rows < 0, axis=1, kind="stable")[:, :k]
        rows, scores = (
            np.take_along_axis(rows, first, axis=1),
            np.take_along_axis(nearest.scores, first, axis=1),
        )
        scores[rows < 0] = -np.inf
        return Rows(scores, rows)

    def _row_at(self, live: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of every FAISS number, -1 for removed ones; the last element is for FAISS' -1."""
        if self._rows_of_live is None or self._rows_of_live[0] is not live:
            row_at = np.full(self._index.ntotal + 1, -1, dtype=np.int64)
            row_at[live] = np.arange(len(live))
            self._rows_of_live = live, row_at
        return self._rows_of_live[1]

    def _write(self, folder: Path) -> None:
        with (folder / INDEX).open("wb") as file:
            write_index(self._index, self.space.kind, file.write)
        if self._live is not None:
            write_array(folder / LIVE, self._live)

    def _bytes_on_disk(self) -> int:
        size = bytes_of_index(self._index, self.space.kind)
        return size + (0 if self._live is None else array_bytes(self._live))

    def _read(self, folder: Path, mmap: bool) -> None:
        self._index, self._mapped = read_index(folder / INDEX, self.space.kind, mmap)
        self._live = read_array(folder / LIVE, mmap=False) if (folder / LIVE).exists() else None
        if self._live is not None and not _are_rows(self._live, self._index.ntotal):
            raise ValueError(f"{LIVE} holds rows that the index does not have")
        live = self._index.ntotal if self._live is None else len(self._live)
        if live != len(self) or self._index.d != faiss_dim(self.space):
            raise ValueError(f"it holds {live} codes of width {self._index.d}, expected {len(self)}")
        self.set_parameters(self.parameters)

    def _read_into_memory(self) -> None:
        """Read a mapped index into memory before it changes."""
        if self._mapped:
            self._index, self._mapped = read_into_memory(self._index, self.space.kind), False


def _are_rows(rows: NDArray[Any], total: int) -> bool:
    """Return whether an array holds rows of an index, ascending and unique."""
    if rows.ndim != 1 or rows.dtype != np.int64:
        return False
    return not rows.size or bool(rows[0] >= 0 and rows[-1] < total and (np.diff(rows) > 0).all())


def _is_positive(value: str) -> bool:
    try:
        return read_number(value) > 0
    except ValueError:
        return False
