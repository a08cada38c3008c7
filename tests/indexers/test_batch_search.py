"""Many queries together give what each gives alone, to the bit; and what float64 says is nearest."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.errors import ArtifactError
from indexers import batch_search
from indexers.brute_force import Search, search_dense, search_each
from indexers.exact import Exact
from indexers.pairs import DensePairs

N, QUERIES, WIDTH, K = 700, 150, 9, 7
DRAW = np.random.default_rng(0)


def drawn(n: int, shift: float = 0.0) -> np.ndarray:
    return (DRAW.standard_normal((n, WIDTH)) + shift).astype(np.float32)


def some_zero() -> np.ndarray:
    codes = drawn(N)
    codes[::5] = 0
    return codes


def of_all_lengths() -> np.ndarray:
    return drawn(N) * (10.0 ** DRAW.uniform(-9, 9, (N, 1))).astype(np.float32)


CODES = {
    "random": drawn(N),
    "shifted": drawn(N, 1_000.0),
    "repeated": np.repeat(drawn(N // 50), 50, axis=0),
    "whole numbers": DRAW.integers(0, 2, (N, WIDTH)).astype(np.float32),
    "some zero": some_zero(),
    "of all lengths": of_all_lengths(),
    "all the same": np.ones((N, WIDTH), np.float32),
    "tiny": drawn(N) * np.float32(1e-15),
}


def search_of(codes: np.ndarray, metric: Metric, k: int = K) -> Search:
    index = Exact(Space(WIDTH, Kind.DENSE, metric))
    index.add([str(row) for row in range(len(codes))], codes)
    queries = index.comparable(np.concatenate([codes[:: len(codes) // 100], drawn(QUERIES - 100)])[:QUERIES])
    squares = index._lengths()
    return Search(queries, index._compared(), squares, index._described(squares), metric, k)


@pytest.mark.parametrize("block", [2**24, 64 * WIDTH], ids=["one block", "many blocks"])
@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN, Metric.COSINE, Metric.DOT])
@pytest.mark.parametrize("name", CODES)
def test_a_batch_answers_as_each_query_alone(monkeypatch, name, metric, block):
    monkeypatch.setattr(batch_search, "BLOCK_NUMBERS", block)
    search = search_of(CODES[name], metric)
    assert batch_search.suits(search.queries, search.codes, search.k)
    together, alone = search_dense(search), search_each(search)
    np.testing.assert_array_equal(together.scores, alone.scores)
    np.testing.assert_array_equal(together.rows, alone.rows)
    single = search_dense(search._replace(queries=search.queries[3:4]))
    np.testing.assert_array_equal(together.scores[3:4], single.scores)


def mostly_zero() -> tuple[np.ndarray, np.ndarray]:
    """The median length is 0, and all other items have almost the same direction."""
    codes, direction = np.zeros((N, WIDTH), np.float32), drawn(1)
    codes[500:] = direction + 1e-4 * drawn(200)
    return codes, direction + np.float32(1e-3) * drawn(QUERIES)


def long_and_across() -> tuple[np.ndarray, np.ndarray]:
    """Few long items, almost orthogonal to all queries, are the best by their inner products."""
    direction = drawn(1) / np.float32(3)
    across = drawn(40).astype(np.float64)
    across -= across @ direction.T @ direction / (direction @ direction.T)
    codes = np.concatenate([1e-3 * drawn(N), 1e5 * across + direction]).astype(np.float32)
    return codes, np.repeat(direction, QUERIES, axis=0)


def more_far_than_near() -> tuple[np.ndarray, np.ndarray]:
    """Half of the items are short; the others are on a sphere around the queries, some of them among the best."""
    codes = 1e-3 * drawn(N)
    far = DRAW.choice([-1e3, 1e3], N // 4)[:, None] * np.eye(WIDTH)[DRAW.integers(0, WIDTH, N // 4)]
    codes[-2 * (N // 4) + 1 :] = np.concatenate([far, -far])[1:] + 3e-4 * drawn(2 * (N // 4) - 1)
    return codes.astype(np.float32), (1e-3 * drawn(QUERIES)).astype(np.float32)


@pytest.mark.parametrize(
    ("made", "metric", "k"),
    [
        (mostly_zero, Metric.COSINE, K),
        (long_and_across, Metric.DOT, 10),
        (more_far_than_near, Metric.EUCLIDEAN, 500),
    ],
)
@pytest.mark.parametrize("block", [2**24, 64 * WIDTH], ids=["one block", "many blocks"])
def test_a_median_length_that_says_nothing_of_the_best_items_changes_no_answer(monkeypatch, made, metric, k, block):
    monkeypatch.setattr(batch_search, "BLOCK_NUMBERS", block)
    codes, queries = made()
    search = search_of(codes, metric, k)
    search = search._replace(queries=Exact(Space(WIDTH, Kind.DENSE, metric)).comparable(queries))
    every = DensePairs(search.queries, search.codes, search.squares, metric)
    scores = np.stack([every.scores(row, np.arange(len(codes))) for row in range(QUERIES)])
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    for answer in (search_dense(search), search_each(search)):
        np.testing.assert_array_equal(answer.rows, wanted)


@pytest.mark.parametrize("shift", [0.0, 30.0, 1_000.0])
def test_what_float64_says_is_found_and_few_queries_are_asked_again(shift):
    search = search_of(drawn(N, shift), Metric.EUCLIDEAN)
    wide, asked = search.codes.astype(np.float64), search.queries.astype(np.float64)
    true = ((asked[:, None] - wide) ** 2).sum(axis=2)
    batch = batch_search.search_batch(search.queries, search.codes, search.squares, search.metric, K)
    assert batch.certain.mean() > 0.9
    found = np.take_along_axis(true, search_dense(search).rows, axis=1)
    assert (found <= np.partition(true, K - 1, axis=1)[:, K - 1, None] * (1 + 1e-6)).all()


def test_ties_beyond_the_candidates_are_never_certain():
    search = search_of(CODES["repeated"], Metric.EUCLIDEAN)
    batch = batch_search.search_batch(search.queries, search.codes, search.squares, search.metric, K)
    assert not batch.certain.any()


@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN, Metric.COSINE, Metric.DOT])
def test_damaged_codes_are_an_error(metric):
    search = search_of(CODES["random"], metric)
    search.codes[5, 2] = np.nan
    with pytest.raises(ArtifactError, match="are damaged"):
        search_dense(search)


@pytest.mark.parametrize(("count", "k"), [(batch_search.MANY_QUERIES, N - 2), (QUERIES, N - 1), (QUERIES, N), (3, 5)])
def test_searches_of_other_sizes_are_answered(count, k):
    search = search_of(CODES["random"], Metric.EUCLIDEAN, k)
    search = search._replace(queries=search.queries[:count])
    np.testing.assert_array_equal(search_dense(search).rows, search_each(search).rows)
