"""A collection by its folder, wherever its items lie."""

from __future__ import annotations

from pathlib import Path

from retrieval.collection import Collection
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
    pin = Generations(Path(folder)).pinned()
    if pin is None or not Manifest.read(pin.folder).server:
        return Collection(folder)
    from retrieval.served.collection import ServedCollection

    return ServedCollection(folder)
