"""What a map is coloured by, over HTTP: the values of the item at the same place, remembered, refused with a reason."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np
import pytest

from retrieval.collection.open import open_collection

PICTURES, TEXTS = "/v1/collections/pictures", "/v1/collections/texts"


def colours(service, path: str, space: str, parameters: str):
    reply = service.get(f"{path}/map?space={quote(space)}&{parameters}")
    assert reply.status == 200, reply.content
    assert len(reply.json["colour"]["values"]) == len(reply.json["ids"])
    return reply.json["ids"], reply.json["colour"]


def test_a_map_without_a_colour_is_as_before(service):
    plain = service.get(f"{PICTURES}/map?space=pixels").json
    assert "colour" not in plain
    coloured = service.get(f"{PICTURES}/map?space=pixels&colour=hubness").json
    assert {name: coloured[name] for name in plain} == plain


def test_clusters_are_as_many_as_labels_or_as_asked(service):
    _, found = colours(service, PICTURES, "pixels+pca:4", "colour=cluster")
    assert set(found["values"]) == set(range(10))
    sizes = np.bincount(np.asarray(found["values"], int))
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)
    _, few = colours(service, PICTURES, "pixels+pca:4", "colour=cluster&clusters=3")
    assert set(few["values"]) == {0, 1, 2}
    assert few["name"] == "3 clusters of pixels+pca:4"


def test_hubness_counts_every_list_once_and_says_of_how_many(service):
    ids, found = colours(service, PICTURES, "pixels", "colour=hubness")
    assert sum(found["values"]) == pytest.approx(10 * len(ids), rel=1e-4)
    assert found["unit"] == "of 1,797 lists"


def test_items_on_a_smaller_map_ask_each_other(service):
    ids, found = colours(service, PICTURES, "pixels", "colour=hubness&limit=100")
    assert len(ids) == 100
    assert sum(found["values"]) == pytest.approx(1000, rel=1e-3)


@pytest.mark.parametrize("space", ["pixels", "pixels+pca:4"])
def test_scores_are_the_distances_of_a_search(service, space):
    ids, found = colours(service, PICTURES, space, "colour=score&id=17")
    near = service.post(f"{PICTURES}/search", {"query": {"id": "17"}, "spaces": [space], "k": 50}).json
    (hits,) = [answers["hits"] for answers in near["results"][0]["spaces"]]
    at = dict(zip(ids, found["values"], strict=True))
    assert found["small_is_near"]
    np.testing.assert_allclose([at[hit["id"]] for hit in hits], [hit["distance"] for hit in hits], rtol=1e-4)
    assert at["17"] == 0


def test_items_that_share_no_word_have_no_score(collections):
    from retrieval.service.bodies import MapQuery
    from retrieval.service.endpoints.map_colours import _score
    from retrieval.service.replies.maps import MapReply

    texts = open_collection(collections["texts"])
    ids = list(texts.codes_of("bm25").ids)
    shown = MapReply("bm25", 1, len(ids), ids, [None] * len(ids), [], [])
    found = _score(texts, MapQuery(space="bm25", colour="score", text="wing"), shown)
    texts.close()
    values = dict(zip(ids, found.values, strict=True))
    assert {id for id, value in values.items() if value is not None} == {"wing", "drag"}
    assert (found.small_is_near, found.unit) == (False, "inner product")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("colour=score", "colour=score needs a query: give either text or id"),
        ("colour=score&id=3&text=a", "colour=score needs a query: give either text or id"),
        ("id=3", "the parameter 'id' belongs to colour=score: add it, or leave id out"),
        ("colour=hubness&clusters=3", "the parameter 'clusters' belongs to colour=cluster: add it, or leave clusters out"),
        ("colour=cluster&clusters=29", "clusters should be at most 28"),
        ("colour=red", "colour should be cluster or hubness or score"),
        ("colour=score&text=wing", "the query is of modality text, the items are of modality image"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_reason(service, parameters, said):
    reply = service.get(f"{PICTURES}/map?space=pixels&{parameters}")
    assert reply.status == 422
    assert said in reply.json["detail"]


def test_an_absent_item_is_not_found(service):
    assert service.get(f"{PICTURES}/map?space=pixels&colour=score&id=nobody").status in (404, 422)
