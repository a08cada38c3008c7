"""Search requests: many searches in one round trip; equal scores in the order of the items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.batches import chunks
from encoders.errors import IndexGoneError, PartMissingError, ServerError
from indexers.elasticsearch.client import cause_of, closed
from indexers.elasticsearch.fields import WINDOW
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.keys import id_of
from indexers.elasticsearch.long_queries import Hits, Piece, best_of_sum, clause_limit, pieces_of
from indexers.elasticsearch.retry import is_transient_status

#: The largest number of answers in one response.
_MAX_ANSWERS = 100_000
#: The fields of each answer besides its score, all read from columns: reading ``_id`` would decompress a block of
#: documents for every answer.
COLUMNS = ["place", "key", "own_id"]


class Answers(NamedTuple):
    """The answers to one query, best first: ids, keys, Elasticsearch's scores, positions in the order of items."""

    ids: list[str]
    keys: list[str]
    raw: NDArray[np.float64]
    positions: NDArray[np.int64]


def run_searches(
    admin: IndexAdmin, index: str, searches: Sequence[dict[str, Any]], k: int, several_shards: bool
) -> list[Answers]:
    """Run searches in as few round trips as the size of the answers allows.

    Raises
    ------
    ServerError
        Also when a shard did not answer: the rest would look like a complete answer.
    """
    at_once = max(1, _MAX_ANSWERS // k)
    answers: list[Answers] = []
    for batch in chunks(searches, at_once):
        try:
            answers += _round_trip(admin, index, batch, k, several_shards)
        except ServerError as error:
            limit = clause_limit(str(error))
            if limit is None:
                raise
            answers += [_in_pieces(admin, index, one, k, several_shards, limit) for one in batch]
    return answers


def _in_pieces(
    admin: IndexAdmin, index: str, search: dict[str, Any], k: int, several_shards: bool, limit: int
) -> Answers:
    """Run one search, in pieces if it has more words than the server takes at once."""
    searches = pieces_of(search, limit)
    if len(searches) == 1:
        (answers,) = _round_trip(admin, index, searches, k, several_shards)
        return answers
    best = best_of_sum([_piece(admin, index, one, several_shards) for one in searches], k)
    ids, keys = ([document[part] for document in best.documents] for part in (0, 1))
    return Answers(ids, keys, best.scores, best.positions)


def _piece(admin: IndexAdmin, index: str, search: dict[str, Any], several_shards: bool) -> Piece:
    def hits(query: dict[str, Any], after: tuple[float, int] | None = None) -> Hits:
        more = {"search_after": list(after)} if after else {}
        body = {"query": query, "sort": [{"_score": "desc"}, {"place": "asc"}], **more}
        (answers,) = _round_trip(admin, index, [body], WINDOW, several_shards)
        return Hits(answers.positions, answers.raw, list(zip(answers.ids, answers.keys, strict=True)))

    def among(positions: list[int]) -> Hits:
        parts = []
        for some in chunks(positions, WINDOW):
            only = {"terms": {"place": some}}
            parts.append(hits({"bool": {"must": [search["query"]], "filter": [only]}}))
        empty = Hits(np.empty(0, dtype=np.int64), np.empty(0), [])
        parts = parts or [empty]
        return Hits(
            np.concatenate([part.positions for part in parts]),
            np.concatenate([part.scores for part in parts]),
            [document for part in parts for document in part.documents],
        )

    return Piece(lambda after: hits(search["query"], after), among)


def _round_trip(
    admin: IndexAdmin, index: str, searches: Sequence[dict[str, Any]], k: int, several_shards: bool
) -> list[Answers]:
    # word statistics of all shards: by default, each shard weighs words by its own
    kind = {"search_type": "dfs_query_then_fetch"} if several_shards else {}
    bodies = [
        {"size": k, "stored_fields": "_none_", "docvalue_fields": COLUMNS, "track_total_hits": False, **one}
        for one in searches
    ]
    shape = "hits.hits._score,hits.hits.fields,timed_out,_shards.failed"

    def one(client: Any, routing: dict[str, str]) -> list[Answers]:
        (body,) = bodies
        whole = {"allow_partial_search_results": False, **kind, **routing}
        answer = client.search(index=index, **body, **whole, filter_path=shape)
        return [_answers(admin, answer)]

    def several(client: Any, routing: dict[str, str]) -> list[Answers]:
        head = {"index": index, "allow_partial_search_results": False, **kind, **routing}
        lines = [line for body in bodies for line in (head, body)]
        paths = ",".join(f"responses.{path}" for path in (*shape.split(","), "error", "status"))
        answer = client.msearch(searches=lines, filter_path=paths)
        return [_answers(admin, one) for one in answer["responses"]]

    return admin.read(one if len(bodies) == 1 else several)


def _answers(admin: IndexAdmin, answer: Any) -> Answers:
    if "error" in answer:
        kind, reason = cause_of(answer)
        if kind == "index_not_found_exception":
            raise IndexGoneError(f"Elasticsearch at {admin.address.hosts[0]} has no such index ({reason})")
        if kind == "index_closed_exception":
            raise ServerError(closed(answer))
        refused = PartMissingError if is_transient_status(answer.get("status", 0), kind) else ServerError
        raise refused(f"Elasticsearch at {admin.address.hosts[0]} cannot answer: {reason}")
    if answer.get("timed_out") or answer.get("_shards", {}).get("failed"):
        raise admin.part_missing_error()
    hits = answer.get("hits", {}).get("hits", [])
    positions = np.array([hit["fields"]["place"][0] for hit in hits], dtype=np.int64)
    raw = np.array([hit["_score"] for hit in hits], dtype=np.float64)
    keys = [hit["fields"].get("key", ("",))[0] for hit in hits]  # an index of a single space has none
    ids = [id_of(key, hit["fields"].get("own_id", (None,))[0]) for key, hit in zip(keys, hits, strict=True)]
    order = np.lexsort((positions, -raw))
    return Answers([ids[row] for row in order], [keys[row] for row in order], raw[order], positions[order])
