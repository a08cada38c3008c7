"""Queries of more words than a server takes in one search: several searches, whose scores are added exactly.

A score of BM25 is a sum over words, so that of a long query is the sum of those of its pieces. Each piece is read best
first, page by page, until no document that was not seen can be among the best: the threshold algorithm (Fagin, Lotem &
Naor, "Optimal aggregation algorithms for middleware", PODS 2001).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Clauses that a search has beside its words: filters.
_BESIDE = 32
_LIMIT = re.compile(r"maxClauseCount is set to (\d+)")


class Hits(NamedTuple):
    """A page of hits, best first: positions, scores, and the documents they are of."""

    positions: NDArray[np.int64]
    scores: NDArray[np.float64]
    documents: list[Any]


class Piece:
    """A part of a query, read best first.

    Parameters
    ----------
    page : callable
        Given the hit that was read last (None at first), returns the `Hits` that follow; none at the end.
    among : callable
        Given positions, returns the `Hits` of those of them that match.
    """

    def __init__(self, page: Callable[[tuple[float, int] | None], Hits], among: Callable[[list[int]], Hits]) -> None:
        self._page, self._among = page, among
        self.scores: dict[int, float] = {}
        self.bound = np.inf
        self._last: tuple[float, int] | None = None

    def read_page(self) -> Hits:
        """Read the hits that come next; `bound` is then the most that a document can score which was not read."""
        hits = self._page(self._last)
        self.scores.update(zip(hits.positions.tolist(), hits.scores.tolist(), strict=True))
        if len(hits.scores):
            self._last = float(hits.scores[-1]), int(hits.positions[-1])
        self.bound = float(hits.scores[-1]) if len(hits.scores) else 0.0
        return hits

    def look_up(self, positions: list[int]) -> None:
        """Read the scores of some documents: 0 of one that does not match."""
        self.scores.update(dict.fromkeys(positions, 0.0))
        hits = self._among(positions)
        self.scores.update(zip(hits.positions.tolist(), hits.scores.tolist(), strict=True))


def clause_limit(said: str) -> int | None:
    """Return how many words a server takes in one search, when it refused one for that.

    Examples
    --------
    >>> clause_limit("Elasticsearch refuses: failed to create query: maxClauseCount is set to 8192")
    8192
    """
    found = _LIMIT.search(said)
    return None if found is None else int(found[1])


def pieces_of(search: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return a search for words as several, none of more words than the limit; any other search alone.

    Examples
    --------
    >>> pieces_of({"query": {"match": {"s0": {"query": "a b a"}}}}, 34)
    [{'query': {'match': {'s0': {'query': 'a b'}}}}, {'query': {'match': {'s0': {'query': 'a'}}}}]
    """
    query = search.get("query", {})
    match = query.get("match") or (query.get("bool", {}).get("must") or [{}])[0].get("match")
    if not match:
        return [search]
    ((name, given),) = match.items()
    words, size = given["query"].split(" "), max(1, limit - _BESIDE)
    pieces = []
    for start in range(0, len(words), size):
        part: dict[str, Any] = {"match": {name: {"query": " ".join(words[start : start + size])}}}
        pieces.append({"query": {"bool": {**query["bool"], "must": [part]}} if "bool" in query else part})
    return pieces


def best_of_sum(pieces: Sequence[Piece], k: int) -> Hits:
    """Return the `k` documents whose scores in all pieces together are largest; equal ones in their order."""
    documents: dict[int, Any] = {}
    while True:
        for piece in pieces:
            if piece.bound > 0:
                hits = piece.read_page()
                documents.update(zip(hits.positions.tolist(), hits.documents, strict=True))
        least = _kth(_known(pieces, documents), k)
        for piece in pieces:
            missing = [position for position in documents if position not in piece.scores]
            if piece.bound == 0:  # it was read to the end
                piece.scores.update(dict.fromkeys(missing, 0.0))
            else:
                piece.look_up([one for one in missing if _most(pieces, one) >= least])
        totals = {
            position: sum(piece.scores[position] for piece in pieces)
            for position in documents
            if all(position in piece.scores for piece in pieces)
        }
        unseen = sum(piece.bound for piece in pieces)
        if unseen == 0 or _kth(totals, k) > unseen:
            break
    best = sorted(totals, key=lambda position: (-totals[position], position))[:k]
    return Hits(
        np.array(best, dtype=np.int64),
        np.array([totals[position] for position in best], dtype=np.float64),
        [documents[position] for position in best],
    )


def _known(pieces: Sequence[Piece], documents: dict[int, Any]) -> dict[int, float]:
    """Return the least that documents can score: what is known of them."""
    return {position: sum(piece.scores.get(position, 0.0) for piece in pieces) for position in documents}


def _most(pieces: Sequence[Piece], position: int) -> float:
    """Return the most that a document can score."""
    return sum(piece.scores.get(position, piece.bound) for piece in pieces)


def _kth(scores: dict[int, float], k: int) -> float:
    """Return the k-th largest score; less than any where there are fewer."""
    if len(scores) < k:
        return -np.inf
    values = np.fromiter(scores.values(), dtype=np.float64)
    return float(np.partition(values, -k)[-k])
