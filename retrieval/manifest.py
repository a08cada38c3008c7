"""What a generation of a collection says of itself: its items, its spaces, and the digests that tie them together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from encoders.artifact import MANIFEST, check_format, library_versions, read_json, write_json
from encoders.codes import Modality, whole_number
from encoders.errors import ArtifactError, one_line
from retrieval.item_store import ItemStore
from retrieval.space_folder import SpaceRecord

#: A nearby that knows only local collections must not take a served one for a local one that is damaged.
FORMAT, SERVED_FORMAT = 1, 2
KIND = "a collection"
_MOST_ITEMS = 2**62


@dataclass(frozen=True)
class Manifest:
    """The corpus a collection was made of, how many items it holds, their digest, and its spaces by spec.

    `server` is the address of the Elasticsearch index that holds items and codes, empty where they lie in the folder;
    `index` is that index by its own name, `identity` says by which collection it was made.
    """

    corpus: str
    modality: Modality
    count: int
    items: str
    spaces: dict[str, SpaceRecord]
    server: str = ""
    index: str = ""
    identity: str = ""

    @classmethod
    def of(cls, store: ItemStore, records: Iterable[SpaceRecord]) -> Manifest:
        """Describe stored items and the spaces that hold them."""
        spaces = {record.spec: record for record in records}
        return cls(store.name, store.modality, store.size, store.digest(), spaces)

    @classmethod
    def read(cls, generation: Path) -> Manifest:
        """Read the manifest of a generation.

        Raises
        ------
        ArtifactError
            When it is missing, damaged, foreign, or of a newer format.
        """
        path = generation / MANIFEST
        value = read_json(path, KIND)
        check_format(value, KIND, path, SERVED_FORMAT)
        try:
            records = [SpaceRecord.from_json(record) for record in value["spaces"]]
            spaces = {record.spec: record for record in records}
            return cls(
                str(value["corpus"]),
                Modality(value["modality"]),
                whole_number(value["count"], _MOST_ITEMS),
                str(value["items"]),
                spaces,
                str(value.get("server", "")),
                str(value.get("index", "")),
                str(value.get("identity", "")),
            )
        except KeyError as error:
            raise ArtifactError(f"{path} is corrupt: it has no {error}") from None
        except (AttributeError, TypeError, ValueError, ArithmeticError) as error:
            raise ArtifactError(f"{path} is corrupt: {one_line(error)}") from None

    def write(self, generation: Path) -> None:
        """Write the manifest of a generation."""
        value = {
            "nearby": KIND,
            "format": FORMAT,
            "corpus": self.corpus,
            "modality": str(self.modality),
            "count": self.count,
            "items": self.items,
            "spaces": [asdict(record) for record in self.spaces.values()],
            "versions": library_versions(),
        }
        if self.server:
            value |= {"format": SERVED_FORMAT, "server": self.server, "index": self.index, "identity": self.identity}
        write_json(generation / MANIFEST, value)
