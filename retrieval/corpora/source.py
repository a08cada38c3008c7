"""What every corpus that nearby reads itself has in common: it is never empty, and can query itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from encoders.errors import CorpusError
from encoders.options import option
from retrieval.corpora.base import Corpus, Item


class Source(Corpus):
    """A corpus that is queried by its own items, unless a subclass has queries, and refuses to be empty."""

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


@dataclass(eq=False, kw_only=True)
class FileSource(Source):
    """A corpus in files that may be compressed, and then give `max_bytes` at most."""

    max_bytes: int | None = option(
        None, "bytes that a compressed file may decompress to (default: 200 times its size)", ge=1
    )
