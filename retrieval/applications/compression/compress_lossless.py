"""Compression of pictures into one file without loss, with a variational autoencoder, fitted on them or given."""

from __future__ import annotations

import bz2
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from encoders.base import Encoder
from encoders.errors import CorpusError
from encoders.neural.beta_binomial import WHITE
from encoders.progress import ProgressCallback, quiet
from retrieval.applications.compression.compressed_file import (
    ITEMS_PER_CHUNK,
    CompressedFile,
    FileOptions,
    fit_unless_fitted,
    require_small_chunks,
    write_file,
)
from retrieval.applications.compression.encoder_section import SECTION
from retrieval.applications.compression.lossless import METHOD, require_lossless, write_bits_back
from retrieval.applications.compression.nby_writer import NbyWriter, require_new
from retrieval.corpora.base import Corpus, Item


@dataclass(frozen=True, kw_only=True)
class CompressedLossless(CompressedFile):
    """A file that holds pictures without loss; its time includes the check of every picture.

    Attributes
    ----------
    pixels : int
        Numbers in all pictures: one for each pixel, or three for each coloured one.
    bz2 : int
        Bytes of the same pixels by bz2 in one stream, 8 to a byte if they are black and white.
    """

    pixels: int
    bz2: int

    @property
    def bits_per_pixel(self) -> float:
        """Bits of the whole file except the encoder, for each number of a picture."""
        return 8 * (self.size - self.parts.get(SECTION, 0)) / self.pixels

    @property
    def bits_per_pixel_of_bz2(self) -> float:
        """Bits of bz2 for each number of a picture."""
        return 8 * self.bz2 / self.pixels

    @property
    def break_even(self) -> int | None:
        """From how many such pictures on a file with its encoder is smaller than bz2; None: never."""
        saved = (self.bits_per_pixel_of_bz2 - self.bits_per_pixel) * self.pixels / self.items / 8
        return math.ceil(self.parts.get(SECTION, 0) / saved) if saved > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            **super().to_json(),
            "pixels": self.pixels,
            "bits_per_pixel": self.bits_per_pixel,
            "bits_per_pixel_of_bz2": self.bits_per_pixel_of_bz2,
            "break_even_items": self.break_even,
        }


def compress_lossless(
    corpus: Corpus,
    encoder: Encoder,
    path: str | Path,
    *,
    embed: bool = True,
    items_per_chunk: int = ITEMS_PER_CHUNK,
    fresh: bool = False,
    say: ProgressCallback = quiet,
) -> CompressedLossless:
    """Compress pictures into one file without loss; each is decoded and compared before the file appears.

    Parameters
    ----------
    corpus : Corpus
        Pictures of one size.
    encoder : Encoder
        ``pixels+vae``, fitted or to be fitted on the corpus.
    path : str or Path
        A new file.
    embed : bool, optional
        Whether the file holds the encoder, or only its digest: decoding then needs the folder of the saved encoder.
    items_per_chunk : int, optional
        How many pictures are decoded together.
    fresh : bool, optional
        Replace an existing file.
    say : callable, optional
        Called with a line for each step.

    Raises
    ------
    OptionError
        When the file exists, or the space cannot code such pictures without loss.
    CorpusError
        When there are no items.
    BadItemError
        When pictures have different shapes.
    ArtifactError
        When the file cannot be written, or a picture does not decode to the same pixels.

    Examples
    --------
    >>> import tempfile, nearby
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     digits, path = nearby.open_corpus("digits"), f"{folder}/digits.nby"
    ...     made = compress_lossless(digits, nearby.create("pixels+vae:32-8,loss=beta-binomial,epochs=2"), path)
    ...     with nearby.CompressedItems(path) as items:
    ...         all((one.content == other.content).all() for one, other in zip(items, digits))
    True
    """
    path = Path(path)
    require_new(path, fresh)
    first = next(iter(corpus), None)
    if first is None:
        raise CorpusError(f"'{corpus.name}' has no items, so there is nothing to compress")
    require_lossless(encoder, first)
    require_small_chunks(corpus, items_per_chunk)
    fit_unless_fitted(encoder, corpus, say)
    say("pictures are kept as they are read: of one size, 8 bits a value, transparency on white")
    say("compressing; every picture is decoded again and compared")
    beside = _Bz2()
    options = FileOptions(embed, items_per_chunk, fresh)

    def write(writer: NbyWriter, items: Iterable[Item]) -> None:
        write_bits_back(writer, encoder, items)

    made = write_file(corpus, encoder, path, METHOD, options, write, beside.see)
    return CompressedLossless(**vars(made), pixels=beside.pixels, bz2=beside.size())


class _Bz2:
    """The same pictures by bz2, in one stream."""

    def __init__(self) -> None:
        self.pixels, self._bytes, self._stream = 0, 0, bz2.BZ2Compressor()

    def see(self, item: Item) -> None:
        picture = np.asarray(item.content)
        self.pixels += picture.size
        plain = np.packbits(picture > 0) if not (picture % WHITE).any() else picture
        self._bytes += len(self._stream.compress(plain.tobytes()))

    def size(self) -> int:
        """Return the size of the stream; ends it."""
        return self._bytes + len(self._stream.flush())
