"""The contract of every index: codes in, the nearest rows out, larger scores better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Lexicon, Metric, Space, normalized
from encoders.errors import BadItemError, NearbyError, NotInvertibleError, OptionError
from encoders.query_string import unknown_option
from indexers.description import Description
from indexers.hits import Hit, HitLists, Rows
from indexers.pairs import Pairs, best_pairs, score_pairs
from indexers.unit import Unit
from indexers.validation import checked_codes, checked_ids, checked_k, checked_rows, require_supported

__all__ = ["Hit", "HitLists", "Index", "Rows"]
#: Width of the codes for which a description is tried before the true ones are known.
TRIAL_WIDTH = 64


class Index(ABC):
    """Stores codes under ids and finds the nearest.

    Life: ``Index(space)`` -> ``fit(codes)`` (centroids, codebooks; often nothing) -> ``add(ids, codes)`` ->
    ``search``.
    Row i is the i-th live item in the order of adding: ``ids[i]``; rows close up when items are removed.

    A subclass writes ``_add``, ``_remove``, ``_search``, ``_write``, ``_read``, and ``_fit`` if it learns.
    It gets checked items as the caller gave them, and queries that went through `comparable`.

    Parameters
    ----------
    space : Space
        The space of the codes.
    backend : str
        The backend's own language, such as FAISS's factory string; most indexes have none.
    parameters : mapping of str to str, optional
        Search parameters by the backend's own names.
    lexicon : Lexicon, optional
        The words of a BM25 space, for an index that weighs words itself; others leave it alone.

    Raises
    ------
    UnsupportedSpaceError
        When the index cannot honour the kind and metric.
    OptionError
        For a backend string or parameter that the index does not know.
    """

    #: The registry name, as written in a description.
    name: ClassVar[str]
    #: What the index can honour; anything else is refused before any work.
    spaces: ClassVar[frozenset[tuple[Kind, Metric]]]
    #: True when the saved index holds every code at full precision: a collection keeps no second copy.
    holds_codes: ClassVar[bool] = False
    #: Files that `load` maps: some blocks of them are compared with their checksums, all others are in full. FAISS
    #: ends the process over a damaged file, so its own is always among the latter: a gigabyte takes 1.4 s on two
    #: cores, as long as FAISS takes to read it.
    mapped_files: ClassVar[frozenset[str]] = frozenset()
    #: True when only items with a score above 0 are answers.
    positive_only: bool = False
    #: The largest `k` of one search; None is no limit.
    max_k: ClassVar[int | None] = None
    #: True when the index takes BM25 spaces by their words, which it weighs itself.
    takes_words: ClassVar[bool] = False
    #: True when codes whose squares float32 cannot hold are kept in another unit; else they are refused.
    changes_unit: ClassVar[bool] = True

    def __init__(
        self,
        space: Space,
        backend: str = "",
        parameters: Mapping[str, str] | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.lexicon = lexicon if self.takes_words else None
        words = {(Kind.SPARSE, Metric.DOT)} if self.stores_counts else set()
        require_supported(self.name, self.spaces | words, space)
        self.space, self.backend = space, backend
        self._scaled = space.metric is Metric.COSINE
        self._unit = Unit()
        self.parameters: dict[str, str] = {}
        self._ids: list[str] = []
        self._row_of: dict[str, int] | None = None
        self._configure(backend)
        self.set_parameters(parameters or {})

    # -- what a subclass writes ------------------------------------------------------------------------------

    def _configure(self, backend: str) -> None:
        """Read the backend string."""
        if backend:  # not repeated: it may hold a password
            raise OptionError(f"'{self.name}' takes nothing after ':': write '{self.name}'")

    def _set_parameter(self, key: str, value: str) -> None:
        """Set one search parameter."""
        raise unknown_option(f"'{self.name}'", key, (), "search parameter")

    def _fit(self, codes: Codes) -> None:  # noqa: B027  # most indexes have nothing to learn
        """Learn centroids and codebooks."""

    @abstractmethod
    def _add(self, codes: Codes) -> None:
        """Append codes behind the rows that are there; `codes` may be the caller's own array."""

    @abstractmethod
    def _remove(self, rows: NDArray[np.int64]) -> None:
        """Drop rows (ascending, unique); the rest close up."""

    @abstractmethod
    def _search(self, queries: Codes, k: int) -> Rows:
        """Find ``1 <= k <= len(self)`` rows for `comparable` queries; missing ones come last: -1 and -inf."""

    def _pairs(self, queries: Codes, rows: NDArray[np.int64]) -> Pairs:
        """Return what compares `comparable` queries with the rows that are asked (only where `holds_codes`)."""
        raise self._keeps_no_codes()

    @abstractmethod
    def _write(self, folder: Path) -> None:
        """Write what `_read` needs."""

    @abstractmethod
    def _read(self, folder: Path, mmap: bool) -> None:
        """Take back what `_write` wrote; checksums have been looked at."""

    def _bytes_on_disk(self) -> int | None:
        """Return the size of what `_write` writes; None where that is not known."""
        return None

    # -- the contract ----------------------------------------------------------------------------------------

    @classmethod
    def check(cls, backend: str, parameters: Mapping[str, str]) -> None:
        """Refuse a backend string or search parameters that are wrong whatever the codes, before there are any.

        Raises
        ------
        OptionError
            The index's refusal of the first kind of codes that it supports, if it refuses every kind.
        """
        refusals: list[NearbyError] = []
        for kind, metric in sorted(cls.spaces, key=lambda pair: (pair[0] is Kind.BINARY, pair)):
            try:
                cls(Space(TRIAL_WIDTH, kind, metric), backend, parameters).close()
            except NearbyError as error:
                refusals.append(error)
            else:
                return
        raise refusals[0]

    @property
    def description(self) -> str:
        """The text that `create_index` makes an index like this one of: ``name[:backend][?key=value&...]``."""
        return str(Description(self.name, self.backend, self.parameters))

    @property
    def stores_counts(self) -> bool:
        """True when what is added and asked are counts over the words of `lexicon`, not codes."""
        return self.lexicon is not None

    @property
    def ids(self) -> Sequence[str]:
        """The id of every row."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: object) -> bool:
        return id in self._rows_by_id()

    def set_parameters(self, parameters: Mapping[str, str]) -> None:
        """Change search parameters of a built index, as after ``?`` in a description.

        Raises
        ------
        OptionError
            For one that the index does not know, or a value that it refuses.
        """
        for key, value in parameters.items():
            self._set_parameter(key, str(value))
            self.parameters[key] = str(value)

    def fit(self, codes: Codes) -> Self:
        """Learn what the index needs to learn from a sample of codes.

        Raises
        ------
        BadItemError, DimensionError
            For codes of another kind or width, NaN, or too few to learn from.
        """
        self._choose_unit(codes)
        self._fit(checked_codes(self._unit.stored(codes), self.space))
        return self

    def add(self, ids: Sequence[str], codes: Codes) -> None:
        """Append items; all or none.

        Parameters
        ----------
        ids : sequence of str
            New and unique.
        codes : float32 (n, dim), csr_array (n, dim) or packed uint8 (n, ceil(dim / 8))
            Row i belongs to ``ids[i]``. Not changed, and not kept by reference.

        Raises
        ------
        BadItemError, DimensionError, NotFittedError
        """
        self._choose_unit(codes)
        matrix = checked_codes(self._unit.stored(codes), self.space)
        names = checked_ids(ids, int(matrix.shape[0]), self._rows_by_id())
        if not names:
            return
        self._add(matrix)
        rows = self._rows_by_id()
        rows.update(zip(names, range(len(self._ids), len(self._ids) + len(names)), strict=True))
        self._ids.extend(names)

    def remove(self, ids: Iterable[str]) -> None:
        """Remove items; all or none.

        Raises
        ------
        BadItemError
            When an id is not in the index.
        """
        rows = np.unique(self.rows_of_ids(ids))
        if not len(rows):
            return
        self._remove(rows)
        gone = set(rows.tolist())
        # a new list: the results of earlier searches read their ids from the old one
        self._ids = [name for row, name in enumerate(self._ids) if row not in gone]
        self._row_of = None

    def search(self, queries: Codes, k: int) -> HitLists:
        """Return the best `k` hits of every query, best first; fewer where there are fewer.

        The result behaves as a list of lists of `Hit`, and offers the same as columns: see `HitLists`. Items that are
        added or removed afterwards do not change it.

        Raises
        ------
        OptionError
            When `k` is not a positive whole number.
        BadItemError, DimensionError
            When the queries are not codes of this space.
        """
        return HitLists(self._found(queries, k), self._ids)

    def search_rows(self, queries: Codes, k: int) -> Rows:
        """Return the best `k` rows of every query as arrays ``(n, k)``; see `search` and `Rows`."""
        found = self._found(queries, k)
        missing = k - found.rows.shape[1]
        if not missing:
            return found
        pad = ((0, 0), (0, missing))
        return Rows(np.pad(found.scores, pad, constant_values=-np.inf), np.pad(found.rows, pad, constant_values=-1))

    def score_rows(self, queries: Codes, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the exact scores of given rows, computed from their codes; no other row is read.

        Parameters
        ----------
        queries : codes (n, dim)
        rows : ndarray int64 (n, m)
            Row i belongs to query i; -1 stands for none.

        Returns
        -------
        ndarray float32 (n, m)
            The scores that `search_rows` of an exact index gives; -inf for row -1.

        Raises
        ------
        NotInvertibleError
            When the index does not hold the codes.
        BadItemError, DimensionError
            When the queries are not codes of this space, or there are no such rows.
        """
        wanted = checked_rows(rows, queries, len(self))
        matrix = self.comparable(checked_codes(self._unit.stored(queries), self.space))
        return self._true_scores(score_pairs(self._pairs(matrix, wanted), wanted))

    def search_among(self, queries: Codes, rows: NDArray[np.int64], k: int) -> Rows:
        """Return the best `k` of the rows given for each query (each once): `search_rows` of these items alone.

        See `score_rows`; where `positive_only`, only rows with a positive score are answers.
        """
        wanted = checked_rows(rows, queries, len(self))
        pairs = self._pairs(self.comparable(checked_codes(self._unit.stored(queries), self.space)), wanted)
        found = best_pairs(pairs, wanted, checked_k(k), self.positive_only)
        return found if self._unit.is_plain else Rows(self._true_scores(found.scores), found.rows)

    def ids_of_rows(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the ids of rows."""
        return [self._ids[row] for row in np.asarray(rows).tolist()]

    def rows_of_ids(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of ids.

        Raises
        ------
        BadItemError
            When an id is not in the index.
        """
        if isinstance(ids, str):
            raise BadItemError(f"expected a list of ids, got the single text {ids!r}")
        rows, wanted = self._rows_by_id(), list(ids)
        unknown = [name for name in wanted if name not in rows]
        if unknown:
            more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
            raise BadItemError(f"the index holds no item {unknown[0]!r}{more}")
        return np.array([rows[name] for name in wanted], dtype=np.int64)

    def codes(self) -> Codes:
        """Return the code of every row as it was added, read-only (only where `holds_codes`)."""
        raise self._keeps_no_codes()

    def comparable(self, codes: Codes) -> Codes:
        """Return codes such that the metric is a plain inner product or distance: unit length for cosine."""
        return normalized(codes) if self._scaled else codes

    # -- saving ----------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the index as a folder, all or nothing."""
        from indexers.folder import save_index

        return save_index(self, Path(folder))

    def bytes_on_disk(self) -> int | None:
        """Return the size of the files that `save` writes, less their manifest; None where a server keeps them apart.

        Nothing is written. This is what a graph, lists or codebooks take, which the codes alone do not tell.
        """
        from indexers.folder import names_bytes

        own = self._bytes_on_disk()
        return None if own is None else own + names_bytes(self)

    @staticmethod
    def load(folder: str | Path, mmap: bool = True) -> Index:
        """Read an index that `save` wrote; see `indexers.registry.load_index`."""
        from indexers.registry import load_index

        return load_index(folder, mmap)

    def close(self) -> None:  # noqa: B027  # only an index with a connection has something to close
        """Close connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside ----------------------------------------------------------------------------------------------

    def _found(self, queries: Codes, k: int) -> Rows:
        # Every call pays for these lines: a single query of a graph takes microseconds, of which they are tenths.
        k = checked_k(k)
        matrix = self._checked(self._unit.stored(queries))
        n, held = matrix.shape[0], len(self._ids)
        if k > held:
            k = held
        if not k or not n:
            return Rows(np.full((n, k), -np.inf, np.float32), np.full((n, k), -1, np.int64))
        found = self._search(self.comparable(matrix) if self._scaled else matrix, k)
        return found if self._unit.is_plain else Rows(self._true_scores(found.scores), found.rows)

    def _choose_unit(self, codes: Codes) -> None:
        """Choose the unit by the first codes that are not all zero."""
        if self._unit.factor or self.space.kind is Kind.BINARY:
            return
        unit = Unit.of(codes)
        if self.changes_unit:
            self._unit = unit
            return
        if not self._scaled:  # of unit vectors, which cosine compares, no square is too small or large
            unit.require_plain(self.name, codes)
        self._unit = Unit(1.0 if unit.factor else 0.0)

    def _true_scores(self, scores: NDArray[np.float32]) -> NDArray[Any]:
        """Return scores in the unit of the codes that were added; cosines have none."""
        return scores if self._scaled else self._unit.given_scores(scores)

    def _checked(self, queries: Codes) -> Codes:
        """Return queries that are codes of this space; an index that has a faster way to see it may take that."""
        return checked_codes(queries, self.space)

    def _keeps_no_codes(self) -> NotInvertibleError:
        return NotInvertibleError(f"'{self.description}' does not keep the codes; 'exact' and 'sparse' do")

    def _rows_by_id(self) -> dict[str, int]:
        """Made when first asked for: a search needs none."""
        if self._row_of is None:
            self._row_of = {name: row for row, name in enumerate(self._ids)}
        return self._row_of
