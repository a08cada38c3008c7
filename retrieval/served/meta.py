"""What an index in Elasticsearch says of itself: the manifest of a collection, in the ``_meta`` of its mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from encoders.codes import Modality, Space
from encoders.errors import ServerError
from indexers.elasticsearch.site import MADE_BY

KIND = "a collection"
FORMAT = 1


@dataclass(frozen=True)
class FieldRecord:
    """One space: its spec, the field that holds it, the encoder that made its codes."""

    spec: str
    field: str
    encoder_digest: str
    space: dict[str, Any]


@dataclass(frozen=True)
class Meta:
    """A collection as its index describes it.

    Attributes
    ----------
    corpus : str
        What it was made of.
    modality : Modality
    spaces : tuple of FieldRecord
    items : str
        Digest of the items, in their order; empty once they were changed, or loaded in parts.
    parts : int
        In how many parts it is loaded; 1: at once.
    """

    corpus: str
    modality: Modality
    spaces: tuple[FieldRecord, ...]
    items: str = ""
    parts: int = 1

    @classmethod
    def read(cls, value: dict[str, Any], index: str) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        ServerError
            When it is no collection, or written by a later nearby.
        """
        if value.get(MADE_BY) != KIND:
            raise ServerError(f"'{index}' is no collection: index a corpus under another name")
        if value.get("format") != FORMAT:
            raise ServerError(f"'{index}' was written by a later nearby (format {value.get('format')}): use that one")
        try:
            spaces = tuple(FieldRecord(**record) for record in value["spaces"])
            for record in spaces:
                Space.from_json(record.space)
            modality = Modality(value["modality"])
            return cls(str(value["corpus"]), modality, spaces, str(value["items"]), int(value["parts"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ServerError(f"the description of '{index}' is damaged ({error}): index the corpus again") from None

    def to_json(self) -> dict[str, Any]:
        """Return the value of ``_meta``."""
        spaces = [asdict(record) for record in self.spaces]
        return {MADE_BY: KIND, "format": FORMAT, **asdict(self), "modality": str(self.modality), "spaces": spaces}

    def digests(self) -> dict[str, str]:
        """Return the digest of each space's encoder."""
        return {record.spec: record.encoder_digest for record in self.spaces}

    def changed(self) -> Meta:
        """Return the same after items were added or removed."""
        return replace(self, items="")


def field_records(spaces: Sequence[tuple[str, str, Space]]) -> tuple[FieldRecord, ...]:
    """Return the records of spaces, given as spec, digest of the encoder, space."""
    return tuple(
        FieldRecord(spec, f"s{number}", digest, space.to_json()) for number, (spec, digest, space) in enumerate(spaces)
    )
