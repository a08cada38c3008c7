"""Several indexes of one space searched as one: a large index, later ones with new items, and removed rows.

An item that joins a large index costs what it is, not what the index is: it goes into a small index of its own. A
removed item stays where it is, and is left out of the answers. Lucene calls this segments and tombstones.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, compress
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse, vstack

from encoders.codes import Codes, Kind, Metric
from indexers.base import HitLists, Index, Rows
from indexers.registry import load_index
from indexers.segment_merge import merged, small_index
from indexers.topk import best
from indexers.validation import checked_ids, checked_k, checked_rows, known_rows

#: Rows fetched at least in addition, where some may have been removed.
_MORE = 16


class Segmented(Index):
    """Indexes of one space, searched as one index without the removed rows.

    A row of this index is the number of an item that was not removed, in the order of the indexes. The first index
    decides the type: its description is the description of the whole. See `Index` for the operations.

    Parameters
    ----------
    parts : sequence of Index
        The indexes; at least one. They are not changed.
    removed : ndarray int64, optional
        Removed rows, ascending and unique, counted through all parts.

    Examples
    --------
    >>> from encoders.codes import Space
    >>> from indexers.registry import create_index
    >>> first, second = (create_index("exact", Space(1, Kind.DENSE, Metric.EUCLIDEAN)) for _ in range(2))
    >>> first.add(["a", "b"], np.array([[0], [3]], dtype=np.float32))
    >>> second.add(["c"], np.array([[4]], dtype=np.float32))
    >>> Segmented([first, second], np.array([1])).search(np.array([[3]], dtype=np.float32), k=2)
    [[Hit(id='c', score=-1.0), Hit(id='a', score=-9.0)]]
    """

    name = "segmented"
    spaces: ClassVar[frozenset[tuple[Kind, Metric]]] = frozenset()

    def __init__(self, parts: Sequence[Index], removed: NDArray[np.int64] | None = None) -> None:
        first = parts[0]
        self.space, self.backend, self.lexicon = first.space, first.backend, first.lexicon
        self.parameters, self.positive_only, self.max_k = first.parameters, first.positive_only, first.max_k
        self._parts = list(parts)
        self._removed = np.empty(0, np.int64) if removed is None else np.asarray(removed, np.int64)
        self._ids: Sequence[str] | None = None
        self._names: list[str] | None = None
        self._row_of: dict[str, int] | None = None
        self._gone_at: NDArray[np.bool_] | None = None
        self._position_of: NDArray[np.int64] | None = None
        self._forget()

    @property
    def first(self) -> Index:
        """The first part."""
        return self._parts[0]

    @property
    def holds_codes(self) -> bool:  # type: ignore[override]  # of these parts, not of the class
        """True when every part holds its codes."""
        return all(part.holds_codes for part in self._parts)

    @property
    def is_exact(self) -> bool:  # type: ignore[override]  # of these parts, not of the class
        """True when every part compares every item."""
        return all(part.is_exact for part in self._parts)

    @property
    def description(self) -> str:
        """The description of the first part."""
        return self._parts[0].description

    def quantised(self) -> Index | None:
        """Return exact search in the codes as the parts store them; None if all keep full precision."""
        stored = [part.quantised() for part in self._parts]
        if not any(one is not None for one in stored):
            return None
        kept = [part if one is None else one for part, one in zip(self._parts, stored, strict=True)]
        return Segmented(kept, self._removed)

    def set_parameters(self, parameters: Mapping[str, str]) -> None:
        """Change search parameters of the first part; the small parts have none."""
        self._parts[0].set_parameters(parameters)
        self.parameters = self._parts[0].parameters

    # -- items -------------------------------------------------------------------------------------------------

    @property
    def ids(self) -> Sequence[str]:
        """The id of every row."""
        if self._ids is None:
            names = self._all_ids()
            self._ids = list(compress(names, ~self._gone())) if len(self._removed) else names
        return self._ids

    def __len__(self) -> int:
        return int(self._offsets[-1]) - len(self._removed)

    def __contains__(self, id: object) -> bool:
        return id in self._rows_by_id()

    def ids_of_rows(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the ids of rows."""
        names = self.ids
        return [names[row] for row in np.asarray(rows).tolist()]

    def rows_of_ids(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of ids."""
        return known_rows(ids, self._rows_by_id())

    def codes(self) -> Codes:
        """Return the code of every row as it was added, read-only; with several parts, a copy."""
        parts: list[Any] = [part.codes() for part in self._parts]
        whole: Any = parts[0]
        if len(parts) > 1:
            whole = csr_array(vstack(parts, format="csr")) if issparse(whole) else np.concatenate(parts)
        if len(self._removed):
            whole = whole[~self._gone()]
        for array in (whole.data, whole.indices, whole.indptr) if issparse(whole) else (whole,):
            array.flags.writeable = False
        return whole

    # -- changing ----------------------------------------------------------------------------------------------

    def fit(self, codes: Codes) -> Self:
        """Let the first part learn."""
        self._parts[0].fit(codes)
        return self

    def add(self, ids: Sequence[str], codes: Codes) -> None:
        """Append items as a part of their own; all or none."""
        part = small_index(self._parts[0])
        part.add(checked_ids(ids, int(codes.shape[0]), self._rows_by_id()), codes)
        self._parts.append(part)
        self._forget()

    def remove(self, ids: Iterable[str]) -> None:
        """Leave items out from now on; all or none."""
        rows = self._positions(np.unique(self.rows_of_ids(ids)))
        self._removed = np.union1d(self._removed, rows)
        self._forget()

    # -- searching ---------------------------------------------------------------------------------------------

    def search(self, queries: Codes, k: int) -> HitLists:
        """Return the best `k` hits of every query, best first; fewer where there are fewer."""
        return HitLists(self._nearest(queries, min(checked_k(k), len(self))), self._all_ids())

    def search_rows(self, queries: Codes, k: int) -> Rows:
        """Return the best `k` rows of every query as arrays ``(n, k)``."""
        hits = self._nearest(queries, checked_k(k))
        return Rows(hits.scores, self._rows(hits.rows))

    def score_rows(self, queries: Codes, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the exact scores of given rows, computed from their codes; no other row is read."""
        wanted = self._positions(checked_rows(rows, queries, len(self)))
        scores: NDArray[Any] = np.full(wanted.shape, -np.inf, np.float32)
        for part, start, stop in self._bounds():
            inside = (wanted >= start) & (wanted < stop)
            columns = np.flatnonzero(inside.any(axis=0))
            if not len(columns):
                continue
            inside = inside[:, columns]
            part_scores = part.score_rows(queries, np.where(inside, wanted[:, columns] - start, -1))
            scores = scores.astype(np.promote_types(scores.dtype, part_scores.dtype), copy=False)
            scores[:, columns] = np.where(inside, part_scores, scores[:, columns])
        return scores

    def search_among(self, queries: Codes, rows: NDArray[np.int64], k: int) -> Rows:
        """Return the best `k` of the rows given for each query (each once)."""
        k = checked_k(k)
        wanted = np.sort(checked_rows(rows, queries, len(self)), axis=1)  # equal scores come in the order of the rows
        scores = self.score_rows(queries, wanted)
        if self.positive_only:
            scores[scores <= 0] = -np.inf
        hits = Rows(np.full((len(wanted), k), -np.inf, scores.dtype), np.full((len(wanted), k), -1, np.int64))
        for query_row, some in enumerate(scores):
            top = best(some, k) if len(some) else np.empty(0, np.int64)
            top = top[some[top] > -np.inf]
            hits.scores[query_row, : len(top)], hits.rows[query_row, : len(top)] = some[top], wanted[query_row, top]
        return hits

    def _nearest(self, queries: Codes, k: int) -> Rows:
        """Return the best `k` of all parts, with rows counted through all parts, the removed ones included."""
        hits_of_parts = [self._nearest_of(number, queries, k) for number in range(len(self._parts))]
        scores = np.concatenate([one.scores for one in hits_of_parts], axis=1)
        rows = np.concatenate([one.rows for one in hits_of_parts], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # equal scores come in the order of the rows
        scores, rows = np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)
        missing = k - rows.shape[1]
        if missing > 0:
            pad = ((0, 0), (0, missing))
            scores, rows = np.pad(scores, pad, constant_values=-np.inf), np.pad(rows, pad, constant_values=-1)
        return Rows(scores, rows)

    def _nearest_of(self, number: int, queries: Codes, k: int) -> Rows:
        """Return the best `k` of one part; more are fetched until enough of them were not removed."""
        part, start = self._parts[number], int(self._offsets[number])
        limit = len(part)
        n_gone = self._n_gone[number]
        gone = self._gone()[start : start + limit] if n_gone else None
        wanted = min(k, limit - n_gone)
        fetch = min(limit, k + min(n_gone, max(k, _MORE)))
        while True:
            hits = part.search_rows(queries, max(1, fetch))
            if gone is None or not len(hits.rows):
                break
            out = (hits.rows >= 0) & gone[hits.rows]
            enough = ((hits.rows >= 0) & ~out).sum(axis=1) >= wanted
            if fetch >= limit or (enough | (hits.rows[:, -1] < 0)).all():
                hits.scores[out], hits.rows[out] = -np.inf, -1
                break
            fetch = min(limit, 2 * fetch)
        return Rows(hits.scores, np.where(hits.rows >= 0, hits.rows + start, -1) if start else hits.rows)

    # -- saving ------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write one index with the items of all parts."""
        with tempfile.TemporaryDirectory() as scratch:
            first = load_index(self._parts[0].save(Path(scratch) / "first"), mmap=False)
            return merged([first, *self._parts[1:]], self._removed).save(folder)

    def bytes_on_disk(self) -> int | None:
        """Return the size of the files of all parts; None if a server keeps them."""
        sizes = [part.bytes_on_disk() for part in self._parts]
        return None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)

    def close(self) -> None:
        """Close every part."""
        for part in self._parts:
            part.close()

    # -- rows, and positions: rows counted through all parts ------------------------------------------------

    def _forget(self) -> None:
        """Forget what was derived from the parts and the removed rows."""
        self._offsets = np.cumsum([0, *map(len, self._parts)])
        bounds = np.searchsorted(self._removed, self._offsets)
        self._n_gone: list[int] = np.diff(bounds).tolist()
        self._ids = self._names = self._row_of = self._gone_at = self._position_of = None

    def _bounds(self) -> Iterable[tuple[Index, int, int]]:
        return zip(self._parts, self._offsets[:-1].tolist(), self._offsets[1:].tolist(), strict=True)

    def _gone(self) -> NDArray[np.bool_]:
        """Return which positions were removed."""
        if self._gone_at is None:
            self._gone_at = np.zeros(int(self._offsets[-1]), bool)
            self._gone_at[self._removed] = True
        return self._gone_at

    def _positions(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions of rows; -1 stays -1."""
        if not len(self._removed):
            return rows
        if self._position_of is None:
            self._position_of = np.append(np.flatnonzero(~self._gone()), -1)  # the last element is for row -1
        return np.asarray(self._position_of[rows])

    def _rows(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of positions that were not removed; -1 stays -1."""
        if not len(self._removed):
            return positions
        return np.asarray(positions - np.searchsorted(self._removed, positions))

    def _all_ids(self) -> list[str]:
        """Return the id at every position; results of earlier searches keep the list that they have."""
        if self._names is None:
            self._names = list(chain.from_iterable(part.ids for part in self._parts))
        return self._names

    def _rows_by_id(self) -> dict[str, int]:
        if self._row_of is None:
            self._row_of = {name: row for row, name in enumerate(self.ids)}
        return self._row_of
