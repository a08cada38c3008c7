"""Keys of documents: every id has one, no two have the same, and it leads back to the id."""

from __future__ import annotations

import pytest
from elasticsearch import Elasticsearch

from encoders.errors import BadItemError
from indexers.elasticsearch.keys import id_of, key_of, stored_id

ODD = [
    "",
    " ",
    "x" * 512,
    "x" * 513,
    "é" * 256,
    "é" * 257,
    "\ud800",
    "a\udfff",
    "~x",
    "~",
    "~" + "0" * 64,
    "\x00",
    "a\x00b",
]
ODD += ["🦊", "🦊" * 128, "🦊" * 129, "東京/1", "_id", "../up", "a,b", "%2F", "two\nlines", "null", "1.0", "y" * 30_000]  # fmt: skip


def test_every_key_is_one_that_elasticsearch_takes_and_no_two_are_equal():
    keys = [key_of(id) for id in ODD]
    assert len(set(keys)) == len(ODD)
    for id, key in zip(ODD, keys, strict=True):
        assert 1 <= len(key.encode()) <= 512
        assert (key == id) == (stored_id(id) is None)
        assert id_of(key, stored_id(id)) == id


@pytest.mark.parametrize("id", ["d7", "x" * 512, "é" * 256, "🦊" * 128, "東京", " ", "_id"])
def test_an_id_that_elasticsearch_can_have_is_its_own_key(id):
    assert key_of(id) == id


@pytest.mark.parametrize("id", ["x" * 32_765, "é" * 5_500, "🦊" * 2_800])
def test_an_id_that_no_field_can_hold_is_named_by_its_beginning(id):
    with pytest.raises(
        BadItemError, match=r"^the id '.{40}…' has 3\d,\d{3} bytes as JSON; Elasticsearch takes at most 32,766"
    ):
        key_of(id)


def test_the_server_keeps_them_all(elasticsearch_client: Elasticsearch, index_name: str):
    mappings = {"properties": {"own_id": {"type": "keyword", "index": False}}}
    elasticsearch_client.indices.create(index=index_name, mappings=mappings, settings={"number_of_replicas": 0})
    ids = [*ODD, "x" * 32_764, "é" * 5_460]
    operations = []
    for id in ids:
        operations += [{"index": {"_id": key_of(id)}}, {"own_id": stored_id(id)}]
    answer = elasticsearch_client.bulk(index=index_name, operations=operations, refresh=True)
    assert not answer["errors"], answer
    assert elasticsearch_client.count(index=index_name)["count"] == len(ids)
    found = elasticsearch_client.search(
        index=index_name, size=100, source=False, docvalue_fields=["own_id"], query={"match_all": {}}
    )["hits"]["hits"]
    assert sorted(id_of(hit["_id"], hit.get("fields", {}).get("own_id", (None,))[0]) for hit in found) == sorted(ids)
