"""Spaces and parts that are added to what is served: nothing is fitted anew, nothing of another corpus slips in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from encoders.errors import CollectionError, NearbyError, OptionError
from encoders.registry import create
from indexers.elasticsearch.address import Address
from retrieval.collection.elasticsearch import bulk_load as loading
from retrieval.collection.elasticsearch import indexing
from retrieval.collection.elasticsearch import swap as building
from retrieval.collection.elasticsearch.cleanup import indexes_at, remove_stale
from retrieval.collection.indexing import IndexRequest, index_by_request
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.item_record import items_digest
from retrieval.corpora.registry import open_corpus

WORDS = "river bank money loan water boat fish rate credit stream tide bond".split()


def text(number, version=""):
    return " ".join(WORDS[(number * step) % 12] for step in (1, 3, 5, 7)) + f" n{number} {version}"


@pytest.fixture
def corpus(tmp_path):
    def written(count=60, name="news", version=""):
        path = tmp_path / f"{name}.jsonl"
        rows = ({"id": f"d{number}", "text": text(number, version)} for number in range(count))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return open_corpus(str(path))

    return written


@pytest.fixture
def address(elasticsearch_url, index_name):
    return f"elasticsearch:{elasticsearch_url}/{index_name},flat"


def indexed(folder, corpus, address, *specs, said=None, **more):
    return index_by_request(
        IndexRequest(specs, folder, address, **more), corpus, say=[].append if said is None else said.append
    )


def digests(collection):
    return {spec: record.encoder_digest for spec, record in collection.spaces.items()}


# -- spaces -----------------------------------------------------------------------------------------------------------


def test_a_space_is_added_and_the_others_keep_their_encoders(tmp_path, corpus, address):
    create("tfidf+lsa:4").fit([text(number) for number in range(30)]).save(tmp_path / "lsa")  # of other texts
    first = indexed(tmp_path / "c", corpus(), address, str(tmp_path / "lsa"))
    said = []
    second = indexed(tmp_path / "c", corpus(), address, "bm25", said=said)
    assert list(second.spaces) == ["tfidf+lsa:4", "bm25"]
    assert digests(second)["tfidf+lsa:4"] == digests(first)["tfidf+lsa:4"]
    assert [line for line in said if line.startswith("fitting")] == ["fitting bm25 on 60 items"]
    assert second.index_name != first.index_name
    said.clear()
    again = indexed(tmp_path / "c", corpus(), address, "bm25", "tfidf+lsa:4", said=said)
    assert again.index_name == second.index_name
    assert said == ["tfidf+lsa:4, bm25 already indexed"]


def test_a_space_that_is_named_twice_is_one(tmp_path, corpus, address):
    served = indexed(tmp_path / "c", corpus(), address, "bm25", "bm25:k1=1.2")
    assert list(served.spaces) == ["bm25"]
    served = indexed(tmp_path / "c", corpus(), address, "bm25:b=0.75", "tfidf+lsa:4")
    assert list(served.spaces) == ["bm25", "tfidf+lsa:4"]
    assert [record.field for record in served.meta.spaces] == ["s0", "s1"]


def test_what_is_there_is_not_passed_over_when_something_else_was_asked_for(tmp_path, corpus, address):
    indexed(tmp_path / "c", corpus(), address, "tfidf+lsa:4")
    create("tfidf+lsa:4").fit([text(number, "x") for number in range(9)]).save(tmp_path / "other")
    with pytest.raises(OptionError, match=r"is not the one in .*other, though its spec is the same"):
        indexed(tmp_path / "c", corpus(), address, str(tmp_path / "other"))
    for index in (address.replace(",flat", ""), f"{address}?num_candidates=7"):
        with pytest.raises(OptionError, match=r"has the index '.*': for '.*' index it again with --rebuild"):
            indexed(tmp_path / "c", corpus(), index, "tfidf+lsa:4")
    rebuilt = indexed(tmp_path / "c", corpus(), address, str(tmp_path / "other"), rebuild=True)
    assert digests(rebuilt)["tfidf+lsa:4"] == digests(open_collection(tmp_path / "c"))["tfidf+lsa:4"]
    assert rebuilt.space("tfidf+lsa:4").encoder.fitted_on != rebuilt.items_digest


def test_a_second_folder_searches_the_same_index_and_one_of_another_corpus_is_refused(tmp_path, corpus, address):
    first = indexed(tmp_path / "one", corpus(), address, "bm25")
    said = []
    second = indexed(tmp_path / "two", corpus(), address, "bm25", said=said)
    assert second.index_name == first.index_name
    assert said[-1] == f"{first.index_name} is already served"
    said.clear()
    for other, specs in ((corpus(60, "other", "x"), ["bm25"]), (corpus(), ["tfidf+lsa:4"])):
        with pytest.raises(CollectionError, match=r"already serves another collection .*with --rebuild"):
            indexed(tmp_path / "three", other, address, *specs, said=said)
    assert said == []  # refused before anything was fitted
    assert not (tmp_path / "three").exists()
    assert not indexes_at(address).stale


def test_a_maker_that_is_killed_after_the_swap_has_only_the_folder_to_write(tmp_path, corpus, address, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(indexing, "published", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            indexed(tmp_path / "c", corpus(), address, "bm25")
    name = indexes_at(address).served
    monkeypatch.setattr(building, "load", lambda *_, **__: pytest.fail("it was loaded again"))
    assert indexed(tmp_path / "c", corpus(), address, "bm25").index_name == name
    assert not (tmp_path / "c" / "work").exists()


# -- loads that die ---------------------------------------------------------------------------------------------------


class Dying(Corpus):
    """Another corpus, which fails on its `passes`-th pass after some items."""

    def __init__(self, corpus, passes, after):
        self.corpus, self.passes, self.after = corpus, passes, after
        self.name, self.modality = corpus.name, corpus.modality

    def __iter__(self):
        self.passes -= 1
        for place, item in enumerate(self.corpus):
            if self.passes == 0 and place == self.after:
                raise OSError("the disk was pulled out")
            yield item


def test_a_load_whose_corpus_fails_sends_only_what_is_missing(tmp_path, corpus, address, monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 10)
    dying = Dying(corpus(), passes=3, after=45)  # counted, fitted, loaded
    with pytest.raises(OSError, match="pulled out"):
        indexed(tmp_path / "c", dying, address, "bm25")
    assert [one.loading for one in indexes_at(address).stale] == [True]
    sent = []
    real = loading.document_of
    monkeypatch.setattr(loading, "document_of", lambda item, *rest: sent.append(item.id) or real(item, *rest))
    said = []
    served = indexed(tmp_path / "c", corpus(), address, "bm25", said=said)
    held = 60 - len(sent)
    assert sent == [f"d{number}" for number in range(held, 60)]
    assert [item.id for item in served.items] == [f"d{number}" for number in range(60)]
    assert not any("fitting" in line for line in said)
    assert f"resuming the load of 60 items into {served.index_name}" in said


def test_an_unfinished_load_of_another_corpus_is_named_and_cleaned_away(tmp_path, corpus, address, monkeypatch):
    with pytest.raises(OSError, match="pulled out"):
        indexed(tmp_path / "c", Dying(corpus(), passes=3, after=5), address, "bm25")
    with pytest.raises(
        CollectionError, match=r"another load of '.*' is unfinished \(corpus .*news.jsonl, spaces bm25\)"
    ):
        indexed(tmp_path / "d", corpus(30, "other"), address, "bm25")
    assert [one.loading for one in remove_stale(indexes_at(address), yes=True).stale] == [True]
    assert indexed(tmp_path / "d", corpus(30, "other"), address, "bm25").items.size == 30


# -- parts ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def encoder(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 7)
    create("bm25").fit([text(number) for number in range(60)]).save(tmp_path / "bm25")
    return str(tmp_path / "bm25")


def part(corpus, address, encoder, which):
    return index_by_request(IndexRequest((encoder,), None, address, shard=which), corpus)


def test_a_shard_of_other_items_is_refused_before_any_of_them_is_sent(tmp_path, corpus, address, encoder):
    part(corpus(), address, encoder, "1/2")
    with pytest.raises(CollectionError, match=r"is not the one that the shards of .* --clean --yes"):
        part(corpus(60, "other", "x"), address, encoder, "2/2")
    with pytest.raises(CollectionError, match=r"1 of 2 shards .* are not loaded: load 2/2"):
        indexed(tmp_path / "c", None, address, encoder, finish=True)
    part(corpus(), address, encoder, "2/2")
    served = indexed(tmp_path / "c", None, address, encoder, finish=True)
    assert [item.content for item in served.items] == [item.content for item in corpus()]


@pytest.fixture
def tamper(address, elasticsearch_client):
    """Change the index that is being loaded behind nearby's back."""
    name = f"{Address.read(address.partition(':')[2]).name}.next"

    def change(operation, key, **fields):
        if operation == "delete":
            elasticsearch_client.delete(index=name, id=key, refresh=True)
        elif operation == "update":
            elasticsearch_client.update(index=name, id=key, doc=fields, refresh=True)
        else:
            elasticsearch_client.index(index=name, id=key, document=fields, refresh=True)

    return change


