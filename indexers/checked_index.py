"""What every index does by itself: check arguments, keep ids, choose the unit of the codes. Backends derive from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Lexicon, Metric, Space, n_rows, normalized
from encoders.errors import NotInvertibleError, OptionError
from encoders.npy import release, released
from encoders.query_string import unknown_option
from indexers.base import HitLists, Index, Rows
from indexers.pairs import Pairs, best_pairs, score_pairs
from indexers.unit import Unit
from indexers.validation import (
    BLOCK_ROWS,
    LARGEST,
    checked_codes,
    checked_ids,
    checked_k,
    checked_rows,
    known_rows,
    require_supported,
)


class CheckedIndex(Index):
    """An index whose backend sees only valid arguments.

    A subclass writes ``_add``, ``_remove``, ``_search``, ``_write``, ``_read``, and ``_fit`` if it learns.
    It gets valid items as the caller gave them, and queries that went through `comparable`.
    See `Index` for the parameters.
    """

    #: True when codes whose squares float32 cannot hold are stored in another unit; else they are refused.
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
        self.parameters = {}
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

    def _fit(self, codes: Codes) -> None:  # most indexes have nothing to learn
        """Learn centroids and codebooks."""

    @abstractmethod
    def _add(self, codes: Codes) -> None:
        """Append codes after the existing rows; `codes` may be the caller's own array."""

    def _room_for(self, codes: Codes) -> AbstractContextManager[int]:
        """Return a context in which all of these codes, and no others, are added in blocks; it gives their rows."""
        return nullcontext(BLOCK_ROWS)

    @abstractmethod
    def _remove(self, rows: NDArray[np.int64]) -> None:
        """Drop rows (ascending, unique); the rest close up."""

    @abstractmethod
    def _search(self, queries: Codes, k: int) -> Rows:
        """Find ``1 <= k <= len(self)`` rows for `comparable` queries; missing ones come last: -1 and -inf."""

    def _pairs(self, queries: Codes, rows: NDArray[np.int64]) -> Pairs:
        """Return what compares `comparable` queries with the given rows (only where `holds_codes`)."""
        raise self._no_codes_error()

    @abstractmethod
    def _write(self, folder: Path) -> None:
        """Write what `_read` needs."""

    @abstractmethod
    def _read(self, folder: Path, mmap: bool) -> None:
        """Read what `_write` wrote, after its checksums were compared."""

    def _bytes_on_disk(self) -> int | None:
        """Return the size of what `_write` writes; None if it is unknown."""
        return None

    # -- items -----------------------------------------------------------------------------------------------

    @property
    def ids(self) -> Sequence[str]:
        """The id of every row."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: object) -> bool:
        return id in self._rows_by_id()

    def ids_of_rows(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the ids of rows."""
        return [self._ids[row] for row in np.asarray(rows).tolist()]

    def rows_of_ids(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of ids."""
        return known_rows(ids, self._rows_by_id())

    def _rows_by_id(self) -> dict[str, int]:
        """Return the row of every id; built when it is first needed, as a search needs none."""
        if self._row_of is None:
            self._row_of = {name: row for row, name in enumerate(self._ids)}
        return self._row_of

    def codes(self) -> Codes:
        """Return the code of every row as it was added, read-only (only where `holds_codes`)."""
        raise self._no_codes_error()

    def _no_codes_error(self) -> NotInvertibleError:
        return NotInvertibleError(f"'{self.description}' does not keep the codes; 'exact' and 'sparse' do")

    # -- changing --------------------------------------------------------------------------------------------

    def set_parameters(self, parameters: Mapping[str, str]) -> None:
        """Change search parameters of a built index."""
        for key, value in parameters.items():
            self._set_parameter(key, str(value))
            self.parameters[key] = str(value)

    def fit(self, codes: Codes) -> Self:
        """Learn what the index needs to learn from a sample of codes."""
        self._choose_unit(codes)
        self._fit(checked_codes(self._unit.stored(codes), self.space))
        return self

    def add(self, ids: Sequence[str], codes: Codes) -> None:
        """Append items; all or none."""
        self._choose_unit(codes)
        matrix = checked_codes(self._unit.stored(codes), self.space)
        names = checked_ids(ids, int(matrix.shape[0]), self._rows_by_id())
        if not names:
            return
        self._add(matrix)
        rows = self._rows_by_id()
        rows.update(zip(names, range(len(self._ids), len(self._ids) + len(names)), strict=True))
        self._ids.extend(names)

    def fill(self, ids: Sequence[str], codes: Codes) -> None:
        """Learn from codes and add them all to the empty index; ids are compared once, and no table of them is kept."""
        names = checked_ids(ids, n_rows(codes), self._rows_by_id())
        self._row_of = None
        self.fit(codes)
        release(codes)
        with self._room_for(codes) as rows:
            for part in released(codes, rows):
                self._add(checked_codes(self._unit.stored(part), self.space))
        self._ids.extend(names)

    def remove(self, ids: Iterable[str]) -> None:
        """Remove items; all or none."""
        rows = np.unique(self.rows_of_ids(ids))
        if not len(rows):
            return
        self._remove(rows)
        removed = set(rows.tolist())
        # a new list: the results of earlier searches read their ids from the old one
        self._ids = [name for row, name in enumerate(self._ids) if row not in removed]
        self._row_of = None

    @property
    def removed_inside(self) -> int:
        """The number of removed items whose codes the index still holds; most indexes hold none."""
        return 0

    def drop_removed(self) -> None:
        """Free the memory of removed items, where the index still holds their codes, and can drop them."""

    # -- searching -------------------------------------------------------------------------------------------

    def search(self, queries: Codes, k: int) -> HitLists:
        """Return the best `k` hits of every query, best first; fewer where there are fewer."""
        return HitLists(self._best_rows(queries, k), self._ids)

    def search_rows(self, queries: Codes, k: int) -> Rows:
        """Return the best `k` rows of every query as arrays ``(n, k)``."""
        best = self._best_rows(queries, k)
        missing = k - best.rows.shape[1]
        if not missing:
            return best
        pad = ((0, 0), (0, missing))
        return Rows(np.pad(best.scores, pad, constant_values=-np.inf), np.pad(best.rows, pad, constant_values=-1))

    def score_rows(self, queries: Codes, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the exact scores of given rows, computed from their codes; no other row is read."""
        wanted = checked_rows(rows, queries, len(self))
        matrix = self.comparable(checked_codes(self._unit.stored(queries), self.space))
        return self._true_scores(score_pairs(self._pairs(matrix, wanted), wanted))

    def search_among(self, queries: Codes, rows: NDArray[np.int64], k: int) -> Rows:
        """Return the best `k` of the rows given for each query (each once)."""
        wanted = checked_rows(rows, queries, len(self))
        pairs = self._pairs(self.comparable(checked_codes(self._unit.stored(queries), self.space)), wanted)
        best = best_pairs(pairs, wanted, checked_k(k), self.positive_only)
        return best if self._unit.is_plain else Rows(self._true_scores(best.scores), best.rows)

    def comparable(self, codes: Codes) -> Codes:
        """Return codes such that the metric is a plain inner product or distance: unit length for cosine."""
        return normalized(codes) if self._scaled else codes

    def _best_rows(self, queries: Codes, k: int) -> Rows:
        # Every search runs these lines: one query of a graph takes microseconds, and each line tenths of one.
        k = checked_k(k)
        matrix = self._checked(self._unit.stored(queries))
        n, count = matrix.shape[0], len(self._ids)
        if k > count:
            k = count
        if not k or not n:
            return Rows(np.full((n, k), -np.inf, np.float32), np.full((n, k), -1, np.int64))
        best = self._search(self.comparable(matrix) if self._scaled else matrix, k)
        return best if self._unit.is_plain else Rows(self._true_scores(best.scores), best.rows)

    def _checked(self, queries: Codes) -> Codes:
        """Return queries that are codes of this space; an index with a faster check overrides this."""
        return checked_codes(queries, self.space)

    # -- the unit of the codes -------------------------------------------------------------------------------

    @property
    def largest_code(self) -> float:
        """The largest absolute value of a code that the index compares; larger ones are refused."""
        return LARGEST / (self._unit.factor or 1.0)

    @property
    def stores_plain(self) -> bool:
        """True when codes are stored as they were given, not in another unit."""
        return self._unit.is_plain

    def _choose_unit(self, codes: Codes) -> None:
        """Choose the unit by the first codes that are not all zero."""
        if self._unit.factor or self.space.kind is Kind.BINARY:
            return
        unit = Unit.of(codes)
        if self.changes_unit:
            self._unit = unit
            return
        if not self._scaled:  # cosine compares unit vectors, whose squares float32 always holds
            unit.require_plain(self.name, codes)
        self._unit = Unit(1.0 if unit.factor else 0.0)

    def _true_scores(self, scores: NDArray[np.float32]) -> NDArray[Any]:
        """Return scores in the unit of the codes that were added; cosines have none."""
        return scores if self._scaled else self._unit.given_scores(scores)

    # -- saving ----------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the index as a folder, all or nothing."""
        from indexers.folder import save_index

        return save_index(self, Path(folder))

    def bytes_on_disk(self) -> int | None:
        """Return the size of the files that `save` writes, less their manifest; None if a server keeps them."""
        from indexers.folder import names_bytes

        size = self._bytes_on_disk()
        return None if size is None else size + names_bytes(self)
