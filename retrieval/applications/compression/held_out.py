"""Which items spaces are fitted on, and which others are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from encoders.codes import Modality
from encoders.errors import CorpusError
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.sample import draw

SAMPLE = 1000
#: Of a corpus without queries, one item in this number is held out.
HELD_OUT = 5


class Some(Corpus):
    """The items of a corpus at chosen positions."""

    def __init__(self, corpus: Corpus, chosen: Callable[[int], bool]) -> None:
        self._corpus, self._chosen = corpus, chosen
        self.name, self.modality = corpus.name, corpus.modality

    def __iter__(self) -> Iterator[Item]:
        return (item for position, item in enumerate(self._corpus) if self._chosen(position))


class Listed(Corpus):
    """Items in memory."""

    def __init__(self, name: str, modality: Modality, items: list[Item]) -> None:
        self.name, self.modality, self._items = name, modality, items

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self._items)


def held_out_split(corpus: Corpus, sample: int = SAMPLE, seed: int = 0) -> tuple[Corpus, Listed, str]:
    """Return items to fit on, other items to measure, and a phrase that says which.

    The queries of a corpus if it has its own, else every fifth item.

    Raises
    ------
    CorpusError
        When the corpus does not hold pictures, or too few.
    """
    if corpus.modality is not Modality.IMAGE:
        raise CorpusError(f"'{corpus.name}' holds {corpus.modality}s: a compression curve is measured on pictures")
    queries = [] if corpus.queries_are_items else draw(corpus.queries(), sample, seed)
    if queries:
        return corpus, Listed(corpus.name, corpus.modality, queries), "its queries, which no space was fitted on"
    chosen = draw(Some(corpus, lambda position: position % HELD_OUT == HELD_OUT - 1), sample, seed)
    if not chosen:
        raise CorpusError(f"'{corpus.name}' has fewer than {HELD_OUT} items, so none can be held out")
    rest = Some(corpus, lambda position: position % HELD_OUT != HELD_OUT - 1)
    return rest, Listed(corpus.name, corpus.modality, chosen), f"every {HELD_OUT}th item, which no space was fitted on"
