"""A collection on the real server beside the same one on disk: same answers, and nothing half done."""

from __future__ import annotations

import json

import numpy as np
import pytest

from encoders.errors import CollectionError, CorpusError, IndexGoneError, OptionError, UnsupportedSpaceError
from encoders.registry import create
from indexers.elasticsearch.ownership import ANOTHER
from retrieval.collection.elasticsearch import bulk_load as loading
from retrieval.collection.elasticsearch.cleanup import indexes_at, remove_stale
from retrieval.collection.filters import Filter
from retrieval.collection.indexing import IndexRequest, index_by_request, index_corpus
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import compare_collection
from retrieval.search.hybrid import fused_search
from retrieval.search.read_query import read_query
from retrieval.search.searcher import Searcher

SPACES = ("bm25", "tfidf+lsa:16", "tfidf+lsa:16+binarize")
ODD = ["", "x" * 600, "~x", "🦊", "two\nlines"]


def rows(count, version="old"):
    words = "river bank money loan water boat fish rate credit stream tide bond".split()
    draw = np.random.default_rng(7)
    for number in range(count):
        chosen = draw.choice(words, 12).tolist()
        yield {"id": f"d{number}", "text": " ".join([*chosen, f"w{number % 50}", version]), "label": str(number % 3),
               "year": str(2000 + number % 2), "a.b": "dotted"}  # fmt: skip


@pytest.fixture
def corpus(tmp_path):
    def written(count=300, name="news", version="old"):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows(count, version)), encoding="utf-8")
        return open_corpus(str(path))

    return written


@pytest.fixture
def address(elasticsearch_url, index_name):
    return f"elasticsearch:{elasticsearch_url}/{index_name},flat"


def indexed(folder, corpus, address, specs=SPACES, **more):
    return index_by_request(IndexRequest(tuple(specs), folder, address, **more), corpus)


def answers(collection, text="river water loan", k=20, filters=()):
    return [
        [answer.shown.id for answer in one.answers]
        for one in Searcher(collection).search(read_query(collection, text), k, filters)
    ]


@pytest.fixture
def both(tmp_path, corpus, address):
    local = index_corpus(tmp_path / "local", corpus(), list(SPACES))
    return local, indexed(tmp_path / "served", corpus(), address)


def test_measures_equal_those_of_a_local_collection(both):
    local, served = (compare_collection(one).spaces for one in both)
    for mine, its in zip(local, served, strict=True):
        assert mine.spec == its.spec
        for measure, value in mine.measures.items():
            assert its.measures[measure] == pytest.approx(value, abs=0.02 if mine.kind != "dense" else 0.002)


def test_hits_of_several_spaces_are_those_of_each_and_of_a_local_collection(both):
    local, served = both
    asked = [(spec, served.space(spec).encoder.encode_queries(["river water loan"])) for spec in SPACES]
    together = served.search(asked, 10)
    assert together == [served.search([one], 10)[0] for one in asked]
    for spec, hits, mine in zip(SPACES, together, local.search(asked, 10), strict=True):
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in mine], abs=1e-3), spec


def test_filters_and_fusion_are_those_of_a_local_collection(both):
    wanted = [Filter("label", "1"), Filter("year", "2001")]
    for text in ("river water", "credit bond"):
        local, served = (answers(one, text, 5, wanted)[1] for one in both)
        assert served == local
        lists = [fused_search(Searcher(one, SPACES[:2]), read_query(one, text), 5).answers for one in both]
        assert [answer.shown.id for answer in lists[0]] == [answer.shown.id for answer in lists[1]]
    assert answers(both[1], filters=[Filter("a.b", "dotted")])[1]


def test_adding_twice_changes_nothing_and_a_changed_item_is_replaced(both):
    _, served = both
    items = list(served.items)
    _, change = served.put(items)
    assert (change.added, change.changed, change.unchanged) == ([], [], 300)
    served, change = served.put([Item("d7", "zebra zebra", label="9"), Item("new", "a new river")])
    assert (change.added, change.changed) == (["new"], ["d7"])
    assert served.items.size == 301
    assert served.items.get(["d7"])[0].label == "9"
    served.delete(["new", "d0"])
    assert served.items.size == 299
    with pytest.raises(CollectionError, match="holds no item 'd0'"):
        served.delete(["d0"])


def test_odd_ids_come_back_as_they_went(tmp_path, address):
    path = tmp_path / "odd.jsonl"
    path.write_text(
        "".join(json.dumps({"id": id, "text": f"river {place}"}) + "\n" for place, id in enumerate(ODD) if id),
        encoding="utf-8",
    )
    served = indexed(tmp_path / "served", open_corpus(str(path)), address, ["bm25"])
    ids = [id for id in ODD if id]
    assert [item.id for item in served.items] == ids
    assert set(answers(served, "river")[0]) == set(ids)
    served.delete(ids[:1])
    assert [item.id for item in served.items] == ids[1:]


# -- building --------------------------------------------------------------------------------------------------------


