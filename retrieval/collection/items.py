"""The items of a collection, wherever they are stored: a corpus that also finds items by id and by filter."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from encoders.errors import CollectionError
from retrieval.collection.filters import Filter
from retrieval.corpora.base import Corpus, Item

#: Number of ids that are compared with a mistyped one.
COMPARED_IDS = 10_000
#: Longest id that is compared: comparing takes time with its length.
COMPARED_LETTERS = 100


class Change(NamedTuple):
    """What writing items did: ids that are new, ids whose item changed, and how many items were there already."""

    added: list[str]
    changed: list[str]
    unchanged: int


class CollectionItems(Corpus):
    """What every store of items answers, on disk and on a server alike."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of items."""

    @property
    def bytes_on_disk(self) -> int | None:
        """Size of the file that holds the items; None where a server keeps them beside the codes."""
        return None

    @abstractmethod
    def digest(self) -> str:
        """Return a SHA-256 over the digests of the items in their order; see `item_record.items_digest`."""

    @abstractmethod
    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return items by id, in the order of `ids`.

        Raises
        ------
        CollectionError
            For an id that is not there, with the closest one that is.
        """

    def page(self, offset: int, limit: int) -> Iterator[Item]:
        """Read some items in their order, from the one at a position (0 is the first)."""
        return islice(iter(self), offset, offset + limit) if offset < self.size else iter(())

    @abstractmethod
    def require(self, ids: Sequence[str]) -> None:
        """Refuse ids that are not there.

        Raises
        ------
        CollectionError
            For an id that is not there, with the closest one that is.
        """

    @abstractmethod
    def matching(self, filters: Sequence[Filter]) -> list[str]:
        """Return the ids of the items that satisfy every filter, in the order of the items.

        Raises
        ------
        QueryError
            When there is none, with the filter that no item satisfies.
        """

    @abstractmethod
    def labels_and_fields(self, limit: int) -> Iterator[tuple[str | None, Mapping[str, str]]]:
        """Read the label and the other fields of the first items, at most `limit`; see `filters.fields_of`."""

    @abstractmethod
    def _first_ids(self, limit: int) -> list[str]:
        """Return the ids of the first items, at most `limit`."""

    def _require_present(self, ids: Sequence[str], present: Container[str]) -> None:
        """Refuse ids that are not among those that were found."""
        missing = [id for id in ids if id not in present]
        if missing:
            more = f" (and {len(missing) - 1:,} more)" if len(missing) > 1 else ""
            raise CollectionError(f"the collection holds no item '{missing[0]}'{more}; {self._suggestion(missing[0])}")

    def _suggestion(self, id: str) -> str:
        known = self._first_ids(COMPARED_IDS)
        close = (
            [] if id.isdigit() or len(id) > COMPARED_LETTERS else difflib.get_close_matches(id, known, n=1)
        )  # a similar number is no likely id
        if close:
            return f"did you mean '{close[0]}'?"
        return f"its ids are like '{known[0]}'" if known else "it is empty"
