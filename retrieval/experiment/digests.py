"""Digests of what a comparison was measured on, so that a later one is only set beside it when it is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from retrieval.corpora.base import Item, Qrels, content_bytes


def item_key(item: Item) -> int:
    """Return a hash of an item's content and label, independent of its id and its row."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(content_bytes(item.content))
    digest.update(b"\0" + (item.label or "").encode())
    return int.from_bytes(digest.digest(), "little")


def corpus_digest(ids: Sequence[str], keys: Sequence[int]) -> str:
    """Return a SHA-256 of the ids, contents and labels of items; their order does not matter.

    Parameters
    ----------
    ids : sequence of str (n_items,)
    keys : sequence of int (n_items,)
        See `item_key`.

    Examples
    --------
    >>> corpus_digest(["a", "b"], [1, 2]) == corpus_digest(["b", "a"], [2, 1]) != corpus_digest(["a", "b"], [2, 1])
    True
    """
    return _sha256(sorted(zip(ids, keys, strict=True)))


def queries_digest(queries: Iterable[Item], qrels: Qrels | None) -> str:
    """Return a SHA-256 of the ids and contents of queries and of their judgements; their order does not matter.

    Parameters
    ----------
    queries : iterable of Item
    qrels : dict, optional
        Judgements; None when labels decide what is relevant.

    Examples
    --------
    >>> queries = [Item("1", "lift"), Item("2", "drag")]
    >>> queries_digest(queries, None) == queries_digest(queries[::-1], None) != queries_digest(queries[:1], None)
    True
    """
    judged = qrels or {}
    return _sha256(sorted((query.id, item_key(query), sorted(judged.get(query.id, {}).items())) for query in queries))


def _sha256(rows: list[Any]) -> str:
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()