def test_parts_come_in_any_order_and_twice(tmp_path, corpus, address, monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 32)
    folders = []
    for place, spec in enumerate(SPACES[:2]):
        create(spec).fit(corpus().batches()).save(tmp_path / str(place))
        folders.append(str(tmp_path / str(place)))
    with pytest.raises(OptionError, match="the shards of a load share encoders"):
        indexed(None, corpus(), address, ["bm25"], shard="1/3")
    for part in ("3/3", "1/3", "3/3"):
        assert indexed(None, corpus(), address, folders, shard=part) is None
    with pytest.raises(CollectionError, match=r"1 of 3 shards .* not loaded: load 2/3"):
        indexed(tmp_path / "served", None, address, folders, finish=True)
    with pytest.raises(CollectionError, match=r"is not the one that the shards of .* are read from"):
        indexed(None, corpus(200, "shorter"), address, folders, shard="2/3")
    indexed(None, corpus(), address, folders, shard="2/3")
    served = indexed(tmp_path / "served", None, address, folders, finish=True)
    assert [item.id for item in served.items] == [f"d{number}" for number in range(300)]
    assert not indexes_at(address).stale
    again = indexed(tmp_path / "again", None, address, folders, finish=True)
    assert answers(again) == answers(served)


def test_a_rebuild_takes_the_place_of_the_old_and_readers_keep_theirs(tmp_path, corpus, address):
    folder = tmp_path / "served"
    before = indexed(folder, corpus(), address, ["bm25"])
    with pytest.raises(CollectionError, match="holds other items"):
        indexed(folder, corpus(120, "next", "new"), address, ["bm25"])
    after = indexed(folder, corpus(120, "next", "new"), address, ["bm25"], rebuild=True)
    assert (before.items.size, after.items.size) == (300, 120)
    assert answers(before, "old")[0]
    assert answers(open_collection(folder), "new")[0]
    assert before.index_name != after.index_name
    indexed(folder, corpus(60, "third", "third"), address, ["bm25"], rebuild=True)
    assert not after.admin.exists(before.index_name)  # only the one before is kept
    with pytest.raises((CollectionError, IndexGoneError)):
        answers(before, "old")


def test_a_failure_before_the_swap_leaves_the_old_one(tmp_path, corpus, address, monkeypatch):
    folder = tmp_path / "served"
    before = indexed(folder, corpus(), address, ["bm25"])
    monkeypatch.setattr("indexers.elasticsearch.index_admin.IndexAdmin.count", lambda *_: 7)
    with pytest.raises(CollectionError, match=r"holds 7 of 120 items, so it is not served"):
        indexed(folder, corpus(120, "next", "new"), address, ["bm25"], rebuild=True)
    monkeypatch.undo()
    assert open_collection(folder).index_name == before.index_name
    assert answers(open_collection(folder), "old")[0]
    left = remove_stale(indexes_at(address), yes=True).stale
    assert [(one.documents, one.loading) for one in left] == [(120, True)]
    assert not indexes_at(address).stale


def test_encoders_of_another_folder_are_refused(tmp_path, corpus, address):
    indexed(tmp_path / "one", corpus(), address, ["bm25"])
    with pytest.raises(CollectionError, match="already serves another collection"):
        indexed(tmp_path / "two", corpus(120, "next", "new"), address, ["bm25"])
    indexed(tmp_path / "two", corpus(120, "next", "new"), address, ["bm25"], rebuild=True)
    indexed(tmp_path / "three", corpus(90, "third", "third"), address, ["bm25"], rebuild=True)
    # each folder made its own: what one has made, another neither searches nor removes
    assert answers(open_collection(tmp_path / "one"), "old")[0]
    assert [one.maker for one in indexes_at(address).stale] == [ANOTHER, ANOTHER]
    assert remove_stale(indexes_at(address)).removed == ()
    assert len(remove_stale(indexes_at(address), yes=True).removed) == 2
    with pytest.raises((CollectionError, IndexGoneError), match="was indexed again from another folder"):
        open_collection(tmp_path / "one")


def test_what_cannot_be_served_is_refused_before_any_work(tmp_path, corpus, address, elasticsearch_client, index_name):
    for spec in ("tfidf", "bow", "bm25:method=bm25l"):
        with pytest.raises(
            UnsupportedSpaceError,
            match=r"cannot hold the sparse codes of .* it takes bm25 with method=lucene; use that",
        ):
            indexed(tmp_path / "served", corpus(), address, [spec])
    assert not elasticsearch_client.indices.get(index=f"{index_name}-*")
    assert not (tmp_path / "served").exists()
    with pytest.raises(OptionError, match="nothing to resume in"):
        indexed(tmp_path / "served", corpus(), address, ["bm25"], resume=True)
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(CorpusError):
        indexed(tmp_path / "served", open_corpus(str(empty)), address, ["bm25"])


def test_a_collection_that_an_older_nearby_loaded_is_read_but_not_compared(
    tmp_path, corpus, address, elasticsearch_client
):
    served = indexed(tmp_path / "c", corpus(6), address, ("bm25",))
    meta = {**served.admin.meta(served.index_name), "format": 1}
    served.admin.set_meta(served.index_name, meta)
    old = open_collection(tmp_path / "c")
    assert len(old.items.matching([Filter("year", "2001")])) == 3
    for refused in (lambda: old.items.matching([Filter("year", "2001", ">=")]), lambda: old.put([Item("n", "river")])):
        with pytest.raises(CollectionError, match=r"an older nearby loaded this collection.*again with --rebuild"):
            refused()
    assert old.delete(["d1"]).items.size == 5
    assert old.admin.meta(old.index_name)["format"] == 1
    assert indexed(tmp_path / "c", corpus(6), address, ("bm25",), rebuild=True).items.matching(
        [Filter("year", "2001", ">=")]
    ) == ["d1", "d3", "d5"]
