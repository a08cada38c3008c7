"""Facts about a collection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from encoders.codes import Modality
from retrieval.spaces.saved_space import SpaceRecord


@dataclass(frozen=True)
class CollectionInfo:
    """Facts about a collection.

    Attributes
    ----------
    folder : Path
    generation : int
        Number of the folder's generation.
    corpus : str
        Name or path of the corpus that it was made from.
    modality : Modality
    items : int
        Number of items.
    digest : str
        SHA-256 of the items in their order.
    bytes : int
        Size on disk; of an index on a server, one copy.
    server : str
        Description of the index on a server that holds the items; empty if the folder holds them.
    spaces : tuple of SpaceRecord
    unfinished : tuple of str
        Specs of spaces whose fit was interrupted; indexing them again resumes it.
    segments : int
        Number of parts that the items are in; those that are added later are in parts of their own. 1 on a server.
    removed : int
        Number of removed items that are still on disk; `Collection.compact` drops them. 0 on a server.
    """

    folder: Path
    generation: int
    corpus: str
    modality: Modality
    items: int
    digest: str
    bytes: int
    server: str
    spaces: tuple[SpaceRecord, ...]
    unfinished: tuple[str, ...]
    segments: int = 1
    removed: int = 0
