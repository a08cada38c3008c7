"""What every method of compression does to make a file: fit the encoder, store it, count the items, write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders.base import Encoder
from encoders.errors import OptionError
from encoders.progress import ProgressCallback
from retrieval.applications.compression.encoder_section import SECTION, packed
from retrieval.applications.compression.nby_file import MAX_DECODED_BYTES
from retrieval.applications.compression.nby_reader import open_reader
from retrieval.applications.compression.nby_writer import NbyWriter, open_writer
from retrieval.corpora.base import Corpus, Item, item_bytes
from retrieval.spaces.fit import fitted

ITEMS_PER_CHUNK = 256
#: Bytes of a decoded value in memory, as float32.
DECODED_BYTES = 4


@dataclass(frozen=True)
class FileOptions:
    """How a file is made.

    Attributes
    ----------
    embed : bool
        Whether the file holds the encoder, or only its digest: decoding then needs the folder of the saved encoder.
    items_per_chunk : int
        How many items are read together; also what damage of one byte loses.
    fresh : bool
        Replace an existing file.
    """

    embed: bool = True
    items_per_chunk: int = ITEMS_PER_CHUNK
    fresh: bool = False


@dataclass(frozen=True, kw_only=True)
class CompressedFile:
    """A file that was written.

    Attributes
    ----------
    path : Path
    items : int
    parts : dict of str to int
        Bytes of each part of the file; their sum is its size. Empty for a pipe, which cannot be read again.
    encoder : str
    seconds : float
        To encode, code and write all items, without fitting anything.
    """

    path: Path
    items: int
    parts: dict[str, int]
    encoder: str
    seconds: float

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return sum(self.parts.values())

    @property
    def once(self) -> int:
        """Bytes that do not grow with the items: encoder, tables and header."""
        return self.size - self.parts.get("items", 0) - self.parts.get("ids", 0)

    @property
    def bytes_per_item(self) -> float:
        """Mean bytes of an item: its chunk and its part of the chunk table, without encoder, tables and ids."""
        return self.parts.get("items", 0) / self.items

    def to_json(self) -> dict[str, Any]:
        """Return what all files have as JSON values."""
        return {
            "file": str(self.path),
            "items": self.items,
            "bytes": self.size,
            "bytes_per_item": self.bytes_per_item,
            "parts": self.parts,
            "space": self.encoder,
            "seconds": self.seconds,
        }


def require_small_chunks(corpus: Corpus, items_per_chunk: int) -> None:
    """Refuse chunks that would not fit into memory when they are decoded, before anything is fitted.

    Raises
    ------
    OptionError
    """
    first = next(iter(corpus), None)
    if first is not None:
        require_room(DECODED_BYTES * item_bytes(first), items_per_chunk, "items")


def require_room(size: int, items_per_chunk: int, what: str) -> None:
    """Refuse chunks of items, or codes, of `size` bytes each that would not fit into memory together.

    Raises
    ------
    OptionError
    """
    if size * items_per_chunk > MAX_DECODED_BYTES:
        raise OptionError(
            f"{items_per_chunk:,} {what} of this size need {size * items_per_chunk / 2**30:.1f} GiB when they are "
            f"decoded together: lower --chunk to {max(1, MAX_DECODED_BYTES // size):,} or less"
        )


def fit_unless_fitted(encoder: Encoder, corpus: Corpus, say: ProgressCallback) -> None:
    """Fit an encoder on the items that are to be compressed, unless it was fitted before."""
    if not encoder.__sklearn_is_fitted__():
        say(f"fitting {encoder}")
        fitted(encoder, corpus.batches_for(encoder))


def write_file(
    corpus: Corpus,
    encoder: Encoder,
    path: Path,
    method: str,
    options: FileOptions,
    write: Callable[[NbyWriter, Iterable[Item]], None],
    see: Callable[[Item], None],
) -> CompressedFile:
    """Write a file by a method.

    Parameters
    ----------
    corpus : Corpus
    encoder : Encoder
        Fitted.
    path : Path
    method : str
        Name in the header.
    options : FileOptions
    write : callable
        Adds sections and chunks of the items to the writer, and what it must know to the description.
    see : callable
        Called with each item as it is read.

    Raises
    ------
    OptionError
        When the file exists.
    ArtifactError
        When it cannot be written.
    """

    def seen() -> Iterator[Item]:
        for item in corpus:
            see(item)
            yield item

    started = time.perf_counter()
    with open_writer(path, method, options.items_per_chunk, options.fresh) as writer:
        section, identity = packed(encoder)
        if options.embed:
            writer.add_section(SECTION, section)
        writer.description = {"corpus": corpus.name, "encoder": identity, "space": encoder.space.to_json()}
        write(writer, seen())
    seconds = time.perf_counter() - started
    return CompressedFile(path=path, items=writer.items, parts=_parts(path), encoder=str(encoder), seconds=seconds)


def _parts(path: Path) -> dict[str, int]:
    if not path.is_file():
        return {}
    with open_reader(path) as reader:
        return reader.parts
