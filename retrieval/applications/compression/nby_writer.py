"""Writing of ``.nby`` files: chunks are spooled to disk as they come, so memory does not grow with the items."""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from encoders.checksums import sum_of
from encoders.errors import ArtifactError, OptionError
from retrieval.applications.compression.nby_file import (
    END_MAGIC,
    FOOTER,
    MAGIC,
    MAX_CHUNK_BYTES,
    MAX_HEADER_BYTES,
    MAX_ITEMS_PER_CHUNK,
    OPTIONAL,
    Header,
    Section,
    Stream,
)
from retrieval.applications.compression.nby_head import head_bytes
from retrieval.applications.compression.repair import repair_data
from retrieval.output import is_stream, writing


def require_new(path: Path, fresh: bool = False) -> None:
    """Refuse a path at which something is, before any work.

    Raises
    ------
    OptionError
        For a folder always, for a file unless `fresh` and it is a ``.nby``; a device or pipe is not a file.
    """
    if path.is_dir():
        raise OptionError(f"{path} is a folder: name a file, such as {path / 'items.nby'}")
    if path.is_file() and not _is_empty_or_ours(path):
        raise OptionError(f"{path} exists and was not written by 'nearby compress': name another file")
    if not fresh and os.path.lexists(path) and not is_stream(path):
        raise OptionError(f"{path} exists: replace it with --fresh, or name another file")


def _is_empty_or_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError:
        return False
    return not start or start == MAGIC


class NbyWriter:
    """Collects sections and chunks; `open_writer` makes one and writes the file."""

    def __init__(self, method: str, items_per_chunk: int, spools: ExitStack, folder: Path) -> None:
        if not 1 <= items_per_chunk <= MAX_ITEMS_PER_CHUNK:
            raise OptionError(f"a chunk has from 1 to {MAX_ITEMS_PER_CHUNK:,} items, not {items_per_chunk:,}")
        self.method, self.items_per_chunk = method, items_per_chunk
        #: JSON values that the method writes down; may be set until the file is written.
        self.description: dict[str, Any] = {}
        self.items = 0
        self._sections: dict[str, bytes] = {}
        self._data: dict[str, IO[bytes]] = {}
        self._tables: dict[str, IO[bytes]] = {}
        self._spools, self._folder = spools, folder

    def add_section(self, name: str, data: bytes) -> None:
        """Add a part that belongs to all items."""
        if name in self._sections:
            raise ValueError(f"section '{name}' is there already")
        self._sections[name] = data

    def add_chunk(self, parts: Mapping[str, bytes], items: int) -> None:
        """Add the next `items` items: the bytes of each stream.

        Parameters
        ----------
        parts : mapping
            The same streams for every chunk.
        items : int
            `items_per_chunk`, or fewer for the last chunk.

        Raises
        ------
        ArtifactError
            When a chunk is too large.
        """
        if self.items % self.items_per_chunk or not 1 <= items <= self.items_per_chunk:
            raise ValueError(f"a chunk of {items} items after {self.items} items")
        if self.items and parts.keys() != self._data.keys():
            raise ValueError(f"a chunk has the streams {sorted(parts)}, the others {sorted(self._data)}")
        for name, data in parts.items():
            if len(data) > MAX_CHUNK_BYTES:
                raise ArtifactError(f"a chunk has {len(data):,} bytes, more than a file can hold: take smaller chunks")
            if name not in self._data:
                self._data[name], self._tables[name] = self._spool(), self._spool()
            self._data[name].write(data)
            self._tables[name].write(struct.pack("<I", len(data)) + sum_of(data))
        self.items += items

    def _spool(self) -> IO[bytes]:
        return self._spools.enter_context(tempfile.TemporaryFile(dir=self._folder))

    def _write(self, file: IO[bytes]) -> None:
        kept = [name for name in self._data if name not in OPTIONAL or self._data[name].tell()]
        for name in kept:
            self._tables[name].seek(0)
        header = Header(
            self.method,
            self.items,
            self.items_per_chunk,
            tuple(Section(name, len(data), sum_of(data)) for name, data in self._sections.items()),
            tuple(Stream(name, self._data[name].tell(), sum_of(self._tables[name].read())) for name in kept),
            self.description,
        ).to_bytes()
        if len(header) > MAX_HEADER_BYTES:
            raise ArtifactError(f"the header would have {len(header):,} bytes, more than {MAX_HEADER_BYTES:,}")
        head, tables = head_bytes(header), [self._tables[name] for name in kept]
        file.write(head)
        for data in self._sections.values():
            file.write(data)
        for spool in [*tables, *(self._data[name] for name in kept)]:
            spool.seek(0)
            shutil.copyfileobj(spool, file)
        for data in self._sections.values():
            file.write(repair_data(data))
        for table in tables:
            table.seek(0)
            file.write(repair_data(table.read()))
        file.write(head + FOOTER.pack(len(head), END_MAGIC))


@contextmanager
def open_writer(path: Path, method: str, items_per_chunk: int = 256, fresh: bool = False) -> Iterator[NbyWriter]:
    """Yield a writer; the file appears at `path`, whole, when the block succeeds, and else not at all.

    Parameters
    ----------
    path : Path
        A new file, or a device or pipe.
    method : str
    items_per_chunk : int
        How many items are read, and lost by damage, together.
    fresh : bool
        Replace an existing file.

    Raises
    ------
    OptionError
        When `path` exists and is not to be replaced.
    ArtifactError
        When the file cannot be written; an existing one is unchanged.
    """
    require_new(path, fresh)
    try:
        with ExitStack() as spools:
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = NbyWriter(method, items_per_chunk, spools, _spool_folder(path))
            yield writer
            require_new(path, fresh)  # another program may have written it meanwhile
            with writing(path) as file:
                writer._write(file)
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {error.strerror or error}; nothing was changed") from error


def _spool_folder(path: Path) -> Path:
    """Return the folder of the file, which has room for it; that of a device holds no files."""
    return Path(tempfile.gettempdir()) if is_stream(path) else path.parent
