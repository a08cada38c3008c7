"""FAISS by its own factory strings, for dense and binary codes.

Source: Douze et al. 2024, The Faiss library; https://github.com/facebookresearch/faiss/wiki/The-index-factory
"""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Metric, Space, n_rows
from encoders.errors import BadItemError, NotFittedError, OptionError
from encoders.numbers import read_number
from encoders.query_string import unknown_option
from indexers.base import TRIAL_WIDTH, Index, Rows
from indexers.faiss_factory import (
    UnfitFactoryError,
    array_functions,
    built,
    enough_steps,
    faiss_dim,
    hash_table,
    parameter_names,
    reason_of,
    sample_rows,
    set_flips,
)
from indexers.folder import array_bytes, read_array, write_array
from indexers.hits import as_rows
from indexers.validation import LARGEST_SQUARE, has_plain_form

INDEX, LIVE = "index.faiss", "live.npy"
#: How factory strings begin that FAISS knows for bits alone.
BITS_ONLY = ("B", "Hash")
#: Rows scaled to unit length at a time, so that cosine needs no second copy of everything.
BLOCK_ROWS = 2**16
#: Arrays, because NumPy converts a number in every call. (Negation would print a distance of 0 as -0.)
_ZERO = np.zeros((), dtype=np.float32)
_ONE, _MINUS_ONE = np.float32(1).reshape(()), np.float32(-1).reshape(())
_FLOAT32, _INT64 = np.dtype(np.float32), np.dtype(np.int64)
_NEEDED = re.compile(r"training points \((\d+)\).*number of clusters \((\d+)\)")


