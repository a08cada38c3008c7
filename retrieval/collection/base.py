"""The contract of every collection, on disk and on a server: items and spaces that are searched and changed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from encoders.base import Encoder
from encoders.codes import Codes
from encoders.errors import CollectionError, OptionError, UnknownNameError
from encoders.progress import ProgressCallback, quiet
from indexers.base import Hit, Index
from retrieval.collection.filters import SAMPLE, Filter, FilterField, filter_fields
from retrieval.collection.generations import Generations
from retrieval.collection.info import CollectionInfo
from retrieval.collection.items import Change, CollectionItems
from retrieval.collection.manifest import Manifest
from retrieval.corpora.base import Item
from retrieval.spaces.saved_space import SpaceRecord
from retrieval.spaces.space_encoder import encoder_of

if TYPE_CHECKING:
    from retrieval.collection.elasticsearch.cleanup import Indexes

T = TypeVar("T")


@dataclass
class OpenSpace:
    """A space that can be searched: its record in the manifest, its encoder and its index."""

    record: SpaceRecord
    encoder: Encoder
    index: Index


class Collection(ABC):
    """Items, and spaces that hold a code of each of them; `retrieval.collection.open` opens one.

    Every operation does the same wherever the items are. An operation that changes the collection returns it as it is
    then: go on with what it returns, since the collection that it was called on may show either state.

    Attributes
    ----------
    folder : Path
        The folder that the collection is opened by.
    manifest : Manifest
        The record of the collection in its folder.
    items : CollectionItems
        The items, a corpus.
    spaces : mapping of str to SpaceRecord
        The spaces by their full specs.
    """

    folder: Path
    manifest: Manifest
    items: CollectionItems
    spaces: Mapping[str, SpaceRecord]
    _open: dict[str, OpenSpace]
    #: Encoders of an older generation, by their digests: they need not be read again.
    _read_before: dict[str, Encoder]

    # -- reading -----------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def generation(self) -> int:
        """The number of the folder's generation that is read."""

    def is_current(self) -> bool:
        """Return whether the folder still has the generation that is read; another process may have replaced it."""
        present = Generations(self.folder).current()
        return present is not None and int(present.name) == self.generation

    def take_over(self, before: Collection) -> None:
        """Use what an older generation of this collection has open and this one has too; `before` is closed.

        An encoder whose digest is the same is not read again, nor is an index on disk that did not change.
        """
        digests = {record.encoder_digest for record in self.spaces.values()}
        read = {opened.record.encoder_digest: opened.encoder for opened in before._open.values()}
        both = {**before._read_before, **read}
        self._read_before = {digest: encoder for digest, encoder in both.items() if digest in digests}
        for spec, record in self.spaces.items():
            opened = before._open.get(spec)
            if spec in self._open or opened is None or opened.record.encoder_digest != record.encoder_digest:
                continue
            index = self._kept_index(record, opened)
            if index is not None:
                self._open[spec] = OpenSpace(record, opened.encoder, index)
                del before._open[spec]  # closing the other collection would close its index
        before.close()

    @abstractmethod
    def _kept_index(self, record: SpaceRecord, opened: OpenSpace) -> Index | None:
        """Return the index of a space made from the one that an older generation has open; None if it is another."""

    def _encoder(self, record: SpaceRecord, folder: Path) -> Encoder:
        """Return the encoder of a space, read from a folder unless an older generation had read it."""
        known = self._read_before.get(record.encoder_digest)
        return Encoder.load(folder) if known is None else known

    @property
    @abstractmethod
    def items_digest(self) -> str:
        """SHA-256 of the items in their order; see `item_record.items_digest`."""

    def info(self) -> CollectionInfo:
        """Return what the collection holds, and its size."""
        return CollectionInfo(
            folder=self.folder,
            generation=self.generation,
            corpus=self.manifest.corpus,
            modality=self.manifest.modality,
            items=self.items.size,
            digest=self.items_digest,
            bytes=self._bytes(),
            server=self.manifest.server,
            spaces=tuple(self.spaces.values()),
            unfinished=tuple(spec for spec in self._unfinished() if spec not in self.spaces),
            segments=max(1, len(self.manifest.segments)),
            removed=sum(one.removed for one in self.manifest.segments),
        )

    def filters(self) -> list[FilterField]:
        """Return the fields and values by which `search` can filter, as the first 10,000 items have them."""
        return filter_fields(self.items.labels_and_fields(SAMPLE))

    def server_indexes(self) -> Indexes | None:
        """Return the indexes at the collection's address on a server, stale ones too; None when it is on disk."""
        return None

    @abstractmethod
    def _bytes(self) -> int:
        """Return the size of the folder, with one copy of an index on a server."""

    @abstractmethod
    def _unfinished(self) -> tuple[str, ...]:
        """Return the specs of spaces whose fit was interrupted and can be resumed."""

    @abstractmethod
    def space(self, spec: str) -> OpenSpace:
        """Open a space.

        Raises
        ------
        UnknownNameError
            When the collection has no such space.
        ArtifactError
            When encoder, index and manifest do not belong together.
        """

    @abstractmethod
    def codes_of(self, spec: str) -> Index:
        """Return an index that scores any item of a space exactly: the space's own, or the codes stored beside it.

        Raises
        ------
        UnknownNameError
            When the collection has no such space.
        ArtifactError
            When the codes do not belong to the index.
        """

    @abstractmethod
    def search(self, queries: Sequence[tuple[str, Codes]], k: int, filters: Sequence[Filter] = ()) -> list[list[Hit]]:
        """Return the best `k` hits in each space, best first.

        Parameters
        ----------
        queries : sequence of (str, codes)
            A space's spec, and the code of one query in that space.
        k : int
        filters : sequence of Filter, optional
            Only items that satisfy all filters are answers.

        Raises
        ------
        OptionError
            When `k` is not a positive whole number.
        UnknownNameError
            When the collection has no such space.
        QueryError
            When no item satisfies the filters.
        """

    @abstractmethod
    def read_consistently(self, read: Callable[[], T]) -> T:
        """Return the result of `read`, which calls this collection several times, in one state of the collection.

        `read` is called again if another process replaced the collection in between.
        """

    # -- changing ----------------------------------------------------------------------------------------------

    @abstractmethod
    def add_space(self, spec: str, index: str | None = None, say: ProgressCallback = quiet) -> Collection:
        """Fit an encoder on the items, unless `spec` names a fitted one, and index their codes.

        A fit that is interrupted resumes when the same space is added again.

        Parameters
        ----------
        spec : str
            A spec, or the folder of a fitted encoder.
        index : str, optional
            Description of the index; by default the one that suits the collection.
        say : callable, optional
            Called with messages about the progress.

        Raises
        ------
        SpecError, UnknownNameError, OptionError, UnsupportedSpaceError
            For a space or index that the collection cannot have.
        CollectionError
            For a space that exists, or when another process changes the collection at the same time.
        """

    @abstractmethod
    def put(self, items: Iterable[Item], say: ProgressCallback = quiet) -> tuple[Collection, Change]:
        """Add items, and replace items with the same id, in every space; a replaced item moves to the end.

        Raises
        ------
        CorpusError, BadItemError, DimensionError
            For an item that the collection or an encoder cannot take, or two items of one id.
        CollectionError
            When another process changes the collection at the same time.
        """

    @abstractmethod
    def delete(self, ids: Sequence[str], say: ProgressCallback = quiet) -> Collection:
        """Remove items and their judgements from the collection and every space; all or none.

        Raises
        ------
        CollectionError
            For an id that is not there, or when no item would remain.
        """

    @abstractmethod
    def compact(self, say: ProgressCallback = quiet) -> Collection:
        """Merge what was added later with the rest, and drop what was removed; answers stay the same.

        Adding and removing do this from time to time. A compact collection is the smallest and fastest.

        Raises
        ------
        CollectionError
            When another process changes the collection at the same time.
        """

    @abstractmethod
    def close(self) -> None:
        """Release files and connections; a second call does nothing."""

    # -- the same for every collection -------------------------------------------------------------------------

    def resolve(self, spec: str) -> str:
        """Return the full spec of a space, given the spec in any form, or a beginning that only one space has.

        Raises
        ------
        UnknownNameError
            With the closest space that the collection has.
        """
        if spec in self.spaces:
            return spec
        try:
            canonical = str(encoder_of(spec))
        except (UnknownNameError, OptionError):  # a wrong spec, so not a space of this collection
            canonical = spec
        if canonical in self.spaces:
            return canonical
        starting = [known for known in self.spaces if known.startswith((spec, canonical))]
        if len(starting) == 1:
            return str(starting[0])
        raise UnknownNameError("space", spec, self.spaces, where=f"in {self.folder}")

    def _require_new(self, encoder: Encoder) -> None:
        """Refuse to add a space that exists."""
        if str(encoder) in self.spaces:
            raise CollectionError(f"{self.folder} already has the space '{encoder}': add another space")

    def _require_some_left(self, ids: Sequence[str]) -> None:
        """Refuse to remove every item."""
        if len(set(ids)) >= self.items.size:
            raise CollectionError("this would remove every item: remove the collection itself instead")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
