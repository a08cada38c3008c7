"""Searching over HTTP gives what `nearby search --json` prints."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from running_service import running

from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_collection
from retrieval.corpora.registry import open_corpus
from retrieval.search.option_names import COMMAND_LINE, NamedOptionError
from retrieval.search.query import text_query
from retrieval.search.request import SearchRequest
from retrieval.service.settings import Settings

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


def test_every_request_gets_its_notes(tmp_path):
    """They are not said once in the life of a process, to the first who asks."""
    (tmp_path / "rows.csv").write_text("id,amount\n" + "".join(f"r{row},{row}.5\n" for row in range(5)))
    collection = LocalCollection.create(tmp_path / "rows", open_corpus(f"{tmp_path / 'rows.csv'}?columns=amount&id=id"))
    collection.add_space("columns").add_space("columns+pca:1").close()
    with running(Settings({"rows": str(tmp_path / "rows")})) as client:
        body = {"query": {"row": {"amount": "x"}}, "k": 1}
        found = [client.post("/v1/collections/rows/search", body).json["notes"] for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].count("amount: 'x' is not a number, so it counts as missing") == 1


def test_a_category_that_no_row_had_gets_a_note(tmp_path):
    """Also below a pipeline and from `encode`; an item with a rare category, which the table has, gets none."""
    kinds = ["CASH_IN", "CASH_OUT"] * 4 + ["once"]
    (tmp_path / "rows.csv").write_text("id,kind\n" + "".join(f"r{at},{kind}\n" for at, kind in enumerate(kinds)))
    collection = LocalCollection.create(tmp_path / "rows", open_corpus(f"{tmp_path / 'rows.csv'}?columns=kind&id=id"))
    collection.add_space("columns:rare=2").add_space("columns:rare=2+pca:1").close()
    with running(Settings({"rows": str(tmp_path / "rows")})) as client:

        def notes(operation: str, body: object) -> list[str]:
            return client.post(f"/v1/collections/rows/{operation}", body).json.get("notes", [])

        new = {"row": {"kind": "cash_uot"}}
        said = ["kind: 'cash_uot' is a new or rare category, so it counts as 'other'; did you mean 'CASH_OUT'?"]
        assert notes("search", {"query": new, "k": 1}) == said
        assert notes("search", {"queries": [new, {"row": {"kind": "CASH_IN"}}, new], "k": 1}) == said
        assert notes("encode", {"space": "columns:rare=2", "queries": [new]}) == said
        assert notes("explain", {"query": new, "id": "r1"}) == said
        assert notes("search", {"query": {"row": {"kind": None}}, "k": 1}) == [
            "kind: no value was missing in the fit, so a missing one counts as 'other'"
        ]
        assert notes("search", {"query": {"row": {"kind": "CASH_IN"}}, "k": 1}) == []
        assert notes("search", {"query": {"id": "r8"}, "k": 1}) == []


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
        (b"[1]", 422, "the body should be an object; got a list"),
        ({}, 422, "either query, or queries"),
        ({"query": {}}, 422, "exactly one of text"),
        ({"query": {"text": "a", "id": "wing"}}, 422, "got text and id"),
        ({"query": {"text": " "}}, 422, "the query is empty"),
        ({"query": {"text": "zzz"}}, 422, "no word of the query is known"),
        ({"query": {"id": "wnig"}}, 404, "did you mean 'wing'?"),
        ({"query": {"vector": [1.0]}}, 422, "of modality vector"),
        ({"query": {"image": "!!"}}, 422, "base64"),
        ({"query": {"path": "/etc/passwd"}}, 422, "query has no field 'path'; it has text, id"),
        ({"query": "thin wing"}, 422, """query should be an object; got a text: write {"text": "..."}"""),
        ({"queries": ["thin wing"]}, 422, """queries[0] should be an object; got a text: write {"text": "..."}"""),
        ({"query": {"text": None}}, 422, "query.text should be a text; got null"),
        ({"query": {"image": "data:image/png;base64,AAAA"}}, 422, "without  data:image/png;base64,"),
        ({"query": {"text": "wing"}, "spacess": ["bm25"]}, 422, "did you mean 'spaces'?"),
        ({"query": {"text": "wing"}, "K": 3}, 422, "no field 'K'; did you mean 'k'?"),
        ({"query": {"text": "wing"}, "k": "ten"}, 422, "k should be a whole number; got a text"),
        ({"query": {"text": "wing"}, "k": 0}, 422, "k should be at least 1"),
        ({"query": {"text": "wing"}, "k": 10**9}, 422, "k should be at most 1,000"),
        ({"queries": []}, 422, "queries should have at least 1 entry"),
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


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        (f"{TEXTS}/search", b'{"query": {"text": "wing"}, "k": 2, "k": 3}', "k"),
        (f"{TEXTS}/search", b'{"query": {"text": "wing", "text": "wing: heat"}}', "text"),
        (f"{TEXTS}/search", b'{"queries": [{"text": "a:b"}, {"id": "wing", "id" : "heat"}]}', "id"),
        (f"{TEXTS}/search", b'{"query": {"text": "wing"}, "k": 2, "\\u006b": 3}', "k"),
        (f"{TEXTS}/search", b'{"query": {"text": "\\u003a"}, "k": 2, "k": 3}', "k"),
        (f"{PICTURES}/encode", b'{"space": "pixels", "queries": [{"row": {"a": 1, "b": 2, "a": 3}}]}', "a"),
        ("/v1/embeddings", b'{"input": "a", "model": "texts/tfidf+lsa:2", "input": "b"}', "input"),
        ("/v1/embeddings", b'{"input": "a", "model": "texts/tfidf+lsa:2", "x": [1, {"y": 1, "y": 2}]}', "y"),
    ],
)
def test_a_name_that_is_given_twice_is_refused(service, path, body, name):
    found = service.post(path, body)
    said = f"the body: the name '{name}' is given twice in one object: give it once"
    assert (found.status, found.json["detail"]) == (422, said)
    assert found.headers["content-type"] == "application/problem+json"


def test_names_and_colons_of_several_objects_and_texts_are_not_taken_for_repeated_ones(service):
    texts = ['wing: a "text": wing', '{"text": 1, "text": 2}', "a colon wing"]
    body = {"queries": [{"text": text} for text in texts], "spaces": ["tfidf+lsa:2"], "k": 1}
    for written in (json.dumps(body), json.dumps(body, indent=1), json.dumps(body).replace("colon", "\\u003a\\u003A:")):
        found = service.post(f"{TEXTS}/search", written.encode())
        assert found.status == 200, found.content
        assert len(found.json["results"]) == 3


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


#: A search without options.
NOTHING = {
    "spaces": (),
    "k": 10,
    "filters": (),
    **dict.fromkeys(("fuse", "depth", "shortlist", "rerank", "candidates", "radius")),
}
#: Searches whose options do not go together.
CONTRADICTIONS = (
    {"depth": 5},
    {"fuse": "rrf", "depth": 5},
    {"fuse": "rrf", "spaces": ["bm25"]},
    {"fuse": "saved"},
    {"fuse": "saved", "spaces": ["bm25"]},
    {"candidates": 5},
    {"radius": 5},
    {"shortlist": "tfidf"},
    {"rerank": "tfidf"},
    {"shortlist": "tfidf+lsa:2", "rerank": "tfidf", "fuse": "rrf"},
    {"shortlist": "tfidf+lsa:2", "rerank": "tfidf", "filters": ["label=heat"]},
    {"shortlist": "tfidf+lsa:2", "rerank": "tfidf", "spaces": ["bm25"]},
    {"shortlist": "tfidf+lsa:2", "rerank": "tfidf", "candidates": 5, "radius": 5},
    {"shortlist": "tfidf+lsa:2", "rerank": "tfidf", "candidates": 5, "k": 6},
)


@pytest.mark.parametrize("options", CONTRADICTIONS, ids=str)
def test_options_are_named_as_the_reader_writes_them(service, collections, options):
    """Over HTTP by the names of fields, on the command line by what is typed; the rest of the sentence is the same."""
    found = service.post(f"{TEXTS}/search", {"query": {"text": "wing"}, **options})
    said = found.json["detail"]
    assert found.status == 422
    assert not re.search(r"(^|\s)-[ks]\b|--(?!save-fusion)", said)
    assert any(re.search(rf"\b{name}\b", said) for name in options)
    collection = open_collection(collections["texts"])
    query = text_query(collection, "wing")
    with pytest.raises(NamedOptionError) as raised:
        SearchRequest.read(**(NOTHING | options)).answer(collection, query)
    typed = str(raised.value)
    for name, option in sorted(COMMAND_LINE.items()):
        typed = re.sub(rf"(?<![\w-]){re.escape(option)}(?![\w-])", name, typed)
    assert typed.replace(collections["texts"], "texts") == said


def test_what_no_operation_takes_is_answered_by_what_to_send_instead(service):
    for reply, status, allow, said in (
        (service.get(f"{TEXTS}/search"), 405, "POST", "POST and a body of JSON, not with GET"),
        (service.post("/v1/models", {}), 405, "GET, HEAD", "asked with GET, not with POST"),
        (service("POST", "/health", b"", {"Content-Type": "text/plain"}), 405, "GET, HEAD", "asked with GET"),
        (service("GET", f"{TEXTS}/search", {"query": {"text": "wing"}}), 405, "POST", "asked with POST"),
        (service("GET", f"{TEXTS}/items", {"limit": 3}), 400, None, "in the query string"),
        (service("POST", f"{TEXTS}/search", b"{}", {"Content-Type": ""}), 415, None, "Content-Type: application/json"),
        (service.get(f"{TEXTS}/items?limits=3"), 422, None, "did you mean 'limit'?"),
        (service.get(f"{TEXTS}/items?limit=x"), 422, None, "limit should be a whole number"),
        (service.get(f"{TEXTS}/neighbours"), 422, None, "lacks the field 'id'"),
        (service.get("/v1/models?x=1"), 422, None, "no parameter 'x'"),
        (service.post("/v1/embeddings", {"input": "wing", "model": "texts/tfidf", "encoding_format": "hex"}), 422, None,
         "encoding_format should be float or base64"),
    ):  # fmt: skip
        assert (reply.status, reply.headers.get("allow")) == (status, allow), reply.content
        assert said in reply.json["detail"]
