"""Queries of more words than the server takes in one search rank as they would in one."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.registry import create
from indexers.elasticsearch.long_queries import Hits, Piece, best_of_sum, pieces_of
from indexers.registry import create_index


def piece_of(scores, page):
    """A piece of a query whose scores are given, by position; 0: no match."""
    order = sorted(np.flatnonzero(scores), key=lambda at: (-scores[at], at))

    def hits(positions):
        positions = np.array(positions, dtype=np.int64)
        return Hits(positions, scores[positions].astype(float), [f"d{at}" for at in positions.tolist()])

    def following(last):
        start = 0 if last is None else order.index(last[1]) + 1
        return hits(order[start : start + page])

    return Piece(following, lambda positions: hits([at for at in positions if scores[at]]))


@pytest.mark.parametrize("seed", range(20))
def test_the_best_of_a_sum_are_those_of_all_scores(seed):
    draw = np.random.default_rng(seed)
    scores = draw.integers(0, 6, (3, 200)) * draw.integers(0, 2, (3, 200)) / 4  # many ties, many that do not match
    total = scores.sum(axis=0)
    wanted = sorted(np.flatnonzero(total), key=lambda at: (-total[at], at))
    for k, page in ((1, 3), (10, 7), (50, 20), (300, 1000)):
        found = best_of_sum([piece_of(one, page) for one in scores], k)
        assert found.positions.tolist() == wanted[:k]
        assert found.documents == [f"d{at}" for at in wanted[:k]]
        np.testing.assert_array_equal(found.scores, total[found.positions])


def test_little_is_read_where_a_few_documents_are_far_ahead():
    scores = np.linspace(1, 2, 1000)
    scores[:3] = 50
    pieces = [piece_of(scores, 10), piece_of(scores[::-1].copy(), 10)]
    best_of_sum(pieces, 3)
    assert sum(len(piece.scores) for piece in pieces) < 100


def test_a_search_that_is_none_of_words_stays_whole():
    knn = {"knn": {"field": "s0"}}
    assert pieces_of(knn, 40) == [knn]
    filtered = {"query": {"bool": {"must": [{"match": {"t": {"query": "a b c"}}}], "filter": [{"term": {"x": 1}}]}}}
    (first, second) = pieces_of(filtered, 34)
    assert first["query"]["bool"]["must"] == [{"match": {"t": {"query": "a b"}}}]
    assert second["query"]["bool"] == {"must": [{"match": {"t": {"query": "c"}}}], "filter": [{"term": {"x": 1}}]}


@pytest.mark.parametrize("shards", [1, 3])
def test_ten_thousand_words_rank_as_in_a_local_index(elasticsearch_url, index_name, shards):
    draw = np.random.default_rng(3)
    words = [f"w{number}" for number in range(10_000)]
    # short, so that Lucene rounds no length
    texts = [" ".join([*words[13 * row : 13 * row + 13], *draw.choice(words, row % 9)]) for row in range(770)]
    encoder = create("bm25:stem=none,stop=none").fit(texts)
    long, short = " ".join(words + words[:50]), " ".join(words[:5])
    queries = encoder.encode_queries([long, short])
    ids = [str(row) for row in range(len(texts))]
    local = create_index("sparse", encoder.space)
    local.add(ids, encoder.encode(texts))
    backend = f"elasticsearch:{elasticsearch_url}/{index_name},shards={shards}"
    with create_index(backend, encoder.space, encoder.lexicon) as index:
        index.add(ids, encoder.encode_counts(texts))
        found = index.search(queries, 30)
    for mine, its in zip(local.search(queries, 30), found, strict=True):
        assert [hit.score for hit in its] == pytest.approx([hit.score for hit in mine], rel=1e-5)
        clear = [at for at in range(1, len(mine) - 1) if _apart(mine, at)]
        assert [its[at].id for at in clear] == [mine[at].id for at in clear]
        assert {hit.id for hit in its[:10]} <= {hit.id for hit in mine}


def _apart(hits, at):
    """Whether a hit's score differs from those beside it by more than float32 can round."""
    return all(abs(hits[at].score - hits[beside].score) > 1e-4 * hits[at].score for beside in (at - 1, at + 1))
