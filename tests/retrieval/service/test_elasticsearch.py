"""A collection in Elasticsearch is served as one on disk is: the same operations, and a new index without a restart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from running_service import running
from scipy.sparse import issparse

from retrieval.collection.indexing import IndexRequest, index_by_request
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.search.stored_codes import all_codes
from retrieval.service.settings import Settings

SPACES = ("bm25", "tfidf+lsa:2")
BELOW = "/v1/collections/served"
WING = {"query": {"text": "wing"}, "k": 3}


@pytest.fixture
def texts(tmp_path):
    words = "wing heat plate shell drag nose".split()
    lines = [
        json.dumps({"id": f"d{n}", "text": f"{words[n % 6]} {words[(n + 1) % 6]} number{n}", "label": str(n % 2)})
        for n in range(24)
    ]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines))
    return open_corpus(str(tmp_path / "texts.jsonl"))


@pytest.fixture
def folders(tmp_path, texts, elasticsearch_url, index_name):
    address = f"elasticsearch:{elasticsearch_url}/{index_name},flat"
    index_by_request(IndexRequest(SPACES, tmp_path / "served", address), texts).close()
    index_by_request(IndexRequest(SPACES, tmp_path / "local"), texts).close()
    return {"served": str(tmp_path / "served"), "local": str(tmp_path / "local")}


def ids(reply):
    assert reply.status == 200, reply.content
    return [sorted(hit["id"] for hit in space["hits"]) for space in reply.json["results"][0]["spaces"]]


def test_every_operation_answers_as_on_disk(folders):
    with running(Settings(folders)) as client:
        info = client.get(BELOW).json
        assert (info["items"], info["on_server"]) == (24, True)
        for body in (WING, {"query": {"id": "d3"}, "k": 2}, {**WING, "filters": ["label=1"]}):
            both = [ids(client.post(f"/v1/collections/{name}/search", {**body, "k": 24})) for name in folders]
            assert both[0] == both[1]
        assert client.post(f"{BELOW}/search", {**WING, "fuse": "rrf"}).json["results"][0]["hits"]
        assert ids(client.get(f"{BELOW}/neighbours?id=d3&k=2"))
        assert client.get(f"{BELOW}/items/d3").json["label"] == "1"
        assert len(client.get(f"{BELOW}/items?offset=20&limit=10").json["items"]) == 4
        asked = {"space": "tfidf+lsa:2", "queries": [{"text": "wing"}, {"id": "d3"}]}
        assert len(client.post(f"{BELOW}/encode", asked).json["codes"]) == 2
        assert client.post(f"{BELOW}/explain", {"query": {"text": "wing"}, "id": "d0"}).json["spaces"][0]["rank"]
        found = client.post("/v1/embeddings", {"model": "served/tfidf+lsa:2", "input": "wing"})
        assert len(found.json["data"][0]["embedding"]) == 2
        compared = client.post(f"{BELOW}/compare", {"judged_by": "labels"})
        assert compared.status == 200, compared.content
        assert {one["name"] for one in client.get("/v1/collections").json["collections"]} == set(folders)


def test_changes_and_a_new_index_are_answered_and_one_that_is_gone_is_said(
    folders, texts, elasticsearch_url, elasticsearch_client, index_name
):
    address = f"elasticsearch:{elasticsearch_url}/{index_name},flat"
    with running(Settings({"served": folders["served"]})) as client:
        before = client.get(BELOW).json["generation"]
        with open_collection(folders["served"]) as collection:
            collection.put([Item("new", "a wing that is new")])
        assert client.post(f"{BELOW}/search", {"query": {"id": "new"}, "k": 1}).status == 200
        assert client.get(BELOW).json["items"] == 25
        request = IndexRequest((*SPACES, "tfidf+lsa:3"), Path(folders["served"]), address, rebuild=True)
        index_by_request(request, texts).close()
        assert client.get(BELOW).json["generation"] > before
        assert len(ids(client.post(f"{BELOW}/search", WING))) == 3
        for index in elasticsearch_client.indices.get(index=f"{index_name}*"):
            elasticsearch_client.indices.delete(index=index)
        gone = client.post(f"{BELOW}/search", WING)
        assert gone.status == 502, gone.content
        assert elasticsearch_url.rpartition("/")[2] not in gone.json["detail"]
        assert client.get("/health").status == 200


def test_a_map_is_that_of_the_same_items_on_disk(folders):
    with running(Settings(folders)) as client:
        found = [client.get(f"/v1/collections/{name}/map?space=tfidf%2Blsa:2") for name in folders]
    assert [one.status for one in found] == [200, 200]
    assert sorted(found[0].json["ids"]) == sorted(found[1].json["ids"])


def test_codes_of_all_items_are_the_same_on_disk_and_on_the_server(folders):
    for spec in SPACES:
        here, there = (all_codes(open_collection(folders[name]), spec) for name in ("local", "served"))
        order = {id: row for row, id in enumerate(there[0])}
        rows = [order[id] for id in here[0]]
        codes = [one.toarray() if issparse(one) else np.asarray(one) for one in (here[1], there[1][rows])]
        np.testing.assert_allclose(codes[0], codes[1], atol=1e-5)
