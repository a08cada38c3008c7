"""Filter, then re-rank: what a shortlist answers is what the finer space says of these items alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.sparse import csr_array
from typer.testing import CliRunner

import cli
from encoders.codes import Kind, Metric, Space
from encoders.errors import BadItemError, CollectionError, DimensionError, NearbyError, NotInvertibleError, OptionError
from indexers import pairs
from indexers.registry import create_index
from indexers.sparse import Sparse
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.search import shortlist
from retrieval.search.read_query import read_query
from retrieval.search.rerank import plan_of, rerank
from retrieval.search.searcher import Searcher
from retrieval.search.shortlist import shortlisted

N, QUERIES = 300, 25
BITS = Space(12, Kind.BINARY, Metric.HAMMING)  # few enough that many items tie
FINE = [
    ("exact", Space(24, kind, metric))
    for kind in (Kind.DENSE, Kind.SPARSE)
    for metric in (Metric.COSINE, Metric.DOT, Metric.EUCLIDEAN)
] + [
    ("exact", Space(28, Kind.BINARY, Metric.HAMMING)),
    ("sparse", Space(24, Kind.SPARSE, Metric.COSINE)),
    ("sparse", Space(24, Kind.SPARSE, Metric.DOT)),
]


def codes(space: Space, n: int, seed: int):
    """Every item is there twice, so that scores tie; one is zero."""
    rng = np.random.default_rng(seed)
    if space.kind is Kind.BINARY:
        half = np.packbits(rng.integers(0, 2, (-(-n // 2), space.dim), dtype=np.uint8), axis=1)
        return np.concatenate([half, half])[:n]
    half = rng.standard_normal((-(-n // 2), space.dim)).astype(np.float32)
    if space.kind is Kind.SPARSE:
        half *= rng.random(half.shape) < 0.2
    half[3:4] = 0
    whole = np.concatenate([half, half])[:n]
    return csr_array(whole) if space.kind is Kind.SPARSE else whole


def index(description: str, space: Space, n: int = N):
    made = create_index(description, space)
    made.add([f"item {row}" for row in range(n)], codes(space, n, seed=1))
    return made


@pytest.fixture(params=FINE, ids=lambda case: f"{case[0]} {case[1].kind} {case[1].metric}")
def fine(request):
    description, space = request.param
    return index(description, space), codes(space, QUERIES, seed=2)


@pytest.fixture
def coarse():
    return index("exact", BITS), codes(BITS, QUERIES, seed=3)


def by_hand(fine, rows, queries, k):
    """All items in the order of the finer space, less those that are not on the list."""
    found = fine.search_rows(queries, len(fine))
    expected = [
        [(row, score) for row, score in zip(*pair, strict=True) if row >= 0 and row in set(listed.tolist())][:k]
        for listed, *pair in zip(rows, found.rows, found.scores, strict=True)
    ]
    return [[row for row, _ in one] for one in expected], [[score for _, score in one] for one in expected]


def told(found):
    there = [row[row >= 0].tolist() for row in found.rows]
    assert all((row[len(kept) :] == -1).all() for row, kept in zip(found.rows, there, strict=True))
    scores = [scores[: len(kept)].tolist() for scores, kept in zip(found.scores, there, strict=True)]
    return there, scores


@pytest.mark.parametrize("k", [1, 10, N + 5])
def test_with_every_item_it_is_the_plain_search(fine, coarse, k):
    found = shortlisted(coarse[0], fine[0], coarse[1], fine[1], N, k)
    plain = fine[0].search_rows(fine[1], k)
    np.testing.assert_array_equal(found.rows, plain.rows)
    np.testing.assert_array_equal(found.scores, plain.scores)
    assert (found.held == N).all()
    assert found.filter_seconds > 0 < found.rerank_seconds


def with_ties(index, queries, candidates: int, query_rows=None):
    """The nearest items but for the query's own, and all that are as near as the last of them."""
    whole = index.search_rows(queries, N)
    listed = np.full(whole.rows.shape, -1)
    for query, (rows, scores) in enumerate(zip(whole.rows, whole.scores, strict=True)):
        others = rows != (-1 if query_rows is None else query_rows[query])
        last = scores[others][candidates - 1]
        near = rows[others & (scores >= last)]
        listed[query, : len(near)] = near
    return listed


