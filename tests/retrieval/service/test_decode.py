"""Reconstructions, walks and trainings over HTTP: what the command line decodes, of every modality, refused with a reason."""

from __future__ import annotations

import base64
import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from running_service import running

from retrieval.applications.generation import interpolated
from retrieval.applications.reconstruction import asked_items, reconstructions
from retrieval.collection.open import open_collection
from retrieval.service.settings import Settings

PICTURES, DECODERS, TEXTS = "/v1/collections/pictures", "/v1/collections/decoders", "/v1/collections/texts"
VAE = "pixels+vae:3,epochs=2"


@pytest.fixture(scope="module")
def client(collections, decoders):
    with running(Settings({**collections, "decoders": decoders})) as found:
        yield found


def posted(client, path: str, body: dict):
    reply = client.post(path, body)
    assert reply.status == 200, reply.content
    return reply.json


def pixels(content: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content["image"]))), float)


def test_all_components_are_the_reconstruction_of_the_command_line(client, collections):
    found = posted(client, f"{PICTURES}/reconstruct", {"space": "pixels+pca:4", "id": "17"})
    collection = open_collection(collections["pictures"])
    table = reconstructions(collection, asked_items(collection, ["@17"], None, 0), ["pixels+pca:4"])
    collection.close()
    np.testing.assert_array_equal(pixels(found["reconstruction"]), table.rows[1].contents[0])
    np.testing.assert_array_equal(pixels(found["original"]), table.rows[0].contents[0])
    assert found["error"] == pytest.approx(table.rows[1].results["squared error per item"][0])
    assert (found["change"], found["total"]) == ("sum", 4)


def test_every_further_component_brings_the_copy_nearer(client):
    errors = [
        posted(client, f"{PICTURES}/reconstruct", {"space": "pixels+pca:4", "id": "17", "first": count})["error"]
        for count in range(5)
    ]
    assert all(after <= before + 0.01 for before, after in pairwise(errors))
    assert errors[4] < 0.8 * errors[0]
    whole = posted(client, f"{PICTURES}/reconstruct", {"space": "pixels+pca:4", "id": "17"})["error"]
    assert errors[4] == pytest.approx(whole)


def test_a_component_of_a_network_is_moved_by_its_deviation(client):
    body = {"space": VAE, "id": "17", "component": 1}
    still, up, down = (posted(client, f"{DECODERS}/reconstruct", {**body, "deviations": by}) for by in (0, 3, -3))
    assert still["change"] == "move"
    assert up["value"] - still["value"] == pytest.approx(3 * still["deviation"])
    assert still["value"] - down["value"] == pytest.approx(3 * still["deviation"])
    plain = posted(client, f"{DECODERS}/reconstruct", {"space": VAE, "id": "17"})
    np.testing.assert_allclose(pixels(still["reconstruction"]), pixels(plain["reconstruction"]), atol=1)
    assert not np.array_equal(pixels(up["reconstruction"]), pixels(down["reconstruction"]))


def test_texts_are_words_with_weights(client):
    found = posted(client, f"{TEXTS}/reconstruct", {"space": "tfidf+lsa:2", "id": "wing", "first": 1})
    assert {"wing", "lift"} <= set(found["original"]["words"])
    weights = list(found["reconstruction"]["words"].values())
    assert weights == sorted(weights, reverse=True)
    assert min(weights) > 0


def test_a_space_that_cannot_decode_says_so(client):
    found = posted(client, f"{TEXTS}/reconstruct", {"space": "bm25", "id": "wing"})
    assert found == {
        "space": "bm25",
        "id": "wing",
        "change": "none",
        "note": "'bm25' codes cannot be turned back into items",
    }
    walked = posted(client, f"{TEXTS}/interpolate", {"space": "bm25", "start": "wing", "end": "heat"})
    assert "take a dense space" in walked["note"]


def test_clusters_are_decoded_and_not_changed(client):
    found = posted(client, f"{DECODERS}/reconstruct", {"space": "pixels+kmeans:5", "id": "3"})
    assert found["change"] == "none"
    assert pixels(found["reconstruction"]).shape == (8, 8)


def test_a_walk_is_that_of_the_command_line(client, decoders):
    found = posted(client, f"{DECODERS}/interpolate", {"space": VAE, "start": "3", "end": "8", "steps": 5})
    collection = open_collection(decoders)
    table = interpolated(collection, VAE, "@3", "@8", 5)
    collection.close()
    assert found["shares"] == [0, 0.25, 0.5, 0.75, 1]
    for content, wanted in zip(found["contents"], table.rows[0].contents, strict=True):
        np.testing.assert_array_equal(pixels(content), wanted)


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (PICTURES, {"space": "pixels", "id": "3", "first": 3}, "the codes of 'pixels' are no sums of components: leave first out"),
        (PICTURES, {"space": "pixels", "id": "3", "component": 3}, "the codes of 'pixels' have no numbers to move: leave component out"),
        (DECODERS, {"space": VAE, "id": "3", "first": 3}, f"the codes of '{VAE}' are no sums of components: leave first out"),
        (DECODERS, {"space": VAE, "id": "3", "component": 3}, "component 3 is not one of 0 to 2"),
        (DECODERS, {"space": VAE, "id": "3", "deviations": 1}, "deviations says how far a component is moved: give component too"),
        (PICTURES, {"space": "pixels+pca:4", "id": "3", "first": 2, "component": 1}, "give either first or component"),
        (DECODERS, {"space": VAE, "id": "3", "component": 0, "deviations": 99}, "deviations should be at most 10"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_reason(client, path, body, said):
    reply = client.post(f"{path}/reconstruct", body)
    assert reply.status == 422, reply.content
    assert said in reply.json["detail"]


def test_absent_items_and_spaces_are_not_found(client):
    for body in ({"space": VAE, "id": "nobody"}, {"space": "none", "id": "3"}):
        assert client.post(f"{DECODERS}/reconstruct", body).status == 404
    assert client.post(f"{DECODERS}/interpolate", {"space": VAE, "start": "3", "end": "nobody"}).status == 404


def test_a_training_has_its_losses_by_epoch(client):
    (phase,) = client.get(f"{DECODERS}/training?space=pixels%2Bvae:3,epochs%3D2").json["phases"]
    assert (phase["name"], len(phase["train_loss"]), len(phase["validation_loss"])) == ("vae", 2, 2)
    assert phase["validation_loss"][phase["best_epoch"] - 1] == min(phase["validation_loss"])
    assert "nats" in phase["loss_unit"]
    assert client.get(f"{PICTURES}/training?space=pixels").json == {"space": "pixels", "phases": []}
