"""The base of every corpus that nearby reads itself: it is never empty, and its items are its queries by default."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from encoders.errors import CorpusError
from encoders.options import option
from retrieval.corpora.base import Corpus, Item, OnBad, raise_bad


class Source(Corpus):
    """A corpus whose items are its queries, unless a subclass has others; an empty one is an error."""

    @abstractmethod
    def items(self) -> Iterator[Item]:
        """Read the items from the beginning."""

    def __iter__(self) -> Iterator[Item]:
        empty = True
        for item in self.items():
            empty = False
            yield item
        if empty:
            raise CorpusError(f"the corpus '{self.name}' holds no items")

    def queries(self) -> Iterator[Item]:
        """Read the items again, as queries."""
        return iter(self)

    @property
    def queries_are_items(self) -> bool:
        """True: the queries are the items."""
        return True


@dataclass(eq=False)
class FileSource(Source):
    """A corpus in one file or folder, which may be compressed."""

    path: Path
    name: str
    on_bad: OnBad = raise_bad
    max_bytes: int | None = option(
        None,
        "Largest number of bytes that a compressed file may decompress to (default: 200 times its size).",
        ge=1,
        kw_only=True,
    )