def test_finish_checks_every_item_and_names_what_helps(tmp_path, corpus, address, encoder, tamper):
    for which in ("1/2", "2/2"):
        part(corpus(), address, encoder, which)

    def finish():
        return indexed(tmp_path / "c", None, address, encoder, finish=True)

    tamper("delete", "d3")
    with pytest.raises(CollectionError, match=r"holds 59 of 60 items.*: load every shard again with --shard"):
        finish()
    part(corpus(), address, encoder, "1/2")  # what is said to help does
    tamper("update", "d9", place=2)  # the position of another item
    with pytest.raises(CollectionError, match=r"60 of 60 items \(shard 1, 2\).* remove it with .* --clean --yes"):
        finish()
    part(corpus(), address, encoder, "2/2")
    tamper("update", "d4", digest="00" * 32)
    with pytest.raises(
        CollectionError, match=r"60 of 60 items \(shard 1\), so it is not served: some items or positions differ"
    ):
        finish()
    tamper("index", "theirs", place=60)
    with pytest.raises(CollectionError, match=r"61 of 60 items.*another load.*--clean --yes"):
        finish()
    assert indexes_at(address).served is None
    assert remove_stale(indexes_at(address), yes=True).removed
    for which in ("1/2", "2/2"):
        part(corpus(), address, encoder, which)
    assert finish().items.size == 60


