"""Tables of ratings as a corpus of vectors: an item is a column or a row of the matrix of users and rated items."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.numbers import read_number, shortened
from encoders.options import option
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.csv_dialect import Cells, Row
from retrieval.corpora.source import Source

#: Usual names of the three columns.
USER, ITEM, RATING = ("user", "user_id", "userId"), ("item", "item_id", "movie", "movieId"), ("rating", "score")
#: Longest id of a user or item, in characters.
LONGEST = 1000
#: Largest number of values in a dense row: `nearby recommend` keeps a wider matrix sparse.
WIDEST = 200_000


class Ratings(NamedTuple):
    """Every rating once, and the names of both sides.

    Attributes
    ----------
    users, items : list of str
    matrix : csr_array float32 (users, items)
        Stored entries are ratings, stored zeros too.
    """

    users: list[str]
    items: list[str]
    matrix: csr_array


@dataclass(eq=False)
class RatingSource(Source):
    """A ratings matrix as a corpus of vectors: NaN where there is no rating.

    A subclass reads the ratings, and the titles and labels of the rated items where it has any.
    """

    path: Path
    name: str
    on_bad: OnBad = raise_bad
    by: str = option(
        "item",
        "With item, a vector is one rated item and its ratings; with user, one user and the ratings of that user.",
        choices=("item", "user"),
    )

    modality = Modality.VECTOR

    def __post_init__(self) -> None:
        self._held: Ratings | None = None

    @abstractmethod
    def read(self) -> Ratings:
        """Read the ratings from the beginning."""

    def described(self) -> dict[str, tuple[str | None, str | None]]:
        """Return title and label of what was rated, by id."""
        return {}

    def ratings(self) -> Ratings:
        """Return the ratings, read once."""
        if self._held is None:
            self._held = self.read()
        return self._held

    def items(self) -> Iterator[Item]:
        """Give rows (``by=user``) or columns (``by=item``) of the matrix, dense."""
        users, items, matrix = self.ratings()
        names, known = (users, {}) if self.by == "user" else (items, self.described())
        lines = matrix if self.by == "user" else csr_array(matrix.T)
        if lines.shape[1] > WIDEST:
            raise CorpusError(
                f"{self.name} has rows of {lines.shape[1]:,} ratings, more than {WIDEST:,}: "
                "use  nearby recommend fit, which keeps them sparse"
            )
        for row, name in enumerate(names):
            start, stop = lines.indptr[row : row + 2]
            vector = np.full(lines.shape[1], np.nan, dtype=np.float32)
            vector[lines.indices[start:stop]] = lines.data[start:stop]
            yield Item(name, vector, *known.get(name, (None, None)))

    @property
    def size(self) -> int | None:
        """Number of rows or columns."""
        return int(self.ratings().matrix.shape[0 if self.by == "user" else 1])


def assembled(users: Sequence[str], items: Sequence[str], values: NDArray[Any], where: object) -> Ratings:
    """Return ratings as a matrix; users and items keep the order in which they first occur.

    Raises
    ------
    CorpusError
        When there are no ratings, or a user rated an item twice.

    Examples
    --------
    >>> assembled(["b", "a"], ["x", "x"], np.array([1.0, 5.0]), "here").users
    ['b', 'a']
    """
    if not len(values):
        raise CorpusError(f"{where} holds no ratings")
    rows, row_names = _numbered(users)
    columns, column_names = _numbered(items)
    cells = rows.astype(np.int64) * len(column_names) + columns
    unique, counts = np.unique(cells, return_counts=True)
    if len(unique) < len(cells):
        row, column = divmod(int(unique[counts > 1][0]), len(column_names))
        raise CorpusError(f"{where}: user '{row_names[row]}' rated item '{column_names[column]}' more than once")
    matrix = csr_array((values.astype(np.float32), (rows, columns)), shape=(len(row_names), len(column_names)))
    return Ratings(row_names, column_names, matrix)


def _numbered(names: Sequence[str]) -> tuple[NDArray[np.int32], list[str]]:
    numbers: dict[str, int] = {}
    positions = np.fromiter((numbers.setdefault(name, len(numbers)) for name in names), np.int32, len(names))
    return positions, list(numbers)


@dataclass(eq=False)
class RatingTable(Cells, RatingSource):
    """Ratings in a ``.csv`` or ``.tsv`` file: one row for each rating, with its user, item and value.

    A table whose first line has a usual name for all three columns is read as ratings; one of these options, or a
    text option such as ``?text=``, decides otherwise. Missing ratings are NaN, which the space ``mf`` reads.
    """

    user: str | None = option(None, "Column with the user (default: user, user_id or userId).")
    item: str | None = option(None, "Column with the rated item (default: item, item_id, movie or movieId).")
    rating: str | None = option(None, "Column with the rating, a number (default: rating or score).")

    def read(self) -> Ratings:
        """Read the file, line by line."""
        users: list[str] = []
        items: list[str] = []
        values: list[float] = []
        named = list(zip((self.user, self.item, self.rating), (USER, ITEM, RATING), strict=True))
        rows = self.rows(self.path, lambda head: all(_position(head, *one) is not None for one in named), self.on_bad)
        head = next(rows, Row(1, [])).cells
        positions = [_column(head, given, usual, self.path) for given, usual in named]
        for line, cells in rows:
            if not cells:
                continue
            try:
                user, item, value = _rating(cells, positions, head)
            except CorpusError as error:
                self.on_bad(CorpusError(f"{self.path}:{line}: {error}"))
                continue
            users.append(user)
            items.append(item)
            values.append(value)
        return assembled(users, items, np.asarray(values), self.path)


def is_rating_head(head: Sequence[str]) -> bool:
    """Return whether column names are the usual ones of a table of ratings.

    Examples
    --------
    >>> is_rating_head(["userId", "movieId", "rating", "timestamp"]), is_rating_head(["text", "rating"])
    (True, False)
    """
    return all(set(usual) & set(head) for usual in (USER, ITEM, RATING))


def _position(head: Sequence[str], given: str | None, usual: Sequence[str]) -> int | None:
    name = given or next((name for name in usual if name in head), None)
    return head.index(name) if name in head else None


def _column(head: Sequence[str], given: str | None, usual: Sequence[str], path: Path) -> int:
    position = _position(head, given, usual)
    if position is None:
        wanted = f"'{given}'" if given else " or ".join(f"'{name}'" for name in usual)
        raise CorpusError(f"{path} has no column {wanted}; its columns: {', '.join(head) or 'none'}")
    return position


def _rating(cells: Sequence[str], positions: Sequence[int], head: Sequence[str]) -> tuple[str, str, float]:
    """Return user, item and rating of a row.

    Raises
    ------
    CorpusError
        Naming the column and what was found in it.
    """
    if len(cells) <= max(positions):
        raise CorpusError(f"expected {len(head)} cells, found {len(cells)}: {shortened(list(cells))}")
    user, item, text = (cells[position] for position in positions)
    for name, position in ((user, positions[0]), (item, positions[1])):
        if not 0 < len(name) <= LONGEST:
            problem = "is empty" if not name else f"has {len(name):,} letters, more than {LONGEST:,}: {shortened(name)}"
            raise CorpusError(f"the column '{head[position]}' {problem}")
    try:
        return user, item, read_number(text)
    except ValueError:
        raise CorpusError(f"the column '{head[positions[2]]}' should hold a number, got {shortened(text)}") from None


@dataclass(eq=False)
class RatingsExample(RatingSource):
    """Fifteen ratings of four items by five users: the worked example of matrix factorisation."""

    path: Path = Path()
    name: str = "ratings-example"

    def read(self) -> Ratings:
        """Give the fifteen ratings."""
        table = {"A": "53?1", "B": "43?1", "C": "11?5", "D": "1?44", "E": "?154"}
        known = [
            (user, str(number), mark)
            for user, marks in table.items()
            for number, mark in enumerate(marks, 1)
            if mark != "?"
        ]
        users, items, marks = zip(*known, strict=True)
        ratings = assembled(users, items, np.asarray(marks, dtype=np.float32), self.name)
        order = np.argsort(np.asarray(ratings.items))  # item 3 is rated last, by D
        return Ratings(ratings.users, sorted(ratings.items), csr_array(ratings.matrix[:, order]))
