"""The manifest of a collection on a server, in the ``_meta`` of its mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from encoders.codes import Modality, Space
from encoders.errors import CollectionError, ServerError
from indexers.elasticsearch.index_admin import MADE_BY
from indexers.elasticsearch.ownership import COLLECTION, IDENTITY

#: Since format 2, items have columns and numbers to filter by; see `document.document_of`.
FORMAT = 2


@dataclass(frozen=True)
class FieldRecord:
    """One space: its spec, its field, and the digest of its encoder."""

    spec: str
    field: str
    encoder_digest: str
    space: dict[str, Any]


@dataclass(frozen=True)
class IndexManifest:
    """The manifest of a collection on a server.

    Attributes
    ----------
    corpus : str
        Name of the corpus.
    modality : Modality
    spaces : tuple of FieldRecord
    items : str
        Digest of the items, in their order; empty once they were changed.
    shards : int
        Number of shards of the load; 0 for a load without shards.
    identity : str
        Of the collection that made it; empty if an older nearby made the index.
    count : int
        Number of items, counted before it was served; -1: not counted, or changed since then.
    checksum : str
        Of these items and their positions; see `retrieval.collection.elasticsearch.checksum`.
    format : int
        The format of its documents.
    """

    corpus: str
    modality: Modality
    spaces: tuple[FieldRecord, ...]
    items: str = ""
    shards: int = 0
    identity: str = ""
    count: int = -1
    checksum: str = ""
    format: int = FORMAT

    @classmethod
    def read(cls, value: dict[str, Any], index: str) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        ServerError
            When it is not a collection, or written by a newer nearby.
        """
        if value.get(MADE_BY) != COLLECTION:
            raise ServerError(f"'{index}' is not a collection: index the corpus under another name")
        if value.get("format") not in (1, FORMAT):
            raise ServerError(
                f"'{index}' was written by a newer nearby (format {value.get('format')}): use that version"
            )
        try:
            spaces = tuple(FieldRecord(**record) for record in value["spaces"])
            for record in spaces:
                Space.from_json(record.space)
            modality = Modality(value["modality"])
            return cls(
                str(value["corpus"]),
                modality,
                spaces,
                str(value["items"]),
                int(value["parts"]),
                str(value.get(IDENTITY, "")),
                int(value.get("count", -1)),
                str(value.get("checksum", "")),
                int(value["format"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ServerError(f"the description of '{index}' is damaged ({error}): index the corpus again") from None

    def to_json(self) -> dict[str, Any]:
        """Return the value of ``_meta``."""
        return {
            MADE_BY: COLLECTION,
            "format": self.format,
            "corpus": self.corpus,
            "modality": str(self.modality),
            "spaces": [asdict(record) for record in self.spaces],
            "items": self.items,
            "parts": self.shards,
            IDENTITY: self.identity,
            "count": self.count,
            "checksum": self.checksum,
        }

    def digests(self) -> dict[str, str]:
        """Return the digest of each space's encoder."""
        return {record.spec: record.encoder_digest for record in self.spaces}

    @property
    def is_old(self) -> bool:
        """Whether an older nearby loaded the items, whose documents have other fields."""
        return self.format < FORMAT

    def require_new(self) -> None:
        """Refuse to add documents to those of an older nearby.

        Raises
        ------
        CollectionError
        """
        if self.is_old:
            raise CollectionError("an older nearby loaded this collection: index the corpus again with --rebuild")

    def changed(self) -> IndexManifest:
        """Return the same after items were added or removed."""
        return replace(self, items="", count=-1, checksum="")


def field_records(spaces: Sequence[tuple[str, str, Space]]) -> tuple[FieldRecord, ...]:
    """Return the records of spaces, given as spec, digest of the encoder, space."""
    return tuple(
        FieldRecord(spec, f"s{number}", digest, space.to_json()) for number, (spec, digest, space) in enumerate(spaces)
    )
