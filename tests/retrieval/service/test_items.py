"""What the service says of collections, items, codes, maps and comparisons."""

from __future__ import annotations

import base64
from urllib.parse import quote

import numpy as np

from retrieval.collection.open import open_collection

TEXTS, PICTURES = "/v1/collections/texts", "/v1/collections/pictures"


def test_collections_and_their_spaces(service, collections):
    listed = service.get("/v1/collections").json["collections"]
    assert [(one["name"], one["items"], len(one["spaces"])) for one in listed] == [
        ("texts", 6, 3), ("pictures", 1797, 2),
    ]  # fmt: skip
    info = service.get(TEXTS).json
    assert info["spaces"][2]["dim"] == 2
    assert info["filters"][0]["values"] == {"flow": 2, "heat": 2, "solid": 2}
    assert not any(folder in service.get(TEXTS).content.decode() for folder in collections.values())


def test_items_by_pages_and_by_any_id(service):
    page = service.get(f"{TEXTS}/items?offset=4&limit=5").json
    assert (page["total"], [one["id"] for one in page["items"]]) == (6, ["drag", "@home/a b"])
    one = service.get(f"{TEXTS}/items/{quote('@home/a b', safe='')}").json
    assert one["text"] == "A shell with an odd id: <b>bold</b>."
    assert service.get(f"{TEXTS}/items/none").status == 404
    assert service.get(f"{TEXTS}/media/wing").json["detail"] == "the item is neither a picture nor a sound"


def test_codes_and_embeddings_are_those_of_the_space(service, collections):
    with open_collection(collections["texts"]) as opened:
        wanted = opened.space("tfidf+lsa:2").encoder.encode_queries(["heat flow"])[0]
    unit = wanted / np.linalg.norm(wanted)
    body = {"space": "tfidf+lsa:2", "queries": [{"text": "heat flow"}]}
    np.testing.assert_array_equal(service.post(f"{TEXTS}/encode", body).json["codes"], [wanted])
    asked = {"model": "texts/tfidf+lsa:2", "input": "heat flow"}
    found = service.post("/v1/embeddings", asked).json
    np.testing.assert_allclose(found["data"][0]["embedding"], unit, rtol=1e-6)
    packed = service.post("/v1/embeddings", {**asked, "encoding_format": "base64"}).json["data"][0]["embedding"]
    np.testing.assert_allclose(np.frombuffer(base64.b64decode(packed), "<f4"), unit, rtol=1e-6)
    short = service.post("/v1/embeddings", {**asked, "dimensions": 1}).json["data"][0]["embedding"]
    assert [abs(number) for number in short] == [1.0]  # of unit length again
    assert service.post("/v1/embeddings", {**asked, "dimensions": 3}).status == 422
    assert "no word of input 0" in service.post("/v1/embeddings", {**asked, "input": "zzz"}).json["detail"]
    assert "sparse" in service.post("/v1/embeddings", {**asked, "model": "texts/bm25"}).json["detail"]


def test_a_map_has_a_dot_for_every_item(service):
    found = service.get(f"{PICTURES}/map?space=pixels").json
    assert len(found["ids"]) == len(found["x"]) == len(found["y"]) == 1797
    few = service.get(f"{PICTURES}/map?space=pixels&limit=50").json
    assert len(few["ids"]) == 50
    assert set(few["ids"]) < set(found["ids"])


def test_a_comparison_is_the_document_of_nearby_compare(service):
    found = service.post(f"{TEXTS}/compare", {"spaces": ["bm25", "tfidf"]})
    assert found.status == 200, found.content
    assert [space["spec"] for space in found.json["spaces"]] == ["bm25", "tfidf"]
    page = service.get(f"{TEXTS}/compare/queries?space=bm25&space=tfidf&offset=1&limit=2").json
    measure = page["measure"]
    assert page["spaces"]["bm25"] == found.json["spaces"][0]["per_query"][measure][1:3]


def test_long_work_sends_its_progress_and_its_result(service):
    found = service.get(f"{PICTURES}/map?space=pixels%2Bpca:4", accept="text/event-stream")
    assert found.headers["content-type"].startswith("text/event-stream")
    last = found.content.decode().strip().split("\n\n")[-1]
    assert last.startswith("event: result\ndata: {")
    problem = service.get(f"{PICTURES}/map?space=none", accept="text/event-stream").content.decode()
    assert "event: problem" in problem