@pytest.mark.parametrize("candidates", [1, 5, 30])
def test_the_order_of_the_items_does_not_change_a_shortlist(candidates):
    draw = np.random.default_rng(candidates)
    bits = draw.integers(0, 4, (N, 2)).astype(np.uint8)  # few distinct codes: hundreds of equal distances
    points = draw.normal(size=(N, 3)).astype(np.float32)
    asked = bits[:20] ^ 1, points[:20]
    seen = []
    for order in (np.arange(N), draw.permutation(N)):
        coarse = create_index("exact", Space(16, Kind.BINARY, Metric.HAMMING))
        finer = create_index("exact", Space(3, Kind.DENSE, Metric.EUCLIDEAN))
        coarse.add([str(row) for row in order], bits[order])
        finer.add([str(row) for row in order], points[order])
        found = shortlisted(coarse, finer, *asked, candidates, 5)
        seen.append((np.where(found.rows < 0, -1, order[found.rows]).tolist(), found.held.tolist()))
    assert max(seen[0][1]) > candidates
    assert seen[0] == seen[1]


@pytest.mark.parametrize("candidates", [1, 7, 40])
def test_a_shortlist_is_ordered_as_by_hand(fine, coarse, candidates, monkeypatch):
    listed = with_ties(coarse[0], coarse[1], candidates)
    monkeypatch.setattr(shortlist, "BLOCK_CANDIDATES", 3 * candidates)  # some queries at a time
    found = shortlisted(coarse[0], fine[0], coarse[1], fine[1], candidates, 10)
    assert told(found) == by_hand(fine[0], listed, fine[1], 10)
    assert found.held.tolist() == (listed >= 0).sum(axis=1).tolist()
    assert (found.held >= candidates).all()


@pytest.mark.parametrize("radius", [0, 2, 5, 12])
def test_a_radius_lists_all_within_it(fine, coarse, radius, monkeypatch):
    monkeypatch.setattr(shortlist, "FIRST_FETCH", 4)
    bits = [np.unpackbits(part, axis=1, count=12).astype(int) for part in (coarse[1], coarse[0].codes())]
    inside = np.abs(bits[0][:, None] - bits[1][None]).sum(axis=2) <= radius
    listed = np.where(inside, np.arange(N), -1)
    found = shortlisted(coarse[0], fine[0], coarse[1], fine[1], k=10, radius=radius)
    assert found.held.tolist() == inside.sum(axis=1).tolist()
    assert told(found) == by_hand(fine[0], listed, fine[1], 10)


@pytest.mark.parametrize("bound", [{"candidates": 9}, {"candidates": N - 1}, {"candidates": N}, {"radius": 3}])
def test_an_item_is_no_answer_of_its_own(fine, bound):
    coarse = index("exact", BITS)
    query_rows = np.array([5, 155, -1, 17])  # 5 and 155 are equal
    asked = [one.codes()[np.where(query_rows < 0, 0, query_rows)] for one in (coarse, fine[0])]
    found = shortlisted(coarse, fine[0], *asked, k=9, query_rows=query_rows, **bound)
    assert not (found.rows == query_rows[:, None])[query_rows >= 0].any()
    if bound.get("candidates") == 9:
        listed = with_ties(coarse, asked[0], 9, query_rows)
        assert found.held.tolist() == (listed >= 0).sum(axis=1).tolist()
        assert told(found) == by_hand(fine[0], listed, asked[1], 9)


def test_scores_of_given_rows_are_those_of_a_search(fine):
    found = create_index("exact", fine[0].space)
    found.add(fine[0].ids, fine[0].codes())
    found = found.search_rows(fine[1], N)
    rows = found.rows.copy()
    rows[:, ::7] = -1
    np.testing.assert_array_equal(fine[0].score_rows(fine[1], rows), np.where(rows < 0, -np.inf, found.scores))
    assert fine[0].score_rows(fine[1], rows[:, :0]).shape == (QUERIES, 0)
    single = found.rows[:, 3:4]
    np.testing.assert_array_equal(fine[0].score_rows(fine[1], single), found.scores[:, 3:4])


@pytest.mark.parametrize("metric", [Metric.COSINE, Metric.DOT])
def test_posting_lists_and_rows_give_the_same_scores(metric):
    space = Space(24, Kind.SPARSE, metric)
    made, asked = index("sparse", space), codes(space, QUERIES, seed=2)
    rows = np.tile(np.random.default_rng(0).permutation(N), (QUERIES, 1))
    assert isinstance(made, Sparse)
    by_rows, by_lists = made._pairs(asked, rows), made._pairs(asked[[0]], rows[:1, :1])
    assert isinstance(by_rows, pairs.SparsePairs)
    assert isinstance(by_lists, pairs.PostingPairs)
    by_lists.queries = by_rows.queries
    np.testing.assert_array_equal(pairs.score_pairs(by_rows, rows), pairs.score_pairs(by_lists, rows))


