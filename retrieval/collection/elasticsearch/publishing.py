"""Writing the folder of a collection on a server: encoders, queries, judgements, and the address of the items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from encoders.atomic_write import remove_at_once
from encoders.codes import Modality
from retrieval.collection.elasticsearch.bulk_load import Cost
from retrieval.collection.elasticsearch.collection import ServedCollection
from retrieval.collection.elasticsearch.manifest import IndexManifest
from retrieval.collection.elasticsearch.swap import Build
from retrieval.collection.generations import WORK, Generations, link_tree
from retrieval.collection.item_draft import ItemDraft
from retrieval.collection.manifest import ITEMS, Manifest
from retrieval.collection.segments import SPACES
from retrieval.corpora.base import Corpus, Item, Qrels
from retrieval.spaces.saved_space import ENCODER


def published(folder: Path, corpus: Corpus | None, build: Build, costs: Sequence[Cost]) -> ServedCollection:
    """Write the folder of a collection after its index is served, and open it."""
    generations = Generations(folder)
    with generations.draft() as draft:
        ItemDraft.create(draft / ITEMS, QueriesOnly(build.meta, corpus)).close()
        described = str(build.description)
        records = [space.record(described, cost) for space, cost in zip(build.spaces, costs, strict=True)]
        for space, record in zip(build.spaces, records, strict=True):
            link_tree(space.folder, draft / SPACES / record.folder / ENCODER)
        Manifest(
            build.meta.corpus,
            build.meta.modality,
            build.admin.count(build.index),
            build.meta.items,
            {record.spec: record for record in records},
            described,
            build.index,
            build.meta.identity,
        ).write(draft)
    remove_at_once(folder / WORK)
    return ServedCollection(folder)


class QueriesOnly(Corpus):
    """The queries and judgements of a corpus, without its items."""

    def __init__(self, meta: IndexManifest, corpus: Corpus | None) -> None:
        self.name, self.modality = meta.corpus, Modality(meta.modality)
        self._corpus = corpus

    def __iter__(self) -> Iterator[Item]:
        return iter(())

    def queries(self) -> Iterator[Item]:
        """Read the queries."""
        return iter(()) if self._corpus is None else self._corpus.queries()

    def qrels(self) -> Qrels | None:
        """Return the judgements."""
        return None if self._corpus is None else self._corpus.qrels()

    @property
    def queries_are_items(self) -> bool:
        """True when queries are items of the corpus, or the corpus is unknown."""
        return self._corpus is None or self._corpus.queries_are_items
