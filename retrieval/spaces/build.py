"""Corpus -> codes -> index: each item is encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from encoders.base import Encoder
from indexers.base import Index
from indexers.registry import create_index
from indexers.validation import BLOCK_ROWS
from retrieval.corpora.base import Corpus, Item
from retrieval.spaces.encode import encoded, stored_bytes
from retrieval.spaces.filled_index import Filled
from retrieval.spaces.kept_codes import KeptCodes


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
            index.fill(kept.ids, kept.codes())
    return filled


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
        index.fill(source.ids, source.codes())
    return Filled(index, first.kept, first.encode_seconds, first.code_bytes)


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
    if not index.add_file([id for block in items.blocks(BLOCK_ROWS) for id in block.ids], path):
        return False
    cost.code_bytes += stored_bytes(index.codes(), encoder.space)
    return True


@contextmanager
def _closed_on_error(index: Index) -> Iterator[None]:
    """Close an index when the block fails: a server would keep what was added."""
    try:
        yield
    except BaseException:
        index.close()
        raise
