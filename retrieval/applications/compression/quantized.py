"""The method ``quantized``: codes of an encoder, quantised and entropy-coded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Items, n_rows
from encoders.errors import ArtifactError, NearbyError, one_line
from retrieval.applications.compression.encoder_section import open_encoder
from retrieval.applications.compression.item_ids import STREAM, pack_ids
from retrieval.applications.compression.nby_reader import NbyReader
from retrieval.applications.compression.nby_writer import NbyWriter
from retrieval.applications.compression.quantizer import Quantizer
from retrieval.applications.compression.symbol_coder import SymbolCoder
from retrieval.corpora.base import Item
from retrieval.spaces.encode import encoded

METHOD, CODES, TABLES = "quantized", "codes", "quantizer"
#: Bytes of a component of a code in memory, as float32.
CODE_BYTES = 4


def write_quantized(
    writer: NbyWriter, encoder: Encoder, quantizer: Quantizer, items: Iterable[Item], total: int | None = None
) -> None:
    """Encode items and add them to a file, a chunk at a time."""
    coder = SymbolCoder(quantizer)
    writer.add_section(TABLES, quantizer.to_bytes())
    for ids, symbols in _chunks(encoder, quantizer, items, writer.items_per_chunk, total):
        writer.add_chunk({CODES: coder.encode(symbols), STREAM: pack_ids(ids, writer.items)}, len(ids))


def _chunks(
    encoder: Encoder, quantizer: Quantizer, items: Iterable[Item], rows: int, total: int | None
) -> Iterator[tuple[list[str], NDArray[np.int64]]]:
    """Yield ids and symbols of exactly `rows` items at a time; the last time of fewer."""
    ids: list[str] = []
    symbols = np.empty((0, quantizer.dim), np.int64)
    for more, codes in encoded(encoder, items, total=total):
        ids += more
        symbols = np.concatenate([symbols, quantizer.quantize(codes)])
        while len(ids) >= rows:
            yield ids[:rows], symbols[:rows]
            ids, symbols = ids[rows:], symbols[rows:]
    if ids:
        yield ids, symbols


class QuantizedDecoder:
    """Decodes the items of a file of this method; see `ItemDecoder`."""

    def __init__(self, encoder: Encoder, quantizer: Quantizer) -> None:
        self.encoder, self.quantizer = encoder, quantizer
        self.modality = encoder.reads
        self._coder = SymbolCoder(quantizer)

    def codes(self, reader: NbyReader, chunk: int) -> NDArray[np.float32]:
        """Return the quantised codes of a chunk, float32 (n, dim); the same on every machine.

        Raises
        ------
        DamagedChunkError
        """
        reader.require_room(chunk, CODE_BYTES * self.quantizer.dim)
        data = reader.chunk(CODES, chunk)
        try:
            symbols = self._coder.decode(data, len(reader.header.items_of(chunk)))
        except ValueError as error:
            raise reader.damaged(chunk, f"cannot be decoded: {one_line(error)}", CODES) from None
        return self.quantizer.dequantize(symbols)

    def decode(self, reader: NbyReader, chunk: int) -> Items:
        """Return the items of a chunk: pictures, sounds or vectors.

        Raises
        ------
        DamagedChunkError
        """
        codes = self.codes(reader, chunk)
        if len(codes):
            first: Any = self.encoder.decode(codes[:1])
            reader.require_room(chunk, content_size(first[0]))
        items = self.encoder.decode(codes)
        if n_rows(items) != len(reader.header.items_of(chunk)):
            raise ArtifactError(f"{reader.path} is corrupt: its encoder decodes another number of items")
        return items


def content_size(content: Any) -> int:
    """Return the bytes of a decoded item in memory."""
    return int(getattr(content, "samples", content).nbytes)


def open_quantized(reader: NbyReader, folder: Path | None = None) -> QuantizedDecoder:
    """Return what decodes a file of this method; see `retrieval.applications.compression.methods.open_decoder`."""
    encoder = open_encoder(reader, folder)
    try:
        quantizer = Quantizer.from_bytes(reader.section(TABLES))
    except NearbyError as error:
        raise ArtifactError(
            f"{reader.path} is damaged: {error}" if str(reader.path) not in str(error) else str(error)
        ) from None
    if quantizer.dim != encoder.space.dim:
        raise ArtifactError(
            f"{reader.path} is corrupt: its quantiser has {quantizer.dim:,} components, its encoder "
            f"{encoder.space.dim:,}"
        )
    return QuantizedDecoder(encoder, quantizer)
