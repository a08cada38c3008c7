"""What `nearby index` does: refuse early, leave nothing useless behind, go on where it stopped."""

from __future__ import annotations

import pytest

from encoders.errors import NearbyError, OptionError
from encoders.registry import create
from retrieval.collection.indexing import index_corpus
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.spaces.space_encoder import encoder_of


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "texts.csv").write_text("text\nred apples\ngreen pears\nred plums\n")
    return open_corpus(str(tmp_path / "texts.csv"))


@pytest.mark.parametrize("spec", ["tfidf:min-df=7", "tfidf+lsa:99"])
def test_a_first_space_that_cannot_be_had_leaves_no_collection(tmp_path, corpus, spec):
    with pytest.raises(NearbyError):
        index_corpus(tmp_path / "c", corpus, [spec])
    assert not (tmp_path / "c").exists()


def test_a_later_space_that_cannot_be_had_leaves_the_others(tmp_path, corpus):
    with pytest.raises(NearbyError):
        index_corpus(tmp_path / "c", corpus, ["bm25", "tfidf:min-df=7"])
    assert list(LocalCollection(tmp_path / "c").spaces) == ["bm25"]
    assert list(index_corpus(tmp_path / "c", corpus, ["bm25", "tfidf"]).spaces) == ["bm25", "tfidf"]


@pytest.mark.parametrize("index", ["faiss:", "faiss:XX", "faiss:Flat?nprobe=3", "exact?x=1", "sparse:x", "auto:x"])
def test_an_index_that_cannot_be_is_refused_before_any_work(tmp_path, corpus, index, monkeypatch):
    monkeypatch.setattr(LocalCollection, "create", lambda *_: pytest.fail("the corpus was stored"))
    with pytest.raises(OptionError):
        index_corpus(tmp_path / "c", corpus, ["bm25"], index)


def test_a_space_that_is_there_with_another_index_is_not_passed_over(tmp_path, corpus):
    index_corpus(tmp_path / "c", corpus, ["tfidf+lsa:1"], "faiss:Flat")
    assert index_corpus(tmp_path / "c", corpus, ["tfidf+lsa:1"], "faiss:Flat").generation == 2
    with pytest.raises(
        OptionError, match=r"has the index 'faiss:Flat': for 'exact' index the corpus in another folder"
    ):
        index_corpus(tmp_path / "c", corpus, ["tfidf+lsa:1"], "exact")


def test_a_folder_that_is_called_like_a_space_does_not_take_its_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    create("bow:2").fit(["one text", "another text"]).save(tmp_path / "bow")
    assert not encoder_of("bow").__sklearn_is_fitted__()
    assert encoder_of("./bow").__sklearn_is_fitted__()
    (tmp_path / "bow").rename(tmp_path / "mine")
    assert str(encoder_of("mine")) == "bow:2"


def test_spaces_that_are_kept_when_a_later_one_fails_are_named(tmp_path, corpus):
    said: list[str] = []
    specs = ["bm25", "tfidf", "tfidf+lsa:10000", "bow"]
    with pytest.raises(NearbyError):
        index_corpus(tmp_path / "c", corpus, specs, say=said.append)
    assert "keeps 2 spaces: bm25, tfidf; not indexed: tfidf+lsa:10000, bow." in said[-1]
    assert list(LocalCollection(tmp_path / "c").spaces) == ["bm25", "tfidf"]
    done = index_corpus(tmp_path / "c", corpus, ["bm25", "tfidf", "bow"])
    assert list(done.spaces) == ["bm25", "tfidf", "bow"]
