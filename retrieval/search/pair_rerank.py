"""A shortlist of a space that a cross-encoder orders, as `nearby search --rerank cross-encoder:MODEL` does."""

from __future__ import annotations

import time

import numpy as np

from encoders.codes import Metric, Modality
from encoders.cross_encoder import NAME, CrossEncoder
from encoders.errors import OptionError, QueryError
from indexers.base import Hit
from retrieval.collection.base import Collection
from retrieval.search.query import Query, require_modality
from retrieval.search.rerank import Plan, Reranked
from retrieval.search.searcher import SpaceAnswers, answers_of, query_codes, require_valid_k, without_query

#: Candidates by default: each costs a pass through the model.
CANDIDATES = 100


def is_cross_encoder(spec: str) -> bool:
    """Return whether a spec names a cross-encoder instead of a space.

    Examples
    --------
    >>> is_cross_encoder("cross-encoder:./model"), is_cross_encoder("bm25")
    (True, False)
    """
    return spec.partition(":")[0] == NAME


def rerank_pairs(collection: Collection, plan: Plan, query: Query, k: int = 10) -> Reranked:
    """Return the answers to one query: a space finds the candidates, a cross-encoder orders them.

    Raises
    ------
    OptionError
        For fewer candidates than answers, or a radius.
    QueryError
        When the items are no texts, or the space knows no part of the query.
    """
    require_valid_k(k)
    wanted = max(CANDIDATES, k) if plan.candidates is None else plan.candidates
    if wanted < k:
        raise OptionError(f"--candidates {wanted} is smaller than -k {k}: raise --candidates")
    if plan.radius is not None:
        raise OptionError("--radius has no limit on the number of candidates, each of which costs a pass through the "
                          "model: give --candidates")  # fmt: skip
    require_modality(collection, Modality.TEXT)
    if not isinstance(query.content, str):
        raise QueryError("a cross-encoder reads words, and the query is a vector only: give its text too")
    model, coarse = CrossEncoder.read(plan.rerank), collection.space(plan.shortlist)
    begun = time.perf_counter()
    code = query_codes(collection, plan.shortlist, query)
    between = time.perf_counter()
    (candidates,) = collection.search([(plan.shortlist, code)], wanted + (query.item_id is not None))
    listed = without_query(candidates, query, wanted)
    texts = [str(item.content) for item in collection.items.get([hit.id for hit in listed])]
    searched = time.perf_counter()
    scores = model.scores(query.content, texts)
    order = np.argsort(-scores, kind="stable")[:k].tolist()  # equal scores keep the order of the shortlist
    ended = time.perf_counter()
    hits = [Hit(listed[at].id, float(scores[at])) for at in order]
    spent = {
        "encode_shortlist": between - begun, "encode_rerank": 0.0, "shortlist": searched - between,
        "rerank": ended - searched,
    }  # fmt: skip
    milliseconds = {stage: 1000 * seconds for stage, seconds in spent.items()}
    answers = answers_of(collection, query, hits, Metric.DOT)
    return Reranked(
        SpaceAnswers(str(model), str(model), str(Metric.DOT), answers, sum(milliseconds.values())),
        Plan(coarse.record.spec, str(model), wanted),
        coarse.encoder.spec(full=True),
        len(listed),
        collection.items.size,
        milliseconds,
    )