def test_a_load_that_an_older_nearby_began_says_how_it_is_begun_again(
    tmp_path, corpus, address, encoder, elasticsearch_client
):
    part(corpus(), address, encoder, "1/1")
    name = f"{Address.read(address.partition(':')[2]).name}-000001"
    meta = elasticsearch_client.indices.get_mapping(index=name)[name]["mappings"]["_meta"]
    older = {key: "" if key == "items" else meta[key] for key in meta if key not in ("identity", "count", "checksum")}
    elasticsearch_client.indices.put_mapping(index=name, meta=older)
    record = {"number": 1, "of": 1, "read": 60, "items": 60, "digest": meta["items"], "costs": []}
    elasticsearch_client.index(index=name, id="~part 1", document={"part": record})
    for command in (
        lambda: indexed(tmp_path / "c", None, address, encoder, finish=True),
        lambda: part(corpus(), address, encoder, "1/1"),
    ):
        with pytest.raises(CollectionError, match="--clean --yes"):
            command()
    remove_stale(indexes_at(address), yes=True)
    part(corpus(), address, encoder, "1/1")
    assert indexed(tmp_path / "c", None, address, encoder, finish=True).items.size == 60


def test_two_items_of_one_id_in_different_shards_are_said_to_be_so(tmp_path, address, encoder):
    path = tmp_path / "double.jsonl"
    rows = [{"id": f"d{number}", "text": text(number)} for number in range(20)]
    rows[15]["id"] = "d3"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for which in ("1/2", "2/2"):
        part(open_corpus(str(path)), address, encoder, which)
    with pytest.raises(CollectionError, match=r"19 of 20 items.*two items have the same id: make ids unique"):
        indexed(tmp_path / "c", None, address, encoder, finish=True)


