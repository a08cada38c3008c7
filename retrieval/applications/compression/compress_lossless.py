"""Compression of pictures into one file without loss, with a variational autoencoder, fitted on them or given."""

from __future__ import annotations

import bz2
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from encoders.base import Encoder
from encoders.errors import CorpusError
from encoders.neural.beta_binomial import WHITE
from encoders.progress import ProgressCallback, quiet
from retrieval.applications.compression.encoder_section import SECTION, packed
from retrieval.applications.compression.lossless import METHOD, require_lossless, write_bits_back
from retrieval.applications.compression.nby_reader import open_reader
from retrieval.applications.compression.nby_writer import open_writer, require_new
from retrieval.corpora.base import Corpus, Item
from retrieval.spaces.build import fitted


@dataclass(frozen=True)
class CompressedLossless:
    """A file that holds pictures without loss.

    Attributes
    ----------
    path : Path
    items : int
    pixels : int
        Numbers in all pictures: one for each pixel, or three for each coloured one.
    parts : dict of str to int
        Bytes of each part of the file; empty for a pipe.
    encoder : str
    bz2 : int
        Bytes of the same pixels by bz2 in one stream, 8 to a byte if they are black and white.
    seconds : float
        Without fitting the encoder; the check of every picture included.
    """

    path: Path
    items: int
    pixels: int
    parts: dict[str, int]
    encoder: str
    bz2: int
    seconds: float

    @property
    def bits_per_pixel(self) -> float:
        """Bits of the whole file except the encoder, for each number of a picture."""
        return 8 * (sum(self.parts.values()) - self.parts.get(SECTION, 0)) / self.pixels

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
            "file": str(self.path),
            "items": self.items,
            "bytes": sum(self.parts.values()),
            "pixels": self.pixels,
            "bits_per_pixel": self.bits_per_pixel,
            "bits_per_pixel_of_bz2": self.bits_per_pixel_of_bz2,
            "break_even_items": self.break_even,
            "parts": self.parts,
            "space": self.encoder,
            "seconds": self.seconds,
        }


def compress_lossless(
    corpus: Corpus,
    encoder: Encoder,
    path: str | Path,
    *,
    embed: bool = True,
    items_per_chunk: int = 256,
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
    if not encoder.__sklearn_is_fitted__():
        say(f"fitting {encoder}")
        fitted(encoder, corpus.batches(label_field=encoder.label_field))
    say("pictures are kept as they are read: of one size, 8 bits a value, transparency on white")
    say("compressing; every picture is decoded again and compared")
    started = time.perf_counter()
    counted = _Counted(corpus)
    with open_writer(path, METHOD, items_per_chunk, fresh) as writer:
        section, identity = packed(encoder)
        if embed:
            writer.add_section(SECTION, section)
        writer.description = {"corpus": corpus.name, "encoder": identity, "space": encoder.space.to_json()}
        write_bits_back(writer, encoder, counted)
        items = writer.items
    seconds = time.perf_counter() - started
    parts: dict[str, int] = {}
    if path.is_file():  # a pipe cannot be read again
        with open_reader(path) as reader:
            parts = reader.parts
    return CompressedLossless(path, items, counted.pixels, parts, str(encoder), counted.bytes_of_bz2(), seconds)


class _Counted:
    """Items whose pixels are counted and given to bz2 when they are read."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus, self.pixels = corpus, 0
        self._bz2, self._bytes = bz2.BZ2Compressor(), 0

    def __iter__(self) -> Iterator[Item]:
        for item in self._corpus:
            picture = np.asarray(item.content)
            self.pixels += picture.size
            plain = np.packbits(picture > 0) if not (picture % WHITE).any() else picture
            self._bytes += len(self._bz2.compress(plain.tobytes()))
            yield item

    def bytes_of_bz2(self) -> int:
        """Return the size of the stream; ends it."""
        return self._bytes + len(self._bz2.flush())