def test_after_removal_rows_are_those_that_are_left(fine, coarse):
    for one in (coarse[0], fine[0]):
        one.remove([f"item {row}" for row in range(0, N, 3)])
    found = shortlisted(coarse[0], fine[0], coarse[1], fine[1], len(fine[0]), 5)
    np.testing.assert_array_equal(found.rows, fine[0].search_rows(fine[1], 5).rows)


def test_nothing_within_reach_is_no_answer(coarse):
    fine = index("exact", Space(2, Kind.DENSE, Metric.DOT))
    query = np.array([[255, 240]], np.uint8)
    reach = int(-coarse[0].search_rows(query, 1).scores[0, 0])
    found = shortlisted(coarse[0], fine, query, np.ones((1, 2), np.float32), k=2, radius=reach - 1)
    assert (found.rows.tolist(), found.held.tolist()) == ([[-1, -1]], [0])
    empty = index("exact", BITS, 0), index("exact", Space(2, Kind.DENSE, Metric.DOT), 0)
    found = shortlisted(*empty, query, np.ones((1, 2), np.float32), k=2)
    assert (found.rows.tolist(), found.held.tolist()) == ([[-1, -1]], [0])


@pytest.mark.parametrize("factory", ["HNSW16", "BHash12?nflip=3", "BHash2x6?nflip=1"])
def test_faiss_finds_the_shortlist(fine, factory):
    made, exact = index(f"faiss:{factory}", BITS), index("exact", BITS)
    asked = codes(BITS, QUERIES, seed=3)
    found = shortlisted(made, fine[0], asked, fine[1], k=10, radius=3)
    wanted = shortlisted(exact, fine[0], asked, fine[1], k=10, radius=3)
    assert told(found) == told(wanted)  # both tables guarantee three bits, and the graph is small
    with pytest.raises(NotInvertibleError, match="does not keep the codes"):
        shortlisted(exact, made, asked, asked)


def test_what_does_not_fit_is_refused(coarse):
    space = Space(3, Kind.DENSE, Metric.DOT)
    dense, asked = index("exact", space), codes(space, QUERIES, seed=2)
    cases = [
        (OptionError, "not both", {"candidates": 3, "radius": 1}, dense, asked),
        (OptionError, "at least 1 candidate", {"candidates": 0}, dense, asked),
        (OptionError, "from 0 to the 12 bits of the code; got 13", {"radius": 13}, dense, asked),
        (DimensionError, "the same queries in both spaces, got 25 and 2", {}, dense, asked[:2]),
        (CollectionError, "300 and 299", {}, index("exact", space, N - 1), asked),
    ]
    for error, message, bound, fine, queries in cases:
        with pytest.raises(error, match=message):
            shortlisted(coarse[0], fine, coarse[1], queries, **bound)
    with pytest.raises(OptionError, match="counts bits that differ, but the codes of the shortlist are dense"):
        shortlisted(dense, coarse[0], asked, coarse[1], radius=1)
    other = create_index(None, space)
    other.add([f"item {row}" for row in range(N)][::-1], dense.codes())
    with pytest.raises(CollectionError, match="in another order"):
        shortlisted(coarse[0], other, coarse[1], asked)
    for error, rows in [
        (BadItemError, [[300]]),
        (BadItemError, [[-2]]),
        (BadItemError, [[0.5]]),
        (DimensionError, [0]),
    ]:
        with pytest.raises(error):
            dense.score_rows(asked[:1], np.array(rows))


# -- a collection --------------------------------------------------------------------------------------------

COARSE = "pixels+pca:16+binarize"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    made = LocalCollection.create(tmp_path_factory.mktemp("shortlist") / "digits", open_corpus("digits"))
    made = made.add_space("pixels").add_space(COARSE, "faiss:BHash16?nflip=2")
    return made.add_space("pixels+pca:8", "faiss:HNSW8")


@pytest.mark.parametrize("spec", ["pixels", "pixels+pca:8"])
def test_a_collection_is_searched_and_the_cost_told(digits, spec):
    query = read_query(digits, "@7")
    found = rerank(digits, plan_of("pixels", spec, digits.items.size), query, 5)
    shown = [(answer.shown.id, answer.score) for answer in found.found.answers]
    encoder, holding = digits.space(spec).encoder, digits.codes_of(spec)
    exact = holding.search(encoder.encode_queries([query.content]), 6)[0]
    assert shown == [tuple(hit) for hit in exact if hit.id != "7"]
    assert (found.held, found.items, found.plan.rerank) == (1796, 1797, spec)
    assert set(found.milliseconds) == {"encode_shortlist", "encode_rerank", "shortlist", "rerank"}
    assert found.found.milliseconds == sum(found.milliseconds.values())
    assert min(found.milliseconds.values()) > 0
    if spec == "pixels":
        assert [answer.shown.id for answer in Searcher(digits, [spec]).search(query, 5)[0].answers] == [
            id for id, _ in shown
        ]