def test_parts_and_a_load_at_once_make_the_same_collection(tmp_path, corpus, address, encoder):
    for which in ("2/2", "1/2"):
        part(corpus(), address, encoder, which)
    served = indexed(tmp_path / "c", corpus(), address, encoder, finish=True)
    assert served.items_digest == served.manifest.items != ""
    said = []
    again = indexed(tmp_path / "c", corpus(), address, encoder, said=said)
    assert (again.index_name, said) == (served.index_name, ["bm25 already indexed"])
    with pytest.raises(CollectionError, match="its ids are like 'd0'"):
        served.items.get(["~part 1"])


def test_parts_take_the_place_of_another_collection_only_when_asked(tmp_path, corpus, address, encoder):
    before = indexed(tmp_path / "c", corpus(), address, "bm25")
    indexed(None, corpus(30, "next", "x"), address, encoder, shard="1/1")
    with pytest.raises(CollectionError, match=r"already serves another collection .*with --rebuild"):
        indexed(tmp_path / "new", None, address, encoder, finish=True)
    assert open_collection(tmp_path / "c").index_name == before.index_name
    served = indexed(tmp_path / "new", None, address, encoder, finish=True, rebuild=True)
    assert served.items.size == 30


def test_a_count_that_is_wrong_leaves_the_parts_as_they_are(tmp_path, corpus, address, encoder, monkeypatch):
    part(corpus(), address, encoder, "1/1")
    with monkeypatch.context() as wrong:
        wrong.setattr("indexers.elasticsearch.index_admin.IndexAdmin.count", lambda *_: 7)
        with pytest.raises(CollectionError, match="holds 7 of 60 items, so it is not served"):
            indexed(tmp_path / "c", None, address, encoder, finish=True)
    assert indexes_at(address).served is None
    assert indexed(tmp_path / "c", None, address, encoder, finish=True).items.size == 60


@pytest.mark.parametrize("which", ["0/3", "4/3", "1", "a/b", "1/100001", "-1/3", ""])
def test_what_is_no_part(corpus, address, encoder, which):
    with pytest.raises(OptionError, match=r"--shard is written K/N"):
        part(corpus(), address, encoder, which)


def test_other_numbers_of_parts_and_other_encoders_are_refused(tmp_path, corpus, address, encoder):
    part(corpus(), address, encoder, "1/2")
    with pytest.raises(CollectionError, match=r"another load of .* is unfinished"):
        part(corpus(), address, encoder, "1/3")
    create("bm25:k1=2").fit([text(1), text(2)]).save(tmp_path / "k")
    with pytest.raises(CollectionError, match=r"another load of .* is unfinished"):
        part(corpus(), address, str(tmp_path / "k"), "2/2")
    with pytest.raises(NearbyError, match="twice"):
        index_by_request(IndexRequest((encoder, encoder), None, address, shard="2/2"), corpus())


def test_no_parts_at_all(tmp_path, address, encoder):
    with pytest.raises(CollectionError, match=r"no shards of .* are loaded: load them with --shard 1/N"):
        indexed(tmp_path / "c", None, address, encoder, finish=True)


# -- items that change ------------------------------------------------------------------------------------------------


def test_adding_what_is_there_leaves_the_collection_that_of_its_corpus(tmp_path, corpus, address):
    served = indexed(tmp_path / "c", corpus(), address, "bm25")
    digest = served.items_digest
    served.put(list(corpus()))
    assert open_collection(tmp_path / "c").items_digest == digest
    served.put([Item("d1", "a new text")])
    changed = open_collection(tmp_path / "c")
    assert changed.items_digest == items_digest(changed.items) != digest
    with pytest.raises(CollectionError, match=r"holds other items than .* or index it again with --rebuild"):
        indexed(tmp_path / "c", corpus(), address, "bm25")


