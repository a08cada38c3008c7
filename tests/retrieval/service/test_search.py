"""Searching over HTTP gives what `nearby search --json` prints."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

TEXTS, PICTURES = "/v1/collections/texts", "/v1/collections/pictures"


def without_times(value):
    if isinstance(value, dict):
        return {
            key: without_times(one) for key, one in value.items() if key != "milliseconds" and one is not None
        }  # fmt: skip
    return [without_times(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ({"k": 3}, ["-k", "3"]),
        ({"k": 2, "spaces": ["bm25"]}, ["-k", "2", "-s", "bm25"]),
        ({"fuse": "rrf", "depth": 20}, ["--fuse", "rrf", "--depth", "20"]),
        ({"filters": ["label=heat"]}, ["--filter", "label=heat"]),
        ({"shortlist": "tfidf+lsa:2", "rerank": "tfidf", "candidates": 3, "k": 2},
         ["--shortlist", "tfidf+lsa:2", "--rerank", "tfidf", "--candidates", "3", "-k", "2"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("query", "typed"), [({"text": "heat flow"}, "heat flow"), ({"id": "wing"}, "@wing")])
def test_results_are_those_of_the_command_line(service, collections, body, options, query, typed):
    found = service.post(f"{TEXTS}/search", {"query": query, **body})
    assert found.status == 200, found.content
    command = [sys.executable, "-m", "cli", "search", collections["texts"], typed, *options, "--json"]
    printed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert without_times(found.json["results"]) == [without_times(printed)]


def test_several_queries_have_a_result_each(service):
    one_by_one = [service.post(f"{TEXTS}/search", {"query": {"text": words}}).json for words in ("wing", "heat")]
    both = service.post(f"{TEXTS}/search", {"queries": [{"text": "wing"}, {"text": "heat"}]}).json
    assert without_times(both["results"]) == without_times([one["results"][0] for one in one_by_one])


def test_a_picture_finds_itself(service):
    picture = service.get(f"{PICTURES}/media/7")
    assert picture.headers["content-type"] == "image/png"
    assert np.asarray(Image.open(io.BytesIO(picture.content))).shape == (8, 8)
    encoded = base64.b64encode(picture.content).decode()
    found = service.post(f"{PICTURES}/search", {"query": {"image": encoded}, "k": 1}).json
    assert [space["hits"][0]["id"] for space in found["results"][0]["spaces"]] == ["7", "7"]


def test_neighbours_are_the_answers_to_the_item(service):
    near = service.get(f"{PICTURES}/neighbours?id=7&k=3&space=pixels").json
    asked = service.post(f"{PICTURES}/search", {"query": {"id": "7"}, "k": 3, "spaces": ["pixels"]}).json
    assert without_times(near) == without_times(asked)
    assert "7" not in [hit["id"] for hit in near["results"][0]["spaces"][0]["hits"]]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "no JSON"),
        (b"[1]", 422, "Expected `object`"),
        ({}, 422, "either query, or queries"),
        ({"query": {}}, 422, "exactly one of text"),
        ({"query": {"text": "a", "id": "wing"}}, 422, "got text and id"),
        ({"query": {"text": " "}}, 422, "the query is empty"),
        ({"query": {"text": "zzz"}}, 422, "no word of the query is known"),
        ({"query": {"id": "wnig"}}, 404, "did you mean 'wing'?"),
        ({"query": {"vector": [1.0]}}, 422, "of modality vector"),
        ({"query": {"image": "!!"}}, 422, "base64"),
        ({"query": {"path": "/etc/passwd"}}, 422, "unknown field `path`"),
        ({"query": {"text": "wing"}, "k": 0}, 422, "`int` >= 1"),
        ({"query": {"text": "wing"}, "k": 10**9}, 422, "`int` <= 1000"),
        ({"query": {"text": "wing"}, "spaces": ["bm52"]}, 404, "bm25"),
        ({"query": {"text": "wing"}, "fuse": "max"}, 422, "rrf"),
        ({"query": {"text": "wing"}, "filters": ["label"]}, 422, "KEY=VALUE"),
        ({"query": {"text": "wing"}, "filters": ["label=none"]}, 422, "no item"),
    ],
)
def test_bad_searches_are_problem_documents(service, body, status, said):
    found = service.post(f"{TEXTS}/search", body)
    assert (found.status, found.headers["content-type"]) == (status, "application/problem+json")
    problem = found.json
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert said in problem["detail"]


def test_a_path_of_the_server_is_no_query(service, collections, tmp_path):
    """A picture is asked for by its bytes: what is a path is words, or no base64."""
    secret = tmp_path / "secret.png"
    Image.new("L", (8, 8)).save(secret)
    found = service.post(f"{PICTURES}/search", {"query": {"text": str(secret)}})
    assert found.status == 422
    assert "of modality text" in found.json["detail"]


def test_one_of_several_queries_that_nobody_can_answer_has_a_note(service):
    found = service.post(f"{TEXTS}/search", {"queries": [{"text": "zzz"}, {"text": "wing"}]})
    assert found.status == 200, found.content
    unknown, known = found.json["results"]
    assert "no word of the query is known" in unknown["note"]
    assert unknown["spaces"] == []
    assert known["spaces"][0]["hits"]


def test_a_plus_in_an_address_is_one(service):
    assert service.get(f"{PICTURES}/neighbours?id=7&k=1&space=pixels+pca:4").json["results"][0]["spaces"]


def test_errors_name_no_folder(service, collections):
    for body in ({"spaces": ["bm52"]}, {"fuse": "saved"}):
        found = service.post(f"{TEXTS}/search", {"query": {"text": "wing"}, **body})
        assert found.status in (404, 422)
        assert collections["texts"] not in found.content.decode()


def test_several_queries_are_encoded_as_one_by_one(service):
    for space in ("bm25", "tfidf+lsa:2"):
        asked = [{"text": "thin wing"}, {"text": "heat"}, {"id": "shell"}]
        alone = [service.post(f"{TEXTS}/encode", {"space": space, "queries": [one]}).json["codes"][0] for one in asked]
        together = service.post(f"{TEXTS}/encode", {"space": space, "queries": asked}).json["codes"]
        for one, other in zip(alone, together, strict=True):
            assert one == pytest.approx(other, rel=1e-5)


def test_the_query_that_cannot_be_encoded_is_named(service):
    for queries, said in (
        ([{"text": "wing"}, {"text": "zzz"}], "query 1: no word"),
        ([{"text": "zzz"}], "no word"),
    ):
        found = service.post(f"{TEXTS}/encode", {"space": "tfidf+lsa:2", "queries": queries})
        assert found.status == 422
        assert found.json["detail"].startswith(said)
