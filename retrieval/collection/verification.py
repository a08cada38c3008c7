"""Verification: every byte of a collection is compared with its checksums, as ``nearby info --verify`` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from encoders.artifact import MANIFEST, STATE, VOCABULARY, check_encoder_files, check_seal, digest_of, read_json
from encoders.errors import ArtifactError, CollectionError, NearbyError
from encoders.numbers import counted
from indexers.folder import verify_index
from retrieval.collection.generations import Generations
from retrieval.collection.manifest import Manifest
from retrieval.collection.segments import SPACES, Segment, segments_of
from retrieval.spaces.saved_space import CODES, ENCODER, INDEX, SpaceRecord


@dataclass
class Verification:
    """The result of a verification.

    Attributes
    ----------
    folder : str
        The collection.
    files, bytes : int
        Number and size of the files that were read.
    damaged : list of str
        One sentence for each damaged file.
    """

    folder: str
    files: int = 0
    bytes: int = 0
    damaged: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"folder": self.folder, "files": self.files, "bytes": self.bytes, "damaged": self.damaged}

    def lines(self) -> list[str]:
        """Return it as lines."""
        text = "all as written" if not self.damaged else f"{counted(len(self.damaged), 'file')} damaged"
        return [f"{self.folder}: {counted(self.files, 'file')}, {self.bytes:,} bytes: {text}", *self.damaged]

    def require_whole(self) -> None:
        """Refuse a collection that is damaged.

        Raises
        ------
        ArtifactError
        """
        if self.damaged:
            raise ArtifactError(f"{self.folder} is damaged: index the corpus again in a new folder")

    def read(self, path: Path) -> None:
        """Count a file that was read."""
        self.files += 1
        self.bytes += path.stat().st_size

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record an error of the block and continue."""
        try:
            yield
        except NearbyError as error:
            self.damaged.append(str(error))
        except OSError as error:
            self.damaged.append(f"{error.filename} cannot be read: {error.strerror or error}")
        except (AttributeError, KeyError, TypeError, ValueError):
            self.damaged.append("a manifest is damaged: an entry is missing, or is not of its type")


def verify(folder: Path) -> Verification:
    """Read all files of the current generation of a collection; files on a server are not read.

    Raises
    ------
    CollectionError, ArtifactError
        When there is no collection, or its manifest cannot be read.
    """
    generations = Generations(folder)
    pin = generations.pinned()
    if pin is None:
        raise CollectionError(generations.why_none())
    manifest, verification = Manifest.read(pin.folder), Verification(str(folder))
    verification.read(pin.folder / MANIFEST)
    with verification.recording():
        _verify_items(pin.folder, manifest, verification)
    for record in manifest.spaces.values():
        with verification.recording():
            _verify_encoder(pin.folder / SPACES / Path(record.folder).name / ENCODER, record, verification)
        with suppress(ArtifactError):  # removed items that cannot be read are recorded with the items
            for segment in segments_of(pin.folder, manifest) if not manifest.server else ():
                _verify_indexes(segment, record, verification)
    return verification


def _verify_items(generation: Path, manifest: Manifest, verification: Verification) -> None:
    manifest.check_items(generation, whole=True)
    for segment in segments_of(generation, manifest):
        store = segment.all_items()
        try:
            for _ in store:  # each is compared with its checksum
                pass
            if not manifest.server and store.digest() != segment.record.items:
                raise ArtifactError(f"{segment.items} is damaged: its items are not those that {MANIFEST} names")
        finally:
            store.close()
    for path, _ in manifest.item_files(generation):
        verification.read(path)


def _verify_indexes(segment: Segment, record: SpaceRecord, verification: Verification) -> None:
    folder = segment.space_folder(record.folder)
    digest = segment.record.indexes.get(record.spec, "") if segment.record.folder else record.index_digest
    with verification.recording():
        _verify_index(folder / INDEX, digest, verification)
    if (folder / CODES).is_dir():
        with verification.recording():
            _verify_index(folder / CODES, None, verification)


def _verify_encoder(folder: Path, record: SpaceRecord, verification: Verification) -> None:
    manifest = read_json(folder / MANIFEST, "a saved encoder")
    check_seal(manifest, folder / MANIFEST)
    _require_digest(folder, record.encoder_digest)
    check_encoder_files(folder, manifest)
    for name in (MANIFEST, STATE, VOCABULARY):
        if (folder / name).exists():
            verification.read(folder / name)


def _verify_index(folder: Path, digest: str | None, verification: Verification) -> None:
    if digest is not None:
        _require_digest(folder, digest)
    for name in (MANIFEST, *verify_index(folder)):
        verification.read(folder / name)


def _require_digest(folder: Path, digest: str) -> None:
    if digest_of(folder / MANIFEST) != digest:
        raise ArtifactError(f"{folder / MANIFEST} is damaged: its checksum is not the one in the collection's manifest")