def test_items_that_somebody_removes_or_changes_on_the_server_are_noticed(
    tmp_path, corpus, address, elasticsearch_client
):
    served = indexed(tmp_path / "c", corpus(5), address, "bm25")
    elasticsearch_client.delete(index=served.index_name, id="d2", refresh=True)
    with pytest.raises(CollectionError, match=r"holds 4 of the 5 items that were loaded into it.*--rebuild"):
        indexed(tmp_path / "c", corpus(5), address, "bm25")
    with pytest.raises(CollectionError, match="holds 4 of the 5 items"):
        indexed(tmp_path / "second", corpus(5), address, "bm25")
    served = indexed(tmp_path / "c", corpus(5), address, "bm25", rebuild=True)
    elasticsearch_client.update(index=served.index_name, id="d2", doc={"digest": "ab"}, refresh=True)
    with pytest.raises(CollectionError, match="holds other items than those that were loaded"):
        indexed(tmp_path / "c", corpus(5), address, "bm25")


def test_a_refused_change_leaves_the_collection_that_of_its_corpus(tmp_path, corpus, address, elasticsearch_client):
    served = indexed(tmp_path / "c", corpus(5), address, "bm25")
    digest = served.items_digest
    elasticsearch_client.indices.put_settings(index=served.index_name, settings={"index.blocks.write": True})
    with pytest.raises(NearbyError, match="remove the block"):
        served.put([Item("new", "river")])
    with pytest.raises(NearbyError, match="remove the block"):
        served.delete(["d1"])
    elasticsearch_client.indices.put_settings(index=served.index_name, settings={"index.blocks.write": None})
    with pytest.raises(NearbyError):  # a picture where a text should be
        served.put([Item("picture", np.zeros((2, 2), dtype=np.uint8))])
    with pytest.raises(NearbyError):
        served.delete(["none of it"])
    again = open_collection(tmp_path / "c")
    assert (again.items_digest, again.items.size) == (digest, 5)
    assert indexed(tmp_path / "c", corpus(5), address, "bm25").items_digest == digest


def test_a_space_that_is_open_knows_the_items_that_came_and_went(tmp_path, corpus, address):
    served = indexed(tmp_path / "c", corpus(5), address, "bm25")
    assert list(served.space("bm25").index.ids) == ["d0", "d1", "d2", "d3", "d4"]
    served.put([Item("d1", "boat boat"), Item("new", "river")])
    assert list(served.space("bm25").index.ids) == ["d0", "d2", "d3", "d4", "d1", "new"]
    served.delete(["d3"])
    assert list(served.space("bm25").index.ids) == ["d0", "d2", "d4", "d1", "new"]


@pytest.mark.parametrize("metadata", [{"a.b": "1", "a": "2", "a.b.c": "3"}, {"": "x", "nul\0key": "y", "k": "v\0w"}])
def test_metadata_of_any_names_comes_back(tmp_path, corpus, address, metadata):
    served = indexed(tmp_path / "c", corpus(3), address, "bm25")
    served.put([Item("odd", "river", label="x", title="t", metadata=metadata)])
    (item,) = served.items.get(["odd"])
    assert (item.metadata, item.label, item.title) == (metadata, "x", "t")


def test_pictures_and_their_bits_come_back_bit_by_bit(tmp_path, address):
    digits = open_corpus("digits")
    first = [item for _, item in zip(range(40), digits, strict=False)]

    class Few(Corpus):
        name, modality = "few", digits.modality

        def __iter__(self):
            return iter(first)

    served = indexed(tmp_path / "c", Few(), address, "pixels", "pixels+binarize")
    for mine, its in zip(first, served.items, strict=True):
        assert (mine.id, mine.label) == (its.id, its.label)
        assert mine.content.dtype == its.content.dtype
        assert (mine.content == its.content).all()
