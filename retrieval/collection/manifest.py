"""The manifest of a generation of a collection: its items, its spaces, and the digests that tie them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from encoders.artifact import MANIFEST, check_format, check_seal, library_versions, read_json, sealed
from encoders.atomic_write import write_json
from encoders.checksums import check_file, file_sums
from encoders.codes import Modality, whole_number
from encoders.errors import ArtifactError, one_line
from retrieval.collection.items import CollectionItems
from retrieval.collection.segment_record import SegmentRecord, segments_digest, segments_from_json
from retrieval.collection.vector_file import VECTORS
from retrieval.spaces.saved_space import SpaceRecord, checked_name

#: Several formats, so that an older nearby, which knows only local collections in one piece, does not call a served
#: one, one in segments, or one with a file of vectors damaged.
FORMAT, SERVED_FORMAT, SEGMENTED_FORMAT, VECTORS_FORMAT = 1, 2, 3, 4
KIND = "a collection"
_MAX_ITEMS = 2**62
ITEMS = "items.sqlite"


@dataclass(frozen=True)
class Manifest:
    """The manifest: name of the corpus, number and digest of the items, and spaces by spec.

    `server` is the address of the Elasticsearch index that holds items and codes, empty if the folder holds them;
    `index` is the name of that index (not its alias), `identity` that of the collection that made it. `files` holds
    the checksums of files that do not belong to a space.

    A local collection is in one piece, or in `segments`: then `items` is a digest over those of the segments, and
    `files` is empty. `unjudged` are ids of removed items whose judgements are still in the file of the items.
    """

    corpus: str
    modality: Modality
    count: int
    items: str
    spaces: dict[str, SpaceRecord]
    server: str = ""
    index: str = ""
    identity: str = ""
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    segments: tuple[SegmentRecord, ...] = ()
    unjudged: tuple[str, ...] = ()

    @classmethod
    def of(cls, store: CollectionItems, records: Iterable[SpaceRecord]) -> Manifest:
        """Describe stored items and the spaces that hold them."""
        spaces = {record.spec: record for record in records}
        return cls(store.name, store.modality, store.size, store.digest(), spaces)

    def with_space(self, record: SpaceRecord) -> Manifest:
        """Return the manifest of the same items, whose files are unchanged, with one more space."""
        return replace(self, spaces={**self.spaces, record.spec: record})

    def in_segments(
        self, segments: Sequence[SegmentRecord], unjudged: Sequence[str], records: Iterable[SpaceRecord]
    ) -> Manifest:
        """Return the manifest of the same corpus with other segments."""
        return replace(
            self,
            count=sum(one.count - one.removed for one in segments),
            items=segments_digest(segments),
            spaces={record.spec: record for record in records},
            files={},
            segments=tuple(segments),
            unjudged=tuple(sorted(unjudged)),
        )

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
        check_format(value, KIND, path, VECTORS_FORMAT)
        try:
            records = [SpaceRecord.from_json(record) for record in value["spaces"]]
            spaces = {record.spec: record for record in records}
            manifest = cls(
                str(value["corpus"]),
                Modality(value["modality"]),
                whole_number(value["count"], _MAX_ITEMS),
                str(value["items"]),
                spaces,
                str(value.get("server", "")),
                str(value.get("index", "")),
                str(value.get("identity", "")),
                {checked_name(name): dict(known) for name, known in value.get("files", {}).items()},
                segments_from_json(value.get("segments", ()), value["count"]),
                tuple(map(str, value.get("unjudged", ()))),
            )
        except KeyError as error:
            raise ArtifactError(f"{path} is corrupt: it has no {error}") from None
        except (AttributeError, TypeError, ValueError, ArithmeticError) as error:
            raise ArtifactError(f"{path} is corrupt: {one_line(error)}") from None
        check_seal(value, path)
        return manifest

    def check_items(self, generation: Path, whole: bool = False) -> None:
        """Compare the files of the items with their checksums: some of their blocks, or the `whole` files.

        Raises
        ------
        ArtifactError
            When it is damaged. Collections of an older nearby have no checksums.
        """
        try:
            for path, known in self.item_files(generation):
                if known:
                    check_file(path, known, whole)
        except OSError as error:
            raise ArtifactError(
                f"{error.filename or generation / ITEMS} cannot be read: {error.strerror or error}"
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"{generation / MANIFEST} is corrupt: {type(error).__name__} {error}") from error

    def item_files(self, generation: Path) -> list[tuple[Path, dict[str, Any]]]:
        """Return the files of the items, and what `file_sums` returned for each; an older nearby kept no checksums."""
        owners = [(Path(one.folder), one.files) for one in self.segments] or [(Path(), self.files)]
        without: dict[str, dict[str, Any]] = {ITEMS: {}}
        return [
            (generation / folder / name, known) for folder, files in owners for name, known in (without | files).items()
        ]

    def write(self, generation: Path) -> None:
        """Write the manifest of a generation, as the last file: it holds the checksums of the items."""
        value: dict[str, Any] = {
            "nearby": KIND,
            "format": FORMAT,
            "corpus": self.corpus,
            "modality": str(self.modality),
            "count": self.count,
            "items": self.items,
            "spaces": [asdict(record) for record in self.spaces.values()],
            "versions": library_versions(),
        }
        if self.segments:
            segments = [asdict(one) for one in self.segments]
            value |= {"format": SEGMENTED_FORMAT, "segments": segments, "unjudged": list(self.unjudged)}
        else:
            value["files"] = self.files or item_sums(generation)
        files = [value.get("files", {}), *(one.files for one in self.segments)]
        if any(VECTORS in names for names in files):
            value["format"] = VECTORS_FORMAT
        if self.server:
            value |= {"format": SERVED_FORMAT, "server": self.server, "index": self.index, "identity": self.identity}
        write_json(generation / MANIFEST, sealed(value))


def item_sums(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the checksums of the files of items in the folder of a segment, by name."""
    return {name: file_sums(folder / name) for name in (ITEMS, VECTORS) if (folder / name).is_file()}
