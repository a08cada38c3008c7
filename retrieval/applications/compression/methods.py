"""The methods of compression: each reads its own sections and chunks of the one container."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Protocol

from encoders.codes import Items, Modality
from encoders.errors import ArtifactError
from retrieval.applications.compression.nby_reader import NbyReader

#: Name in the header -> function that opens a decoder of a file.
METHODS = {
    "quantized": "retrieval.applications.compression.quantized:open_quantized",
    "bits-back": "retrieval.applications.compression.lossless:open_bits_back",
}


class ItemDecoder(Protocol):
    """Decodes the items of a file, a chunk at a time.

    Attributes
    ----------
    modality : Modality
        What the items are.
    """

    modality: Modality

    def decode(self, reader: NbyReader, chunk: int) -> Items:
        """Return all items of a chunk, in order.

        Raises
        ------
        DamagedChunkError
            When the chunk is damaged.
        """


def open_decoder(reader: NbyReader, encoder: Path | None = None) -> ItemDecoder:
    """Return what decodes the items of a file.

    Parameters
    ----------
    reader : NbyReader
    encoder : Path, optional
        Folder of the encoder, for a file that does not hold it.

    Raises
    ------
    ArtifactError
        When the file is of an unknown method, or its sections are damaged.
    OptionError
        When the encoder is missing or another one.
    """
    method = reader.header.method
    if method not in METHODS:
        raise ArtifactError(
            f"{reader.path} is compressed by the method {ascii(method)[:40]}, which this nearby does not know: install "
            "a newer nearby"
        )
    module, _, function = METHODS[method].partition(":")
    opened: Any = getattr(importlib.import_module(module), function)
    decoder: ItemDecoder = opened(reader, encoder)
    return decoder