class Faiss(Index):
    """Any index that ``faiss.index_factory`` knows.

    Cosine is the inner product of unit vectors; squared distances are returned negated. For packed bits
    ``faiss.index_binary_factory`` is asked, with or without its leading ``B`` (``HNSW32`` is
    ``BHNSW32``). Search parameters go through ``faiss.ParameterSpace``: ``nprobe``, ``efSearch``,
    ``efConstruction`` (before adding), ...

    ``BHash16?nflip=2`` is the look-up of semantic hashing (Salakhutdinov & Hinton 2009): a table under 16 of the bits,
    of which all keys within 2 bits of the query's are read, whatever the number of items; ``BHash2x16`` keeps two
    such tables under different bits. Items under other keys are no answers, so there may be fewer than k. All within
    r bits are found when r <= nflip, or with m tables when r < m (nflip + 1).

    Removed items stay in FAISS' structure, as many types cannot remove; a search fetches more answers and leaves them
    out. Build the index again when most of its items have been removed.

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
        """Refuse what FAISS cannot read; whether it fits the codes is known only with them."""
        with suppress(UnfitFactoryError):
            if backend.startswith(BITS_ONLY):  # FAISS' refusal of the name among dense indexes would say nothing
                cls(Space(TRIAL_WIDTH, Kind.BINARY, Metric.HAMMING), backend, dict(parameters)).close()
            else:
                super().check(backend, parameters)

    def _configure(self, backend: str) -> None:
        if not backend:
            raise OptionError("'faiss' needs a factory string, as in 'faiss:HNSW32' or 'faiss:IVF256,PQ16?nprobe=16'")
        self._index = built(backend, self.space)
        # looked up once, because every search needs them
        self._pointer, self._sum_of_squares = array_functions()
        self._distance_type = np.dtype(np.int32) if self.space.kind is Kind.BINARY else _FLOAT32
        self._by_distance = self.space.metric in (Metric.EUCLIDEAN, Metric.HAMMING)
        self._mapped = False
        #: FAISS' own number of every row, once some were removed.
        self._live: NDArray[np.int64] | None = None

    def _set_parameter(self, key: str, value: str) -> None:
        import faiss

        if key == "nflip" and hash_table(self._index) is not None:  # which FAISS' ParameterSpace does not know
            set_flips(self._index, self.backend, value)
            return
        space: Any = faiss.ParameterSpace()
        if not _is_positive(value):
            raise OptionError(f"'faiss:{self.backend}': {key} should be a positive number; got '{value}'")
        try:
            space.set_index_parameters(self._index, f"{key}={value}")
        except (RuntimeError, TypeError, NotImplementedError):
            known = parameter_names(self._index)
            raise unknown_option(f"'faiss:{self.backend}'", key, known, "search parameter") from None

    def _fit(self, codes: Codes) -> None:
        if self._index.is_trained:
            return
        sample = self.comparable(_sample(codes, sample_rows(self._index)))
        try:
            self._index.train(sample)
        except RuntimeError as error:
            self._index = built(self.backend, self.space)  # its codebook may be half-learnt
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
            raise NotFittedError(f"'{self.description}' learns from the codes first: call fit(codes) before add")
        self._own()
        before = self._index.ntotal
        scaled = self.space.metric is Metric.COSINE
        for start in range(0, n_rows(codes), BLOCK_ROWS if scaled else n_rows(codes)):
            self._index.add(self.comparable(codes[start : start + BLOCK_ROWS]) if scaled else codes)
        if self._live is not None:
            self._live = np.append(self._live, np.arange(before, self._index.ntotal))

    def _remove(self, rows: NDArray[np.int64]) -> None:
        live = np.arange(self._index.ntotal) if self._live is None else self._live
        live = np.delete(live, rows)
        if len(live):
            self._live = live
        else:
            self._own()
            self._index.reset()
            self._live = None

    def _search(self, queries: Codes, k: int) -> Rows:
        return self._nearest(queries, k) if self._live is None else self._search_live(queries, k, self._live)

    def _checked(self, queries: Codes) -> Codes:
        """Check queries by FAISS' sum of squares: NumPy's would make a query of a graph 3 % slower."""
        plain = has_plain_form(queries, self.space)
        if plain and self._sum_of_squares(self._pointer(queries), queries.size) < LARGEST_SQUARE:
            return queries
        return super()._checked(queries)

    def _nearest(self, queries: Codes, k: int, params: Any = None) -> Rows:
        """Search as FAISS' own ``search`` does, without its checks, a sixth of the time: the base class made them.

        The arrays are new in each call, as they are the caller's afterwards and threads may search together.
        """
        index, pointer = self._index, self._pointer
        shape = n, k = len(queries), k
        scores, rows = np.empty(shape, self._distance_type), np.empty(shape, _INT64)
        # `this` is the C++ object inside; to find it in the Python one takes SWIG half a microsecond
        type(index).search_c(index.this, n, pointer(queries), k, pointer(scores), pointer(rows), params)
        if scores.dtype is not _FLOAT32:  # Hamming distances are whole numbers
            scores = scores.astype(_FLOAT32)
        if self._by_distance:
            np.subtract(_ZERO, scores, scores)
        elif self._scaled:
            np.maximum(
                np.minimum(scores, _ONE, out=scores), _MINUS_ONE, out=scores
            )  # rounding carries cosines beyond 1
        # what FAISS did not find comes last; one number is looked at faster than a column is cut out
        if rows.item(-1) < 0 or (n > 1 and np.minimum.reduce(rows[:, -1]) < 0):
            scores[rows < 0] = -np.inf
        return as_rows((scores, rows))

    def _search_live(self, queries: Codes, k: int, live: NDArray[np.int64]) -> Rows:
        """Fetch more until every query has `k` that were not removed, or no more come."""
        total = self._index.ntotal
        row_at = np.full(total + 1, -1, dtype=np.int64)  # the last one stands for FAISS' -1
        row_at[live] = np.arange(len(live))
        fetch = min(total, k + min(total - len(live), max(k, 16)))
        while True:
            found = self._nearest(queries, fetch, enough_steps(self._index, fetch))
            rows = row_at[found.rows]
            enough = (np.count_nonzero(rows >= 0, axis=1) >= k) | (found.rows[:, -1] < 0)
            if fetch == total or enough.all():
                break
            fetch = min(total, 2 * fetch)
        first = np.argsort(rows < 0, axis=1, kind="stable")[:, :k]
        rows, scores = (
            np.take_along_axis(rows, first, axis=1),
            np.take_along_axis(found.scores, first, axis=1),
        )
        scores[rows < 0] = -np.inf
        return Rows(scores, rows)

    def _write(self, folder: Path) -> None:
        self._write_to(str(folder / INDEX))
        if self._live is not None:
            write_array(folder / LIVE, self._live)

    def _write_to(self, target: Any) -> None:
        """Let FAISS write its index: to a file, or to what counts the bytes."""
        import faiss

        write = faiss.write_index_binary if self.space.kind is Kind.BINARY else faiss.write_index
        write(self._index, target)

    def _bytes_on_disk(self) -> int:
        import faiss

        size = 0

        def count(part: Any) -> int:
            nonlocal size
            size += len(part)
            return len(part)

        self._write_to(typing.cast("Any", faiss).PyCallbackIOWriter(count, 2**20))
        return size + (0 if self._live is None else array_bytes(self._live))

    def _read(self, folder: Path, mmap: bool) -> None:
        import faiss

        read = faiss.read_index_binary if self.space.kind is Kind.BINARY else faiss.read_index
        flag = getattr(faiss, "IO_FLAG_MMAP_IFC", None) if mmap else None  # since FAISS 1.11
        self._index = read(str(folder / INDEX)) if flag is None else read(str(folder / INDEX), flag)
        self._mapped = flag is not None
        self._live = read_array(folder / LIVE, mmap=False) if (folder / LIVE).exists() else None
        if self._live is not None and not _are_rows(self._live, self._index.ntotal):
            raise ValueError(f"{LIVE} names rows that the index does not have")
        live = self._index.ntotal if self._live is None else len(self._live)
        if live != len(self) or self._index.d != faiss_dim(self.space):
            raise ValueError(f"it holds {live} codes of width {self._index.d}, expected {len(self)}")
        self.set_parameters(self.parameters)

    def _own(self) -> None:
        """Take a mapped index into memory before it changes: FAISS aborts when a mapped one grows."""
        if not self._mapped:
            return
        import faiss

        if self.space.kind is Kind.BINARY:
            self._index = faiss.deserialize_index_binary(faiss.serialize_index_binary(self._index))
        else:
            self._index = faiss.deserialize_index(faiss.serialize_index(self._index))
        self._mapped = False


def _are_rows(rows: NDArray[Any], total: int) -> bool:
    """Tell whether an array names rows of an index, in their order and once each."""
    if rows.ndim != 1 or rows.dtype != np.int64:
        return False
    return not rows.size or bool(rows[0] >= 0 and rows[-1] < total and (np.diff(rows) > 0).all())


def _sample(codes: Codes, size: int) -> Codes:
    """Return at most `size` rows, always the same ones, in their order."""
    if codes.shape[0] <= size:
        return codes
    rows = np.random.default_rng(0).choice(codes.shape[0], size, replace=False)
    return codes[np.sort(rows)]


def _is_positive(value: str) -> bool:
    try:
        return read_number(value) > 0
    except ValueError:
        return False