def test_bm25_is_asked_as_bm25(tmp_path):
    lines = [{"_id": str(n), "text": f"{w} fruit and {w} juice"} for n, w in enumerate(["apple", "pear", "plum"])]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    made = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "t.jsonl"))).add_space("bm25")
    made = made.add_space("bow+lsa:2+binarize")
    query = read_query(made, "plum juice")
    found = rerank(made, plan_of("bow+lsa:2+binarize", "bm25"), query, 3).found.answers
    plain = Searcher(made, ["bm25"]).search(query, 3)[0].answers
    assert [(one.shown.id, one.score) for one in found] == [(one.shown.id, one.score) for one in plain]


def told_by_the_command(digits, *arguments):
    return CliRunner().invoke(cli.app, ["search", str(digits.folder), "@7", *arguments])


def test_the_command_tells_the_answers_and_the_share(digits):
    asked = ["--shortlist", COARSE, "--rerank", "pixels", "-k", "3"]
    done = told_by_the_command(digits, *asked, "--radius", "2", "--json")
    found = json.loads(done.stdout)
    listed = found["shortlist"]
    assert (listed["spec"], listed["radius"], listed["candidates"], listed["items"]) == (COARSE, 2, None, 1797)
    assert listed["share"] == listed["held"] / 1797
    assert [space["spec"] for space in found["spaces"]] == ["pixels"]
    assert 0 < len(found["spaces"][0]["hits"]) <= 3
    assert (
        f"  {listed['held']} of 1,797 items, {listed['share']:.1%}: within 2 bits"
        in told_by_the_command(digits, *asked, "--radius", "2").stdout.splitlines()
    )
    assert "the 1,000 nearest" in told_by_the_command(digits, *asked).stdout


def test_an_empty_shortlist_says_so(digits):
    rows = [
        query
        for query in range(40)
        if rerank(digits, plan_of(COARSE, "pixels", None, 0), read_query(digits, f"@{query}")).held == 0
    ]
    done = CliRunner().invoke(
        cli.app,
        ["search", str(digits.folder), f"@{rows[0]}", "--shortlist", COARSE, "--rerank", "pixels", "--radius", "0"],
    )
    assert done.exit_code == 0
    assert "no answer: no item is on the shortlist: try a larger --radius" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--shortlist", COARSE], "--shortlist needs --rerank"),
        (["--rerank", "pixels"], "--rerank needs --shortlist"),
        (["--candidates", "9"], "--candidates limits a shortlist"),
        (["--radius", "2"], "--radius limits a shortlist"),
        (["--shortlist", COARSE, "--rerank", "pixls"], "did you mean 'pixels'"),
        (["--shortlist", "pixel+pca:16+binarize", "--rerank", "pixels"], f"did you mean '{COARSE}'"),
        (["--shortlist", "pixels", "--rerank", "pixels", "--radius", "2"], "codes of the shortlist are dense"),
        (["--shortlist", COARSE, "--rerank", "pixels", "--radius", "17"], "from 0 to the 16 bits"),
        (["--shortlist", COARSE, "--rerank", "pixels", "--candidates", "5"], "--candidates 5 is smaller than -k 10"),
        (["--shortlist", COARSE, "--rerank", "pixels", "-s", "pixels"], "leave -s out"),
        (["--shortlist", COARSE, "--rerank", "pixels", "--candidates", "50", "--radius", "2"], "leave one of them out"),
        (["--shortlist", COARSE, "--rerank", "pixels", "-k", "20000"], "k should be from 1 to 10,000"),
    ],
)
def test_bad_options_are_one_sentence(digits, arguments, words, monkeypatch, capsys):
    done = told_by_the_command(digits, *arguments)
    assert isinstance(done.exception, NearbyError)
    assert words in str(done.exception)
    monkeypatch.setattr("sys.argv", ["nearby", "search", str(digits.folder), "@7", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    told = capsys.readouterr()
    assert (end.value.code, told.out) == (2, "")
    assert told.err.startswith("nearby: ")
    assert told.err.count("\n") == 1
