"""Corpus -> codes -> index: a batch at a time, each item encoded once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.sparse import issparse

from encoders.artifact import MANIFEST
from encoders.atomic_write import recovered
from encoders.base import Encoder
from encoders.codes import Batches, Codes, Modality, Space, slices
from encoders.errors import BadItemError, DimensionError, NearbyError
from encoders.neural.checkpoint import FILE as CHECKPOINT
from encoders.npy import release
from encoders.plain_file import entries_below
from encoders.progress import Bar, progress, say, waiting
from encoders.registry import create
from indexers.base import Index
from indexers.registry import check_description, create_index
from retrieval.corpora.base import Corpus, Item, item_bytes
from retrieval.corpora.blocks import Block, blocks_of
from retrieval.corpora.inputs import reads_ids
from retrieval.spaces.kept_codes import Coded, KeptCodes, kept_blocks, timed
from retrieval.spaces.training_history import training_seconds

BATCH_ROWS = 1024
#: Rows added at a time to an index that was just fitted.
ADD_ROWS = 65_536


def encoder_of(spec: str) -> Encoder:
    """Return the unfitted encoder that a spec describes, or the fitted one in the folder that it names.

    A spec wins over a folder with the same name; write ./bow for the folder.

    Raises
    ------
    SpecError, UnknownNameError, OptionError
        When no encoder has this spec.
    ArtifactError
        When a folder holds no encoder.
    """
    folder = Path(spec).expanduser()
    try:
        return create(spec)
    except NearbyError:
        if is_saved(folder) or (os.sep in spec and folder.is_dir()):
            return Encoder.load(folder)
        raise


def is_saved(folder: Path) -> bool:
    """Return whether a folder has the manifest of a saved encoder."""
    recovered(folder)
    try:
        return (folder / MANIFEST).is_file()
    except OSError:  # too long for a path: a spec
        return False


def require_fields(corpus: Corpus, encoders: Iterable[Encoder]) -> None:
    """Raise before any fit when an encoder learns from a field that no item has.

    Raises
    ------
    UnknownNameError, BadItemError
    """
    unfitted = [encoder for encoder in encoders if not encoder.__sklearn_is_fitted__()]
    for field in dict.fromkeys(encoder.label_field for encoder in unfitted):
        corpus.batches(label_field=field)


def planned(spec: str, description: str | None, modality: Modality) -> Encoder:
    """Return a space's encoder (see `encoder_of`), or raise an error before any work.

    Raises
    ------
    SpecError, UnknownNameError, OptionError
        For an encoder or index that does not exist.
    BadItemError
        When the encoder reads another sort of items.

    Examples
    --------
    >>> planned("bm25", None, Modality.IMAGE)
    Traceback (most recent call last):
    encoders.errors.BadItemError: 'bm25' reads texts, but this corpus holds images
    """
    encoder = encoder_of(spec)
    check_description(description)
    if encoder.reads is not modality and not reads_ids(encoder):
        raise BadItemError(f"'{encoder}' reads {encoder.reads}s, but this corpus holds {modality}s")
    return encoder


def begun(encoder: Encoder, count: int, work: Path) -> str:
    """Return the message that `fitted` starts with `count` items."""
    items = f"{count:,} item{'' if count == 1 else 's'}"
    if encoder.__sklearn_is_fitted__():
        return f"encoding {items} by {encoder}, which is already fitted"
    return f"{'continuing to fit' if checkpoints(work) else 'fitting'} {encoder} on {items}"


def checkpoints(work: Path) -> list[Path]:
    """Return the checkpoints below a work folder, however deep; none where the folder is missing or cannot be read."""
    try:
        return [Path(entry.path) for entry in entries_below(work) if entry.name == CHECKPOINT]
    except OSError:
        return []


def is_unfinished(work: Path) -> bool:
    """Return whether a work folder holds what a killed run has fitted or encoded."""
    return bool(checkpoints(work) or kept_blocks(work))


def fitted(encoder: Encoder, batches: Batches, work: Path | None = None) -> float:
    """Fit an encoder and return the seconds; for a fitted one, the seconds of its training."""
    if encoder.__sklearn_is_fitted__():
        return training_seconds(encoder)
    started = time.perf_counter()
    with waiting(f"fitting {encoder}"):
        encoder.fit(batches, work=work)
    return time.perf_counter() - started


@dataclass
class Filled:
    """An index that holds a corpus, and its cost.

    Attributes
    ----------
    index : Index
    kept : Index or None
        The codes themselves as an exact index, where `index` does not hold them.
    encode_seconds : float
        Encoding alone.
    code_bytes : int
        Size of all codes.
    """

    index: Index
    kept: Index | None
    encode_seconds: float = 0.0
    code_bytes: int = 0


def fill(
    encoder: Encoder,
    items: Iterable[Item],
    description: str | None,
    total: int | None = None,
    kept_codes: KeptCodes | None = None,
) -> Filled:
    """Encode items and put them into a new index.

    Parameters
    ----------
    encoder : Encoder
        Fitted.
    items : iterable of Item
    description : str, optional
        Of the index; None chooses by the space.
    total : int, optional
        Number of items, for the progress bar.
    kept_codes : KeptCodes, optional
        Codes of an earlier call that was killed, and where those of this call are kept.
    """
    index = create_index(description, encoder.space, encoder.lexicon)
    kept = None if index.holds_codes or index.stores_counts else create_index("exact", encoder.space)
    filled = Filled(index, kept)
    target = index if kept is None else kept
    with _closed_on_error(index):
        add_items(encoder, items, target, filled, total, kept_codes)
        if kept is not None:
            _pour(kept, index)
    return filled


def add_items(
    encoder: Encoder,
    items: Iterable[Item],
    index: Index,
    cost: Filled,
    total: int | None = None,
    kept_codes: KeptCodes | None = None,
) -> None:
    """Encode items and add them to an index; costs are added to `cost`."""
    if not _shared(encoder, items, index, cost):
        for ids, codes in encoded(encoder, items, cost, total, index.stores_counts, kept_codes):
            index.add(ids, codes)


def _shared(encoder: Encoder, items: Iterable[Item], index: Index, cost: Filled) -> bool:
    """Let an index read codes from the file of the items, if codes are the items themselves; return whether it does."""
    path = items.vector_file if encoder.keeps_items and isinstance(items, Corpus) else None
    if path is None or not isinstance(items, Corpus):
        return False
    if not index.add_file([id for block in items.blocks(ADD_ROWS) for id in block.ids], path):
        return False
    cost.code_bytes += stored_bytes(index.codes(), encoder.space)
    return True


def fill_another(
    encoder: Encoder, items: Iterable[Item], description: str | None, first: Filled, total: int | None = None
) -> Filled:
    """Put items whose codes an index holds into another; they are encoded again only where it stores no codes.

    Parameters
    ----------
    encoder, items, description, total
        As in `fill`.
    first : Filled
        By the same encoder with the same items.
    """
    index = create_index(description, encoder.space, encoder.lexicon)
    source = first.index if first.index.holds_codes else first.kept
    if source is None or index.stores_counts:  # neither counts nor codes can be computed from the other
        index.close()
        return fill(encoder, items, description, total)
    with _closed_on_error(index):
        _pour(source, index)
    return Filled(index, first.kept, first.encode_seconds, first.code_bytes)


def _pour(source: Index, index: Index) -> None:
    """Fit an index to the codes of another one, and add them."""
    whole, names = source.codes(), list(source.ids)
    index.fit(whole)
    start = 0
    for part in slices(whole, ADD_ROWS):
        release(whole)
        index.add(names[start : start + part.shape[0]], part)
        start += part.shape[0]
    release(whole)


@contextmanager
def _closed_on_error(index: Index) -> Iterator[None]:
    """Close an index when the block fails: a server would keep what was added."""
    try:
        yield
    except BaseException:
        index.close()
        raise


def encoded(
    encoder: Encoder,
    items: Iterable[Item],
    cost: Filled | None = None,
    total: int | None = None,
    counts: bool = False,
    kept_codes: KeptCodes | None = None,
) -> Iterator[tuple[list[str], Codes]]:
    """Encode items batch by batch, with a progress bar on standard error; costs are added to `cost`.

    With `counts`, for an index that weighs words itself, they are counts over the words of the encoder's lexicon. With
    `kept_codes`, blocks that an earlier call has encoded are not encoded again.
    """
    encode = encoder.encode_counts if counts else encoder.encode
    with_ids = reads_ids(encoder)
    with progress(f"encoding {encoder}", total, "items") as bar:
        blocks = items.blocks(BATCH_ROWS) if isinstance(items, Corpus) else blocks_of(items, BATCH_ROWS, item_bytes)
        for number, block in enumerate(blocks):
            codes, seconds = _coded(encode, number, block, with_ids, kept_codes)
            if cost is not None:
                cost.encode_seconds += seconds
                cost.code_bytes += bytes_of(codes) if counts else stored_bytes(codes, encoder.space)
            yield block.ids, codes
            _count(bar, len(block.ids), kept_codes)
    if kept_codes is not None and kept_codes.taken:
        say(f"{encoder}: {kept_codes.taken:,} of {bar.done:,} items were encoded before the interruption")
    say_remarks(encoder)


def _coded(
    encode: Callable[[Any], Codes], number: int, block: Block, with_ids: bool, kept_codes: KeptCodes | None
) -> Coded:
    def encode_block() -> Codes:
        return _encode(encode, block.ids, block.inputs(with_ids))

    return timed(encode_block) if kept_codes is None else kept_codes.coded(number, block.ids, encode_block)


def _count(bar: Bar, count: int, kept_codes: KeptCodes | None) -> None:
    """Count items that are done; those that were encoded before say nothing of the time that the rest takes."""
    if kept_codes is not None and kept_codes.taken == bar.done + count:
        bar.done += count
        bar.note = f"{kept_codes.taken:,} encoded before"
    else:
        bar.update(count)


def say_remarks(encoder: Encoder) -> None:
    """Say what an encoder has to say about what it encoded: what was cut, what was paid."""
    for remark in encoder.remarks():
        say(remark)


def _encode(encode: Callable[[Any], Codes], ids: Sequence[str], inputs: Any) -> Codes:
    try:
        return encode(inputs)
    except (BadItemError, DimensionError) as error:
        for id, one in zip(ids, inputs, strict=True):  # find the item that caused it
            try:
                encode([one])
            except (BadItemError, DimensionError) as single:
                raise type(single)(f"item '{id}': {single}") from error
        raise


def stored_bytes(codes: Codes, space: Space) -> int:
    """Return the bytes that codes of a space take in an exact index: fewer than in memory in a quantised space.

    Examples
    --------
    >>> import numpy as np
    >>> from encoders.registry import create
    >>> encoder = create("sq4").fit(np.eye(8, dtype=np.float32))
    >>> stored_bytes(encoder.encode(np.eye(8, dtype=np.float32)), encoder.space)
    32
    """
    size = space.bytes_per_item
    return bytes_of(codes) if size is None else size * int(codes.shape[0])


def bytes_of(codes: Codes) -> int:
    """Return the size of codes in memory."""
    if issparse(codes):
        return int(codes.data.nbytes + codes.indices.nbytes + codes.indptr.nbytes)
    return int(codes.nbytes)
