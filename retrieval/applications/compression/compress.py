"""Compression of a corpus into one file, with an encoder that is fitted on it or given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.errors import BadItemError, CorpusError
from encoders.progress import ProgressCallback, quiet
from retrieval.applications.compression.compressed_file import (
    ITEMS_PER_CHUNK,
    CompressedFile,
    FileOptions,
    fit_unless_fitted,
    require_room,
    require_small_chunks,
    write_file,
)
from retrieval.applications.compression.item_levels import levels_of, require_invertible, require_quantizable
from retrieval.applications.compression.nby_writer import NbyWriter, require_new
from retrieval.applications.compression.quantized import CODE_BYTES, METHOD, write_quantized
from retrieval.applications.compression.target import (
    MEASURED_ITEMS,
    CompressionTarget,
    QuantizerTraining,
    training_rows,
)
from retrieval.corpora.base import Corpus, Item, item_bytes
from retrieval.corpora.sample import draw
from retrieval.spaces.encode import encoded

#: Training items that are in memory together.
_MAX_TRAINING_BYTES = 1 << 29


@dataclass(frozen=True, kw_only=True)
class Compressed(CompressedFile):
    """A file of quantised codes.

    Attributes
    ----------
    original : int
        Bytes of the items in memory: one for each value of a picture, four for each number of a vector.
    components, kept : int
        How many components the code has, and how many are kept.
    own_error, error : float
        Mean squared error of an item on training items, by the encoder alone and with quantising.
    """

    original: int
    components: int
    kept: int
    own_error: float
    error: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            **super().to_json(),
            "original_bytes": self.original,
            "components": self.components,
            "kept_components": self.kept,
            "squared_error_of_space": self.own_error,
            "squared_error": self.error,
        }


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
        How small or how good; without one, quantising adds 5% to the squared error of the encoder.
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
    options = FileOptions(embed, items_per_chunk, fresh)
    require_new(path, fresh)
    require_invertible(encoder)
    require_small_chunks(corpus, items_per_chunk)
    fit_unless_fitted(encoder, corpus, say)
    require_room(CODE_BYTES * encoder.space.dim, items_per_chunk, "codes")
    trained = (training or training_on(corpus, encoder)).train(target, items_per_chunk)
    if not trained.quantizer.kept and trained.error > 0:
        say("no component is kept, so all items are decoded to the same one: raise the bytes, bits or error")
    original = 0

    def see(item: Item) -> None:
        nonlocal original
        original += item_bytes(item)

    def write(writer: NbyWriter, items: Iterable[Item]) -> None:
        writer.description["squared_error"] = {"space": trained.own_error, "quantized": trained.error}
        write_quantized(writer, encoder, trained.quantizer, items, corpus.size)

    made = write_file(corpus, encoder, path, METHOD, options, write, see)
    if target.bytes is not None and made.bytes_per_item > 1.05 * target.bytes:
        say(
            f"--bytes {target.bytes:g} is exceeded: an item takes {made.bytes_per_item:.3g} bytes, because few items, "
            "or few in a chunk, cost more each"
        )
    return Compressed(
        **vars(made),
        original=original,
        components=trained.quantizer.dim,
        kept=len(trained.quantizer.kept),
        own_error=trained.own_error,
        error=trained.error,
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
