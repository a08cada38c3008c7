"""A collection by its folder, wherever its items lie."""

from __future__ import annotations

from pathlib import Path

from encoders.codes import Modality
from retrieval.collection import Collection
from retrieval.corpora.base import Corpus, OnBad, raise_bad
from retrieval.generations import Generations
from retrieval.manifest import Manifest


def open_collection(folder: str | Path) -> Collection:
    """Open a collection: one that lies in the folder, or one in Elasticsearch.

    Raises
    ------
    CollectionError, ArtifactError
        When there is none, or it is damaged, foreign, or of a newer format.
    ServerError
        When its server cannot be reached.
    """
    present = Generations(Path(folder)).current()
    if present is None or not Manifest.read(present).server:
        return Collection(folder)
    from retrieval.served.collection import ServedCollection

    return ServedCollection(folder)


def open_addition(collection: Collection, address: str, on_bad: OnBad = raise_bad) -> Corpus:
    """Open a corpus whose items are to join a collection: its pictures are brought to the size of those there.

    Raises
    ------
    NearbyError
        As of `open_corpus`.
    """
    from retrieval.corpora.images import Images
    from retrieval.corpora.registry import open_corpus

    corpus = open_corpus(address, on_bad=on_bad)
    if isinstance(corpus, Images) and collection.items.modality is Modality.IMAGE:
        corpus.treat_as(next(iter(collection.items)).content, collection.manifest.corpus)
    return corpus
