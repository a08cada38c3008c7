"""Compression of a corpus into one file, with an encoder that is fitted on it or given."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.errors import ArtifactError, BadItemError, CorpusError, OptionError
from encoders.progress import ProgressCallback, quiet
from retrieval.applications.compression.encoder_section import SECTION, packed
from retrieval.applications.compression.item_levels import levels_of, require_invertible, require_quantizable
from retrieval.applications.compression.nby_file import MAX_DECODED_BYTES
from retrieval.applications.compression.nby_reader import open_reader
from retrieval.applications.compression.nby_writer import open_writer, require_new
from retrieval.applications.compression.quantized import METHOD, write_quantized
from retrieval.applications.compression.target import (
    MEASURED_ITEMS,
    CompressionTarget,
    QuantizerTraining,
    Trained,
    training_rows,
)
from retrieval.collection.open import collection_at, open_collection, open_data
from retrieval.corpora.base import Corpus, Item, OnBad, Unique, item_bytes, raise_bad
from retrieval.corpora.sample import draw
from retrieval.spaces.build import encoded, fitted, is_saved, planned

ITEMS_PER_CHUNK = 256
#: Training items that are in memory together.
_MAX_TRAINING_BYTES = 1 << 29


@dataclass(frozen=True)
class Compressed:
    """A file that was written.

    Attributes
    ----------
    path : Path
    items : int
    original : int
        Bytes of the items in memory: one for each value of a picture, four for each number of a vector.
    parts : dict of str to int
        Bytes of each part of the file; their sum is its size.
    encoder : str
    components : tuple of int
        How many components the code has, and how many are kept.
    own_error, error : float
        Mean squared error of an item on training items, by the encoder alone and with quantising.
    seconds : float
        Without fitting the encoder.
    """

    path: Path
    items: int
    original: int
    parts: dict[str, int]
    encoder: str
    components: tuple[int, int]
    own_error: float
    error: float
    seconds: float

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return sum(self.parts.values())

    @property
    def bytes_per_item(self) -> float:
        """Mean bytes of an item: its chunk and its part of the chunk table, without encoder, tables and ids."""
        return self.parts.get("items", 0) / self.items

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "file": str(self.path),
            "items": self.items,
            "bytes": self.size,
            "original_bytes": self.original,
            "bytes_per_item": self.bytes_per_item,
            "parts": self.parts,
            "space": self.encoder,
            "components": self.components[0],
            "kept_components": self.components[1],
            "squared_error_of_space": self.own_error,
            "squared_error": self.error,
            "seconds": self.seconds,
        }


def read_source(
    address: str, spec: str | None, folder: Path | None, on_bad: OnBad = raise_bad
) -> tuple[Corpus, Encoder]:
    """Return the items to compress, and the encoder: of a collection, of a folder, or one that is to be fitted.

    Parameters
    ----------
    address : str
        A corpus, or the folder of a collection.
    spec : str, optional
        A space; of a collection that has one alone, it need not be named.
    folder : Path, optional
        Folder of a saved encoder, instead of `spec`.

    Raises
    ------
    OptionError
        When no space is named, or space and encoder are.
    NearbyError
        When there is no such corpus or space.
    """
    if spec is not None and folder is not None:
        raise OptionError("--space and --encoder both name an encoder: leave one out")
    collection = collection_at(address)
    opened = None if collection is None else open_collection(collection)
    corpus: Corpus = Unique(open_data(address, on_bad=on_bad), on_bad) if opened is None else opened.items
    if folder is not None:
        if not is_saved(folder):
            raise ArtifactError(f"{folder} is not a saved encoder: it has no manifest.json")
        return corpus, planned(str(folder.resolve()), None, corpus.modality)
    if opened is not None:
        names = list(opened.spaces)
        if spec is None and len(names) != 1:
            raise OptionError(f"{address} has the spaces {', '.join(names)}: name one with -s" if names else
                              f"{address} has no space yet: add one with  nearby index")  # fmt: skip
        return corpus, opened.space(opened.resolve(spec or names[0])).encoder
    if spec is None:
        raise OptionError("name a space that can be decoded, such as -s pixels+pca:64, or a saved one with --encoder")
    return corpus, planned(spec, None, corpus.modality)


def compress(
    corpus: Corpus,
    encoder: Encoder,
    path: str | Path,
    target: CompressionTarget | None = None,
    *,
    training: QuantizerTraining | None = None,
    embed: bool = True,
    items_per_chunk: int = ITEMS_PER_CHUNK,
    fresh: bool = False,
    say: ProgressCallback = quiet,
) -> Compressed:
    """Compress items into one file; the corpus stays as it is.

    Parameters
    ----------
    corpus : Corpus
        Pictures, sounds or vectors.
    encoder : Encoder
        Fitted, or to be fitted on the corpus.
    path : str or Path
        A new file.
    target : CompressionTarget, optional
        How small or how good; without one, quantising adds 5 % to the squared error of the encoder.
    training : QuantizerTraining, optional
        Other items, on which the quantiser is trained; without it, a sample of the same.
    embed : bool, optional
        Whether the file holds the encoder, or only its digest: decoding then needs the folder of the saved encoder.
    items_per_chunk : int, optional
        How many items are read together; also what damage of one byte loses.
    fresh : bool, optional
        Replace an existing file.
    say : callable, optional
        Called with a line for each step.

    Raises
    ------
    OptionError
        When the file exists, or the target cannot be reached.
    NotInvertibleError
        When the codes cannot be turned back into items, as those of texts.
    CorpusError
        When there are no items.
    ArtifactError
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile, nearby
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     digits, path = nearby.open_corpus("digits"), f"{folder}/digits.nby"
    ...     made = compress(digits, nearby.create("pixels+pca:16"), path, CompressionTarget(bytes=8))
    ...     with nearby.CompressedItems(path) as items:
    ...         print(len(items), items[1796].id, items[1796].content.shape)
    1797 1796 (8, 8)
    >>> 7.5 < made.bytes_per_item < 8.1
    True
    """
    path, target = Path(path), target or CompressionTarget()
    require_new(path, fresh)
    require_invertible(encoder)
    require_small_chunks(corpus, items_per_chunk)
    if not encoder.__sklearn_is_fitted__():
        say(f"fitting {encoder}")
        fitted(encoder, corpus.batches(label_field=encoder.label_field))
    started = time.perf_counter()
    trained = (training or training_on(corpus, encoder)).train(target, items_per_chunk)
    counted = _Counted(corpus)
    with open_writer(path, METHOD, items_per_chunk, fresh) as writer:
        section, identity = packed(encoder)
        if embed:
            writer.add_section(SECTION, section)
        writer.description = _description(corpus, encoder, identity, trained)
        write_quantized(writer, encoder, trained.quantizer, counted, corpus.size)
    dims = (trained.quantizer.dim, len(trained.quantizer.kept))
    seconds = time.perf_counter() - started
    return Compressed(path, counted.items, counted.bytes, _parts(path), str(encoder), dims,
                      trained.own_error, trained.error, seconds)  # fmt: skip


def require_small_chunks(corpus: Corpus, items_per_chunk: int) -> None:
    """Refuse chunks that would not fit into memory when they are decoded.

    Raises
    ------
    OptionError
    """
    first = next(iter(corpus), None)
    size = 0 if first is None else 4 * item_bytes(first)  # decoded as float32
    if size * items_per_chunk > MAX_DECODED_BYTES:
        raise OptionError(
            f"{items_per_chunk:,} items of this size need {size * items_per_chunk / 2**30:.1f} GiB when they are "
            f"decoded together: lower --chunk to {max(1, MAX_DECODED_BYTES // size):,} or less"
        )


def training_on(corpus: Corpus, encoder: Encoder) -> QuantizerTraining:
    """Encode a random sample of items, on which quantisers are trained.

    Raises
    ------
    CorpusError
        When there are no items.
    BadItemError
        When a code is not finite.
    """
    require_quantizable(encoder)
    first = next(iter(corpus), None)
    if first is None:
        raise CorpusError(f"'{corpus.name}' has no items, so there is nothing to compress")
    room = max(16, _MAX_TRAINING_BYTES // max(item_bytes(first), 1))
    items = draw(corpus, min(training_rows(encoder.space.dim), room))
    items = [items[row] for row in np.random.default_rng(0).permutation(len(items))]  # a corpus may be sorted
    codes = _codes(encoder, items)
    if not np.isfinite(codes).all():
        raise BadItemError(f"codes of '{encoder}' are not finite, so they cannot be quantised")
    some = [item.content for item in items[:MEASURED_ITEMS]]
    return QuantizerTraining(encoder, codes, levels_of(encoder, some))


def _codes(encoder: Encoder, items: list[Item]) -> NDArray[np.float32]:
    return np.concatenate([np.asarray(codes, np.float32) for _, codes in encoded(encoder, items)])


def _description(corpus: Corpus, encoder: Encoder, identity: dict[str, Any], trained: Trained) -> dict[str, Any]:
    """Return what a file says about its items beside what is necessary to decode them."""
    return {
        "corpus": corpus.name,
        "encoder": identity,
        "space": encoder.space.to_json(),
        "squared_error": {"space": trained.own_error, "quantized": trained.error},
    }


def _parts(path: Path) -> dict[str, int]:
    """Return the bytes of each part of a file; none of a pipe, which cannot be read again."""
    if not path.is_file():
        return {}
    with open_reader(path) as reader:
        return reader.parts


class _Counted:
    """Items whose number and bytes are counted when they are read."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus, self.items, self.bytes = corpus, 0, 0

    def __iter__(self) -> Iterator[Item]:
        self.items = self.bytes = 0
        for item in self._corpus:
            self.items += 1
            self.bytes += item_bytes(item)
            yield item
