"""Asking: one round trip for any number of searches, the answers in our order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.errors import IndexGoneError, PartMissingError, ServerError
from indexers.elasticsearch.client import cause_of
from indexers.elasticsearch.keys import id_of
from indexers.elasticsearch.patience import status_passes
from indexers.elasticsearch.site import Site

#: Answers in one response at most, so that its size is bounded.
_MOST_ANSWERS = 100_000
#: What a search says of each answer beside its score, all from columns: ``_id`` lies in the same compressed blocks as
#: the documents, of which it would unpack one for every answer.
SHOWN = ["place", "key", "own_id"]


class Answers(NamedTuple):
    """What was found for one query, best first: ids, keys, Elasticsearch's scores, places in the order of items."""

    ids: list[str]
    keys: list[str]
    raw: NDArray[np.float64]
    places: NDArray[np.int64]


def searched(site: Site, index: str, searches: Sequence[dict[str, Any]], k: int, several_shards: bool) -> list[Answers]:
    """Run searches, as few round trips as the size of the answers allows.

    Raises
    ------
    ServerError
        Also when a part of the index did not answer: what is left would look like an answer, and be none.
    """
    at_once = max(1, _MOST_ANSWERS // k)
    found: list[Answers] = []
    for start in range(0, len(searches), at_once):
        found += _round_trip(site, index, searches[start : start + at_once], k, several_shards)
    return found


def _round_trip(
    site: Site, index: str, searches: Sequence[dict[str, Any]], k: int, several_shards: bool
) -> list[Answers]:
    # word statistics of all shards: each alone would weigh words by its own
    kind = {"search_type": "dfs_query_then_fetch"} if several_shards else {}
    bodies = [
        {"size": k, "stored_fields": "_none_", "docvalue_fields": SHOWN, "track_total_hits": False, **one}
        for one in searches
    ]
    shape = "hits.hits._score,hits.hits.fields,timed_out,_shards.failed"

    def one(client: Any) -> list[Answers]:
        (body,) = bodies
        answer = client.search(index=index, **body, **kind, allow_partial_search_results=False, filter_path=shape)
        return [_answers(site, answer)]

    def several(client: Any) -> list[Answers]:
        head = {"index": index, "allow_partial_search_results": False, **kind}
        lines = [line for body in bodies for line in (head, body)]
        paths = ",".join(f"responses.{path}" for path in (*shape.split(","), "error", "status"))
        answer = client.msearch(searches=lines, filter_path=paths)
        return [_answers(site, one) for one in answer["responses"]]

    return site.read(one if len(bodies) == 1 else several)


def _answers(site: Site, answer: Any) -> Answers:
    if "error" in answer:
        kind, reason = cause_of(answer)
        if kind == "index_not_found_exception":
            raise IndexGoneError(f"Elasticsearch at {site.address.hosts[0]} has no such index ({reason})")
        refused = PartMissingError if status_passes(answer.get("status", 0), kind) else ServerError
        raise refused(f"Elasticsearch at {site.address.hosts[0]} cannot answer: {reason}")
    if answer.get("timed_out") or answer.get("_shards", {}).get("failed"):
        raise site.part_missing()
    hits = answer.get("hits", {}).get("hits", [])
    places = np.array([hit["fields"]["place"][0] for hit in hits], dtype=np.int64)
    raw = np.array([hit["_score"] for hit in hits], dtype=np.float64)
    keys = [hit["fields"].get("key", ("",))[0] for hit in hits]  # an index of one space alone has none
    ids = [id_of(key, hit["fields"].get("own_id", (None,))[0]) for key, hit in zip(keys, hits, strict=True)]
    order = np.lexsort((places, -raw))
    return Answers([ids[at] for at in order], [keys[at] for at in order], raw[order], places[order])
