"""A query answered by several spaces together."""

from __future__ import annotations

import pytest

from encoders.errors import OptionError, QueryError, UnknownNameError
from retrieval.collection.filters import Filter
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.search.hybrid import depth_of, fused_search, require_fusible
from retrieval.search.searcher import MOST, Searcher, read_query


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    made = LocalCollection.create(tmp_path_factory.mktemp("fused") / "c", open_corpus("digits"))
    return made.add_space("pixels").add_space("pixels+pca:4").add_space("pixels+binarize")


def ids(answers) -> list[str]:
    return [answer.shown.id for answer in answers]


@pytest.mark.parametrize("filters", [[], [Filter("label", "8")], [Filter("label", "3")]], ids=["all", "own", "others"])
def test_ranks_are_those_of_the_spaces_themselves_without_the_item_itself(digits, filters):
    specs = ["pixels+binarize", "pixels", "pixels+pca:4"]
    searcher, query = Searcher(digits, specs), read_query(digits, "@8")
    fused = fused_search(searcher, query, 30, 30, filters)
    alone = [ids(found.answers) for found in searcher.search(query, 30, filters)]
    assert [space.spec for space in fused.spaces] == specs
    assert len(fused.answers) == len(fused.ranks) == 30
    assert "8" not in ids(fused.answers)
    for id, ranks in zip(ids(fused.answers), fused.ranks, strict=True):
        assert ranks == tuple(place.index(id) + 1 if id in place else None for place in alone)
    assert {answer.relevant for answer in fused.answers} <= {True, False}
    expected = {
        id: sum(1 / (61 + place.index(id)) for place in alone if id in place) for place in alone for id in place
    }
    best = sorted(expected.values(), reverse=True)[:30]
    assert [answer.score for answer in fused.answers] == pytest.approx(best)


def test_all_spaces_are_asked_at_once_and_deep_enough(digits, monkeypatch):
    asked = []
    plain = LocalCollection.search
    monkeypatch.setattr(LocalCollection, "search", lambda *given: asked.append(given[1:]) or plain(*given))
    monkeypatch.setattr(LocalCollection, "codes_of", None)
    fused = fused_search(Searcher(digits, ["pixels", "pixels+pca:4"]), read_query(digits, "@8"), 5)
    ((spaces, k, filters),) = asked
    assert ([spec for spec, _ in spaces], k, filters) == (["pixels", "pixels+pca:4"], 101, ())
    assert fused.depth == 100
    assert fused.milliseconds > 0


def test_as_many_hits_as_answers_at_least():
    assert [depth_of(None, k) for k in (1, 100, 101, 5000)] == [100, 100, 101, 5000]
    assert depth_of(7, 7) == 7
    for depth, k in ((6, 7), (MOST + 1, 7)):
        with pytest.raises(OptionError):
            depth_of(depth, k)


def test_a_deeper_list_finds_what_a_short_one_leaves_to_one_space(digits):
    searcher, query = Searcher(digits, ["pixels", "pixels+pca:4"]), read_query(digits, "@8")
    short, deep = fused_search(searcher, query, 10, 10), fused_search(searcher, query, 10, 1000)
    assert any(None in ranks for ranks in short.ranks)
    assert not any(None in ranks for ranks in deep.ranks)


@pytest.mark.parametrize("specs", [["pixels"], ["pixels", "pixels"]])
def test_one_space_is_not_fused(digits, specs):
    with pytest.raises(OptionError, match="joins the lists of several spaces, and here is one, 'pixels': add -s"):
        fused_search(Searcher(digits, specs), read_query(digits, "@8"))


def test_options_that_say_nothing_are_refused():
    require_fusible(None)
    require_fusible("rrf", 7)
    with pytest.raises(OptionError, match=r"--depth .* give --fuse rrf too"):
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
    assert [ranks[1] for ranks in fused.ranks] == [1, 2, 3]
    with pytest.raises(QueryError, match="no word of the query is known to the space 'bm25'"):
        fused_search(Searcher(texts), read_query(texts, "zzz"))
