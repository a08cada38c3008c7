"""Queries with more words than a server takes in one search: several searches, whose scores are added exactly.

A BM25 score is a sum over words, so the score of a long query is the sum of the scores of its pieces. Each piece is
read best first, page by page, until no unread document can be among the best: the threshold algorithm (Fagin, Lotem &
Naor, "Optimal aggregation algorithms for middleware", PODS 2001).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Clauses that a search may have besides its words, for filters.
_FILTER_CLAUSES = 32
_LIMIT = re.compile(r"maxClauseCount is set to (\d+)")


class Hits(NamedTuple):
    """A page of hits, best first: positions, scores and documents."""

    positions: NDArray[np.int64]
    scores: NDArray[np.float64]
    documents: list[Any]


class Piece:
    """A part of a query, read best first.

    Parameters
    ----------
    page : callable
        Takes the hit that was read last (None at first) and returns the next `Hits`; none at the end.
    among : callable
        Takes positions and returns the `Hits` of the documents among them that match.
    """

    def __init__(self, page: Callable[[tuple[float, int] | None], Hits], among: Callable[[list[int]], Hits]) -> None:
        self._page, self._among = page, among
        self.scores: dict[int, float] = {}
        self.bound = np.inf
        self._last: tuple[float, int] | None = None

    def read_page(self) -> Hits:
        """Read the next page of hits; `bound` is then the highest score that an unread document can have."""
        hits = self._page(self._last)
        self.scores.update(zip(hits.positions.tolist(), hits.scores.tolist(), strict=True))
        if len(hits.scores):
            self._last = float(hits.scores[-1]), int(hits.positions[-1])
        self.bound = float(hits.scores[-1]) if len(hits.scores) else 0.0
        return hits

    def look_up(self, positions: list[int]) -> None:
        """Read the scores of some documents; 0 for a document that does not match."""
        self.scores.update(dict.fromkeys(positions, 0.0))
        hits = self._among(positions)
        self.scores.update(zip(hits.positions.tolist(), hits.scores.tolist(), strict=True))


def clause_limit(message: str) -> int | None:
    """Return how many words a server takes in one search, from the message that refused more.

    Examples
    --------
    >>> clause_limit("Elasticsearch refuses: failed to create query: maxClauseCount is set to 8192")
    8192
    """
    match = _LIMIT.search(message)
    return None if match is None else int(match[1])


def pieces_of(search: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return a search for words as several searches within the limit; any other search unchanged.

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
    words, size = given["query"].split(" "), max(1, limit - _FILTER_CLAUSES)
    pieces = []
    for start in range(0, len(words), size):
        part: dict[str, Any] = {"match": {name: {"query": " ".join(words[start : start + size])}}}
        pieces.append({"query": {"bool": {**query["bool"], "must": [part]}} if "bool" in query else part})
    return pieces


def best_of_sum(pieces: Sequence[Piece], k: int) -> Hits:
    """Return the `k` documents with the largest sum of scores over all pieces; equal ones in order of position."""
    documents: dict[int, Any] = {}
    while True:
        for piece in pieces:
            if piece.bound > 0:
                hits = piece.read_page()
                documents.update(zip(hits.positions.tolist(), hits.documents, strict=True))
        threshold = _kth(_lower_bounds(pieces, documents), k)
        for piece in pieces:
            missing = [position for position in documents if position not in piece.scores]
            if piece.bound == 0:  # the piece was read to the end
                piece.scores.update(dict.fromkeys(missing, 0.0))
            else:
                piece.look_up([one for one in missing if _upper_bound(pieces, one) >= threshold])
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


def _lower_bounds(pieces: Sequence[Piece], documents: dict[int, Any]) -> dict[int, float]:
    """Return the lowest possible score of each document: the sum of its known scores."""
    return {position: sum(piece.scores.get(position, 0.0) for piece in pieces) for position in documents}


def _upper_bound(pieces: Sequence[Piece], position: int) -> float:
    """Return the highest possible score of a document."""
    return sum(piece.scores.get(position, piece.bound) for piece in pieces)


def _kth(scores: dict[int, float], k: int) -> float:
    """Return the k-th largest score; -inf if there are fewer."""
    if len(scores) < k:
        return -np.inf
    values = np.fromiter(scores.values(), dtype=np.float64)
    return float(np.partition(values, -k)[-k])
