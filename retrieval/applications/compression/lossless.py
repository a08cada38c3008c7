"""The method ``bits-back``: pictures without loss, by a variational autoencoder of their pixels."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.batches import chunks
from encoders.codes import Items, Modality, whole_number
from encoders.errors import ArtifactError, BadItemError, OptionError
from encoders.image.pixels import Pixels
from encoders.neural.beta_binomial import WHITE
from encoders.neural.vae import VAE
from retrieval.applications.compression.bits_back import BitsBack
from retrieval.applications.compression.encoder_section import open_encoder
from retrieval.applications.compression.item_ids import STREAM, pack_ids
from retrieval.applications.compression.nby_reader import NbyReader
from retrieval.applications.compression.nby_writer import NbyWriter
from retrieval.corpora.base import Item

METHOD, PIXELS = "bits-back", "pixels"
#: Where the header keeps what the decoder must know.
FIELD = "bits_back"
BITS = 10
MAX_BITS = 16


def require_lossless(encoder: Encoder, first: Item) -> VAE:
    """Return the autoencoder of a space that can code pictures without loss; refuse others before they are fitted.

    Parameters
    ----------
    encoder : Encoder
        Fitted or not.
    first : Item
        The first item to compress.

    Raises
    ------
    OptionError
        When the space is not ``pixels+vae``, changes pictures, or has no probability for such pixels.
    """
    pixels, vae = (*encoder.parts, None)[:2]
    if len(encoder.parts) != 2 or not isinstance(pixels, Pixels) or not isinstance(vae, VAE):
        raise OptionError(
            f"--lossless needs the probability of every pixel, which '{encoder}' does not give: use a space "
            "pixels+vae:..., for grey pictures with loss=beta-binomial"
        )
    if pixels.size is not None or pixels.grey:
        raise OptionError(
            f"'{pixels}' changes pictures, so they could not be restored: leave its options out, or convert the "
            "pictures before you compress them"
        )
    levels = {"cross-entropy": 2, "auto": 2, "beta-binomial": WHITE + 1}.get(vae.loss)
    if levels is None:
        raise OptionError(
            f"--lossless needs the probability of every pixel, and loss={vae.loss} has none: use loss=cross-entropy "
            "for black and white pictures, loss=beta-binomial for grey ones"
        )
    if levels == 2 and (np.asarray(first.content) % WHITE).any():
        raise OptionError(
            f"picture '{first.id}' has grey levels, and '{vae}' knows black and white only: add loss=beta-binomial"
        )
    return vae


def write_bits_back(writer: NbyWriter, encoder: Encoder, items: Iterable[Item], bits: int = BITS) -> None:
    """Add items to a file, a chunk at a time; each chunk is decoded again and compared before it is added.

    Parameters
    ----------
    writer : NbyWriter
    encoder : Encoder
        Fitted; see `require_lossless`.
    items : iterable of Item
    bits : int
        Each component of a code has 2^bits buckets.

    Raises
    ------
    OptionError
        When the encoder cannot code without loss.
    BadItemError
        When a picture has another shape or other levels than the encoder knows.
    ArtifactError
        When a chunk does not decode to its pictures: the file is then not written.
    """
    iterator = iter(items)
    first = next(iterator, None)
    if first is None:
        return
    coder = BitsBack(require_lossless(encoder, first), bits)
    writer.description[FIELD] = {"bits": bits, "fingerprint": coder.fingerprint}
    shape = encoder.parts[0].space.shape or ()
    for chunk in chunks(chain([first], iterator), writer.items_per_chunk):
        levels = np.stack([_levels(item, shape, coder) for item in chunk])
        data = coder.compress(levels)
        if not np.array_equal(coder.decompress(data, len(chunk)), levels):
            raise ArtifactError(
                f"items '{chunk[0].id}' to '{chunk[-1].id}' do not decode to the same pixels, so nothing was written: "
                "this is a fault of nearby or of this machine"
            )
        writer.add_chunk({PIXELS: data, STREAM: pack_ids([item.id for item in chunk], writer.items)}, len(chunk))


def _levels(item: Item, shape: tuple[int, ...], coder: BitsBack) -> NDArray[np.uint8]:
    """Return the pixels of a picture as levels of the coder (dim,)."""
    picture: Any = item.content
    if picture.dtype != np.uint8 or picture.shape != shape:
        raise BadItemError(
            f"picture '{item.id}' is {picture.dtype} of shape {picture.shape}, the space knows uint8 of shape {shape}"
        )
    unit = WHITE // (coder.pixels.levels - 1)
    if (picture % unit).any():
        raise BadItemError(
            f"picture '{item.id}' has grey levels, and the space knows black and white only: use a vae with "
            "loss=beta-binomial"
        )
    flat: NDArray[np.uint8] = picture.reshape(-1) // unit
    return flat


class BitsBackDecoder:
    """Decodes the pictures of a file of this method; see `retrieval.applications.compression.methods.ItemDecoder`."""

    modality = Modality.IMAGE

    def __init__(self, coder: BitsBack, shape: tuple[int, ...]) -> None:
        self._coder, self._shape = coder, shape

    def decode(self, reader: NbyReader, chunk: int) -> Items:
        """Return the pictures of a chunk, uint8 (n, height, width) or (n, height, width, colours).

        Raises
        ------
        DamagedChunkError
        """
        reader.require_room(chunk, self._coder.width)
        data = reader.chunk(PIXELS, chunk)
        count = len(reader.header.items_of(chunk))
        try:
            levels = self._coder.decompress(data, count)
        except ArtifactError:
            raise reader.damaged(chunk, "it does not decode to the pixels of its checksum", PIXELS) from None
        return levels.reshape(count, *self._shape) * np.uint8(WHITE // (self._coder.pixels.levels - 1))


def open_bits_back(reader: NbyReader, folder: Path | None = None) -> BitsBackDecoder:
    """Return what decodes a file of this method.

    Raises
    ------
    ArtifactError
        When the file is corrupt, or this machine computes other integers than the one that compressed it.
    OptionError
        When the encoder is missing or another one.
    """
    encoder = open_encoder(reader, folder)
    known = reader.header.description.get(FIELD)
    stages = encoder.parts
    try:
        if not isinstance(known, dict) or len(stages) != 2 or not isinstance(stages[1], VAE):
            raise ValueError("it does not say how its pixels are coded")
        bits = whole_number(known["bits"], MAX_BITS)
        if not bits:
            raise ValueError("its codes have no buckets")
        coder = BitsBack(stages[1], bits)
    except (LookupError, TypeError, ValueError, OptionError, ArtifactError) as error:
        raise ArtifactError(f"{reader.path} is corrupt: {error}") from None
    if coder.fingerprint != known.get("fingerprint"):
        raise ArtifactError(
            f"{reader.path} was compressed with other integers than this machine computes from its encoder: "
            "decompress it with the version of nearby that compressed it"
        )
    return BitsBackDecoder(coder, stages[0].space.shape or ())
