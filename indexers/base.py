"""The contract of every index: codes in, the nearest rows out, larger scores better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Lexicon, Metric, Space
from encoders.errors import NearbyError
from encoders.npy import released
from indexers.description import Description
from indexers.hits import Hit, HitLists, Rows
from indexers.validation import BLOCK_ROWS

__all__ = ["Hit", "HitLists", "Index", "Rows"]
#: Width of the codes for which a description is tried before the true ones are known.
TRIAL_WIDTH = 64


class Index(ABC):
    """Stores codes under ids and finds the nearest.

    Life: ``Index(space)`` -> ``fit(codes)`` (centroids, codebooks; often nothing) -> ``add(ids, codes)`` ->
    ``search``. Row i is the i-th item in the order of adding: ``ids[i]``; rows close up when items are removed. A new
    index derives from `indexers.checked_index.CheckedIndex`, which checks what it is given.

    Parameters
    ----------
    space : Space
        The space of the codes.
    backend : str
        The backend's own language, such as FAISS's factory string; most indexes have none.
    parameters : mapping of str to str, optional
        Search parameters by the backend's own names.
    lexicon : Lexicon, optional
        The words of a BM25 space, for an index that weighs words itself; other indexes ignore it.

    Raises
    ------
    UnsupportedSpaceError
        When the index does not support the kind and metric.
    OptionError
        For a backend string or parameter that the index does not know.
    """

    #: The registry name, as written in a description.
    name: ClassVar[str]
    #: The kinds and metrics that the index supports; others are refused before any work.
    spaces: ClassVar[frozenset[tuple[Kind, Metric]]]
    #: True when the saved index holds every code at full precision: a collection keeps no second copy.
    holds_codes: bool = False
    #: Files that `load` maps: only some blocks of them are compared with their checksums. Others are compared in full,
    #: also that of FAISS, which ends the process over a damaged file.
    mapped_files: ClassVar[frozenset[str]] = frozenset()
    #: True when only items with a score above 0 are answers.
    positive_only: bool = False
    #: True when a query is compared with every item, by the codes as they were added.
    is_exact: bool = False
    #: The largest `k` of one search; None is no limit.
    max_k: int | None = None
    #: True when the index stores the words of a BM25 space and weighs them itself.
    takes_words: ClassVar[bool] = False

    space: Space
    backend: str
    parameters: dict[str, str]
    lexicon: Lexicon | None

    @abstractmethod
    def __init__(
        self,
        space: Space,
        backend: str = "",
        parameters: Mapping[str, str] | None = None,
        lexicon: Lexicon | None = None,
    ) -> None: ...

    @classmethod
    def check(cls, backend: str, parameters: Mapping[str, str]) -> None:
        """Refuse a backend string or search parameters that are wrong for every kind of codes.

        Raises
        ------
        OptionError
            The refusal for the first kind of codes, if every kind is refused.
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
        """The text from which `create_index` makes an equal index: ``name[:backend][?key=value&...]``."""
        return str(Description(self.name, self.backend, self.parameters))

    def quantised(self) -> Index | None:
        """Return exact search in the codes as this index stores them; None when they are stored at full precision.

        Its difference from `exact` is the effect of the quantisation alone; the difference of this index from it is the
        effect of the approximate search.

        Raises
        ------
        NotInvertibleError
            When the stored codes cannot be read.
        """
        return None

    @property
    def stores_counts(self) -> bool:
        """True when items and queries are counts over the words of `lexicon`, not codes."""
        return self.lexicon is not None

    @abstractmethod
    def set_parameters(self, parameters: Mapping[str, str]) -> None:
        """Change search parameters of a built index, as after ``?`` in a description.

        Raises
        ------
        OptionError
            For a parameter that the index does not know, or a value that it refuses.
        """

    # -- items -------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def ids(self) -> Sequence[str]:
        """The id of every row."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __contains__(self, id: object) -> bool: ...

    @abstractmethod
    def ids_of_rows(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the ids of rows."""

    @abstractmethod
    def rows_of_ids(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the rows of ids.

        Raises
        ------
        BadItemError
            When an id is not in the index.
        """

    @abstractmethod
    def codes(self) -> Codes:
        """Return the code of every row as it was added, read-only.

        Raises
        ------
        NotInvertibleError
            When the index does not hold the codes (`holds_codes`).
        """

    # -- changing ----------------------------------------------------------------------------------------------

    @abstractmethod
    def fit(self, codes: Codes) -> Self:
        """Learn what the index needs to learn from a sample of codes.

        Raises
        ------
        BadItemError, DimensionError
            For codes of another kind or width, NaN, or too few to learn from.
        """

    @abstractmethod
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

    def fill(self, ids: Sequence[str], codes: Codes) -> None:
        """Learn from codes and add them all to the empty index, in blocks: close it when one of them is refused."""
        self.fit(codes)
        for number, part in enumerate(released(codes, BLOCK_ROWS)):
            self.add(ids[number * BLOCK_ROWS : (number + 1) * BLOCK_ROWS], part)

    def add_file(self, ids: Sequence[str], path: Path) -> bool:
        """Add the codes of a .npy file (n, dim) to an empty index that then reads them from there.

        `save` gives the file another name; nothing may change it afterwards.

        Returns
        -------
        bool
            False, and nothing was added, where this is impossible: use `add`, which says why if codes are wrong.
        """
        return False

    @abstractmethod
    def remove(self, ids: Iterable[str]) -> None:
        """Remove items; all or none.

        Raises
        ------
        BadItemError
            When an id is not in the index.
        """

    # -- searching ---------------------------------------------------------------------------------------------

    @abstractmethod
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

    @abstractmethod
    def search_rows(self, queries: Codes, k: int) -> Rows:
        """Return the best `k` rows of every query as arrays ``(n, k)``; see `search` and `Rows`."""

    @abstractmethod
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

    @abstractmethod
    def search_among(self, queries: Codes, rows: NDArray[np.int64], k: int) -> Rows:
        """Return the best `k` of the rows given for each query (each once): `search_rows` of these items alone.

        See `score_rows`; where `positive_only`, only rows with a positive score are answers.
        """

    # -- saving ------------------------------------------------------------------------------------------------

    @abstractmethod
    def save(self, folder: str | Path) -> Path:
        """Write the index as a folder, all or nothing."""

    @abstractmethod
    def bytes_on_disk(self) -> int | None:
        """Return the size of the files that `save` writes, less their manifest; None if a server keeps them."""

    @staticmethod
    def load(folder: str | Path, mmap: bool = True) -> Index:
        """Read an index that `save` wrote; see `indexers.registry.load_index`."""
        from indexers.registry import load_index

        return load_index(folder, mmap)

    def close(self) -> None:  # noqa: B027  # only an index with a connection has something to close
        """Close connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()
