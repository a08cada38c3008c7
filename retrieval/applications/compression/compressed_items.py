"""The items of a ``.nby`` file: one by one, in order, or by id; each chunk is decoded when it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from encoders.codes import Modality
from encoders.errors import QueryError
from encoders.numbers import is_whole, read_whole
from retrieval.applications.compression.item_ids import read_ids
from retrieval.applications.compression.methods import ItemDecoder, open_decoder
from retrieval.applications.compression.nby_file import DamagedChunkError, Header
from retrieval.applications.compression.nby_reader import NbyReader, open_reader


class DecodedItem(NamedTuple):
    """A decoded item: its position and id, and a picture, sound or vector."""

    position: int
    id: str
    content: Any


class CompressedItems:
    """An open ``.nby`` file.

    Attributes
    ----------
    reader : NbyReader
    damaged : list of DamagedChunkError
        The chunks that could not be read by `read`, so far.

    Examples
    --------
    See `retrieval.applications.compression.compress.compress`.
    """

    def __init__(self, path: str | Path, encoder: str | Path | None = None) -> None:
        self._opening = open_reader(Path(path))
        self.reader: NbyReader = self._opening.__enter__()
        self._encoder = None if encoder is None else Path(encoder)
        self._decoder: ItemDecoder | None = None
        self._last: tuple[int, Any, list[str]] | None = None
        self.damaged: list[DamagedChunkError] = []
        self._noted: set[str] = set()

    @property
    def header(self) -> Header:
        """What the file says about itself."""
        return self.reader.header

    @property
    def decoder(self) -> ItemDecoder:
        """What decodes the items; opened when it is first needed."""
        if self._decoder is None:
            self._decoder = open_decoder(self.reader, self._encoder)
        return self._decoder

    @property
    def modality(self) -> Modality:
        """What the items are."""
        return self.decoder.modality

    def __len__(self) -> int:
        return self.header.items

    def __getitem__(self, position: int) -> DecodedItem:
        """Return one item; only its chunk is read.

        Raises
        ------
        QueryError
            When there is no such position.
        DamagedChunkError
            When its chunk is damaged.
        """
        if not 0 <= position < len(self):
            raise QueryError(f"{self.reader.path} has {len(self):,} items, numbered from 0: there is no {position:,}")
        chunk, row = divmod(position, self.header.items_per_chunk)
        contents, ids = self._chunk(chunk)
        return DecodedItem(position, ids[row], contents[row])

    def _chunk(self, chunk: int) -> tuple[Any, list[str]]:
        if self._last is None or self._last[0] != chunk:
            self._last = (chunk, self.decoder.decode(self.reader, chunk), self._ids(chunk))
        return self._last[1:]

    def _ids(self, chunk: int) -> list[str]:
        """Return the ids of a chunk; positions where they are damaged, which is noted."""
        try:
            return read_ids(self.reader, chunk)
        except DamagedChunkError as error:
            self._note(error)
            return [str(position) for position in self.header.items_of(chunk)]

    def _note(self, error: DamagedChunkError) -> None:
        if str(error) not in self._noted:
            self._noted.add(str(error))
            self.damaged.append(error)

    def ids(self) -> Iterator[str]:
        """Yield the ids in order; only they are read."""
        for chunk in range(self.header.chunks):
            yield from self._ids(chunk)

    def __iter__(self) -> Iterator[DecodedItem]:
        """Decode all items in order, a chunk at a time.

        Raises
        ------
        DamagedChunkError
            At the first damaged chunk; `read` continues behind it.
        """
        for position in range(len(self)):
            yield self[position]

    def read(self, positions: Sequence[int] | None = None) -> Iterator[DecodedItem]:
        """Decode the items at these positions, in their order, or all; those of damaged chunks are left out.

        The errors are afterwards in `damaged`.
        """
        lost: set[int] = set()
        for position in range(len(self)) if positions is None else positions:
            chunk = position // self.header.items_per_chunk
            if chunk in lost:
                continue
            try:
                item = self[position]
            except DamagedChunkError as error:
                self._note(error)
                lost.add(chunk)
                continue
            yield item

    def position(self, text: str) -> int:
        """Return the position of an item: ``@id``, or its number from 0.

        Raises
        ------
        QueryError
            When there is none.
        """
        if not text.startswith("@"):
            if not is_whole(text, 0, None):
                raise QueryError(f"an item is named by its number from 0 or by @id, got '{text}'")
            if read_whole(text) >= len(self):
                raise QueryError(f"{self.reader.path} has {len(self):,} items, numbered from 0: there is no {text}")
            return read_whole(text)
        for position, id in enumerate(self.ids()):
            if id == text[1:]:
                return position
        raise QueryError(f"{self.reader.path} has no item with the id '{text[1:]}'; --list shows the ids")

    def close(self) -> None:
        """Close the file."""
        self._opening.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
