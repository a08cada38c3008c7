"""Encode a corpus batch by batch, and say which item cannot be encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Codes, Space
from encoders.errors import BadItemError, DimensionError
from encoders.progress import progress, say
from encoders.progress_bar import Bar
from retrieval.corpora.base import Corpus, Item, item_bytes
from retrieval.corpora.blocks import Block, blocks_of
from retrieval.corpora.inputs import reads_ids
from retrieval.spaces.filled_index import Filled
from retrieval.spaces.kept_codes import Coded, KeptCodes, timed

#: Items that are encoded together.
BATCH_ROWS = 1024


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
