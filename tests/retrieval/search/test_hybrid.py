"""A query answered by several spaces together."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import OptionError, QueryError, UnknownNameError
from encoders.registry import create
from retrieval.collection.filters import Filter
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.search.hybrid import fused_search, fusion_depth, require_fusible
from retrieval.search.read_query import read_query
from retrieval.search.searcher import MAX_K, Searcher


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    made = LocalCollection.create(tmp_path_factory.mktemp("fused") / "c", open_corpus("digits"))
    return made.add_space("pixels").add_space("pixels+pca:4").add_space("pixels+binarize")


def ids(answers) -> list[str]:
    return [answer.shown.id for answer in answers]


def mean_ranks(answers, depth: int) -> dict[str, float]:
    """The ranks of the first answers and of all that are as good as the last of them, by hand."""
    scores = [answer.score for answer in answers]
    last = scores[min(depth, len(scores)) - 1]
    return {
        answer.shown.id: sum(other > answer.score for other in scores) + (scores.count(answer.score) + 1) / 2
        for answer in answers
        if answer.score >= last
    }


@pytest.mark.parametrize("filters", [[], [Filter("label", "8")], [Filter("label", "3")]], ids=["all", "own", "others"])
def test_ranks_are_those_of_the_spaces_themselves_without_the_item_itself(digits, filters):
    specs = ["pixels+binarize", "pixels", "pixels+pca:4"]
    searcher, query = Searcher(digits, specs), read_query(digits, "@8")
    fused = fused_search(searcher, query, 30, 30, filters)
    alone = [mean_ranks(found.answers, 30) for found in searcher.search(query, 1796, filters)]
    assert [space.spec for space in fused.spaces] == specs
    assert len(fused.answers) == len(fused.ranks) == 30
    assert "8" not in ids(fused.answers)
    for id, ranks in zip(ids(fused.answers), fused.ranks, strict=True):
        assert ranks == tuple(place.get(id) for place in alone)
    assert {answer.relevant for answer in fused.answers} <= {True, False}
    expected = {id: sum(1 / (60 + place[id]) for place in alone if id in place) for place in alone for id in place}
    best = sorted(expected.values(), reverse=True)[:30]
    assert [answer.score for answer in fused.answers] == pytest.approx(best)


@pytest.mark.parametrize("spec", ["pixels+binarize", "pixels+kmeans:3"])
def test_the_order_of_the_corpus_does_not_change_what_is_fused(tmp_path, spec):
    with_ids = {item.id: item for item in open_corpus("digits")}
    chosen = list(with_ids)[:120]
    seen = []
    for name, order in (("one", chosen), ("other", chosen[::-1])):
        np.savez(
            tmp_path / f"{name}.npz",
            ids=np.array(order),
            vectors=np.stack([np.asarray(with_ids[id].content, np.float32).ravel() // 4 for id in order]),
        )
        corpus = open_corpus(str(tmp_path / f"{name}.npz"))
        specs = ["vectors", spec.replace("pixels", "vectors")]
        made = LocalCollection.create(tmp_path / f"c-{name}", corpus)
        for one in specs:
            saved = tmp_path / f"{name}-{len(made.spaces)}"
            create(one).fit(open_corpus(str(tmp_path / "one.npz")).batches()).save(saved)
            made = made.add_space(str(saved))
        fused = fused_search(Searcher(made), read_query(made, f"@{chosen[3]}"), 20, 20)
        seen.append((ids(fused.answers), fused.ranks, [answer.score for answer in fused.answers]))
    assert len({ranks[1] for ranks in seen[0][1]}) < 20  # equal scores share a rank
    assert seen[0] == seen[1]


def test_equal_scores_that_go_on_beyond_the_deepest_search_are_not_used(digits, monkeypatch):
    monkeypatch.setattr("retrieval.search.hybrid.MAX_K", 40)
    made = digits.add_space("pixels+kmeans:2") if "pixels+kmeans:2" not in digits.spaces else digits
    fused = fused_search(Searcher(made, ["pixels", "pixels+kmeans:2"]), read_query(made, "@8"), 10, 20)
    assert {ranks[1] for ranks in fused.ranks} == {None}
    assert [ranks[0] for ranks in fused.ranks] == list(range(1, 11))


def test_all_spaces_are_asked_at_once_and_deep_enough(digits, monkeypatch):
    asked = []
    plain = LocalCollection.search
    monkeypatch.setattr(LocalCollection, "search", lambda *given: asked.append(given[1:]) or plain(*given))
    monkeypatch.setattr(LocalCollection, "codes_of", None)
    fused = fused_search(Searcher(digits, ["pixels", "pixels+pca:4"]), read_query(digits, "@8"), 5)
    ((spaces, k, filters),) = asked
    assert ([spec for spec, _ in spaces], k, filters) == (["pixels", "pixels+pca:4"], 102, ())
    assert fused.depth == 100
    assert fused.milliseconds > 0


def test_as_many_hits_as_answers_at_least():
    assert [fusion_depth(None, k) for k in (1, 100, 101, 5000)] == [100, 100, 101, 5000]
    assert fusion_depth(7, 7) == 7
    for depth, k in ((6, 7), (MAX_K + 1, 7)):
        with pytest.raises(OptionError):
            fusion_depth(depth, k)


def test_a_deeper_list_finds_what_a_short_one_leaves_to_one_space(digits):
    searcher, query = Searcher(digits, ["pixels", "pixels+pca:4"]), read_query(digits, "@8")
    short, deep = fused_search(searcher, query, 10, 10), fused_search(searcher, query, 10, 1000)
    assert any(None in ranks for ranks in short.ranks)
    assert not any(None in ranks for ranks in deep.ranks)


@pytest.mark.parametrize("specs", [["pixels"], ["pixels", "pixels"]])
def test_one_space_is_not_fused(digits, specs):
    with pytest.raises(OptionError, match="needs at least two spaces, but only 'pixels' is given: add -s"):
        fused_search(Searcher(digits, specs), read_query(digits, "@8"))


def test_options_that_say_nothing_are_refused():
    require_fusible(None)
    require_fusible("rrf", 7)
    with pytest.raises(OptionError, match=r"--depth .* add --fuse rrf"):
        require_fusible(None, 7)
    with pytest.raises(UnknownNameError, match="unknown fusion 'rff'; did you mean 'rrf'"):
        require_fusible("rff")


@pytest.fixture
def texts(tmp_path):
    lines = '{"id":"1","text":"the pear"}\n{"id":"2","text":"the apple"}\n{"id":"3","text":"the the plum"}\n'
    (tmp_path / "t.jsonl").write_text(lines)
    made = LocalCollection.create(tmp_path / "texts", open_corpus(str(tmp_path / "t.jsonl")))
    return made.add_space("bm25").add_space("bow:stop=none")


def test_a_space_that_cannot_answer_says_why_and_the_others_answer(texts):
    fused = fused_search(Searcher(texts), read_query(texts, "the"))  # a stop word of the first space
    assert [space.note is None for space in fused.spaces] == [False, True]
    assert "no word of the query is known to the space 'bm25'" in fused.spaces[0].note
    assert {ranks[0] for ranks in fused.ranks} == {None}
    assert [ranks[1] for ranks in fused.ranks] == [1, 2.5, 2.5]  # twice "the", and two texts with one of two words
    with pytest.raises(QueryError, match="no word of the query is known to the space 'bm25'"):
        fused_search(Searcher(texts), read_query(texts, "zzz"))
