"""The OpenAPI document is true: every reply follows its schema, and every route is in it."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import msgspec
import pytest
from jsonschema import Draft202012Validator

from retrieval.service.endpoints.table import BELOW, OPERATIONS
from retrieval.service.examples import EXAMPLES
from retrieval.service.openapi import document

TEXTS, PICTURES = "/v1/collections/texts", "/v1/collections/pictures"
ASKED = [
    ("get", "/v1/collections", "/v1/collections", None),
    ("get", "/v1/models", "/v1/models", None),
    ("post", "/v1/embeddings", "/v1/embeddings", {"model": "texts/tfidf+lsa:2", "input": ["wing", "heat"]}),
    ("post", "/v1/embeddings", "/v1/embeddings", {"model": "texts/tfidf+lsa:2", "input": "wing", "encoding_format": "base64"}),
    ("get", "/health", "/health", None),
    ("get", BELOW, TEXTS, None),
    ("get", BELOW, PICTURES, None),
    ("post", f"{BELOW}/search", f"{TEXTS}/search", {"queries": [{"text": "wing"}, {"id": "@home/a b"}]}),
    ("post", f"{BELOW}/search", f"{TEXTS}/search", {"query": {"text": "wing"}, "fuse": "rrf"}),
    ("post", f"{BELOW}/search", f"{TEXTS}/search",
     {"query": {"text": "heat"}, "shortlist": "tfidf+lsa:2", "rerank": "tfidf", "candidates": 3, "k": 2}),
    ("post", f"{BELOW}/explain", f"{TEXTS}/explain", {"query": {"text": "thin wing"}, "id": "wing"}),
    ("get", f"{BELOW}/neighbours", f"{PICTURES}/neighbours?id=3&k=2&space=pixels", None),
    ("get", f"{BELOW}/items", f"{PICTURES}/items?limit=3", None),
    ("get", f"{BELOW}/items/{{id}}", f"{TEXTS}/items/{quote('@home/a b', safe='')}", None),
    ("get", f"{BELOW}/items/{{id}}", f"{PICTURES}/items/3", None),
    ("post", f"{BELOW}/encode", f"{TEXTS}/encode", {"space": "bm25", "queries": [{"text": "wing"}]}),
    ("post", f"{BELOW}/encode", f"{PICTURES}/encode", {"space": "pixels+pca:4", "queries": [{"id": "3"}]}),
    ("get", f"{BELOW}/map", f"{PICTURES}/map?space=pixels&limit=20", None),
    ("get", f"{BELOW}/map", f"{PICTURES}/map?space=pixels&limit=20&colour=hubness", None),
    ("get", f"{BELOW}/map", f"{PICTURES}/map?space=pixels&limit=20&colour=score&id=3", None),
    ("post", f"{BELOW}/compare", f"{TEXTS}/compare", {}),
    ("post", f"{BELOW}/compare/explorer", f"{TEXTS}/compare/explorer", {}),
    ("get", f"{BELOW}/components", f"{PICTURES}/components?space=pixels%2Bpca:4", None),
    ("get", f"{BELOW}/components", f"{TEXTS}/components?space=tfidf%2Blsa:2&limit=1", None),
    ("post", f"{BELOW}/reconstruct", f"{PICTURES}/reconstruct", {"space": "pixels+pca:4", "id": "3", "first": 2}),
    ("post", f"{BELOW}/reconstruct", f"{TEXTS}/reconstruct", {"space": "tfidf+lsa:2", "id": "wing"}),
    ("post", f"{BELOW}/reconstruct", f"{TEXTS}/reconstruct", {"space": "bm25", "id": "wing"}),
    ("post", f"{BELOW}/interpolate", f"{PICTURES}/interpolate", {"space": "pixels+pca:4", "start": "3", "end": "4"}),
    ("get", f"{BELOW}/training", f"{PICTURES}/training?space=pixels", None),
    ("get", f"{BELOW}/compare/queries", f"{TEXTS}/compare/queries?limit=2", None),
    ("get", f"{BELOW}/health", f"{PICTURES}/health?space=pixels%2Bpca:4", None),
]  # fmt: skip


def validator(schema):
    return Draft202012Validator({**schema, "components": document()["components"]})


@pytest.mark.parametrize(("method", "path", "url", "body"), ASKED, ids=lambda value: str(value)[:40])
def test_replies_follow_the_document(service, method, path, url, body):
    reply = service.get(url) if method == "get" else service.post(url, body)
    assert reply.status == 200, reply.content
    described = document()["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    validator(described).validate(reply.json)


def test_every_operation_is_asked_here():
    described = {(method, path) for path, methods in document()["paths"].items() for method in methods}
    other = {("get", "/metrics"), ("get", f"{BELOW}/media/{{id}}")}
    assert described == {(method, path) for method, path, _, _ in ASKED} | other


def test_the_documentation_shows_every_operation_and_an_example_that_fits(service):
    page = service.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    text = page.content.decode()
    for methods in document()["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in text
            assert operation["operationId"] in EXAMPLES
    assert "<script" not in text
    for name in re.findall(r'<link rel="[a-z]+" href="([^"]+)"', text):  # also the icon, which browsers ask for
        assert service.get(name).status == 200, name
    assert 'rel="icon"' in text
    kinds = {operation.name: operation for operation in OPERATIONS}
    for name, (path, body) in EXAMPLES.items():
        if name in kinds and body is not None:
            msgspec.convert(body, kinds[name].body)
        assert path.startswith("/")


def test_the_law_can_fail():
    described = document()["paths"]["/health"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert not validator(described).is_valid({"status": "ok"})


def test_problems_follow_the_document(service):
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    for reply in (
        service.get("/none"),
        service.get(f"{TEXTS}/items/none"),
        service.post(f"{TEXTS}/search", b"{"),
        service("PUT", "/health"),
        service.get("/health", host="evil.example"),
        service.get("/v1/collections", origin="https://evil.example"),
        service.get(f"{TEXTS}/items?limit=x"),
        service.get(f"{TEXTS}/items?limit=1&limit=2"),
        service.get(f"{TEXTS}/items?color=red"),
    ):
        assert reply.headers["content-type"] == "application/problem+json"
        validator(schema).validate(reply.json)
        assert reply.json["status"] == reply.status


def test_the_document_is_served_and_names_no_folder(service, collections):
    served = service.get("/openapi.json")
    assert served.json == json.loads(json.dumps(document(("texts", "pictures"))))
    assert not any(folder in served.content.decode() for folder in collections.values())


def test_metrics_count_requests(service):
    def count() -> int:
        line = 'nearby_requests_total{operation="health",status="200"} '
        (found,) = [one for one in service.get("/metrics").content.decode().splitlines() if one.startswith(line)]
        return int(found.removeprefix(line))

    service.get("/health")
    before = count()
    service.get("/health")
    assert count() == before + 1


def test_the_client_of_openai_reads_embeddings_and_models(service):
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=f"http://127.0.0.1:{service.port}/v1", api_key="none", max_retries=0) as client:
        assert "texts/tfidf+lsa:2" in [model.id for model in client.models.list()]
        packed = client.embeddings.create(model="texts/tfidf+lsa:2", input=["wing", "heat flow"])  # asks for base64
        plain = client.embeddings.create(
            model="texts/tfidf+lsa:2", input=["wing", "heat flow"], encoding_format="float"
        )
        assert [one.embedding for one in packed.data] == [one.embedding for one in plain.data]
        (short,) = client.embeddings.create(model="texts/tfidf+lsa:2", input="wing", dimensions=1).data
        assert len(short.embedding) == 1
        with pytest.raises(openai.NotFoundError, match="no model"):
            client.embeddings.create(model="none/tfidf", input="wing")


def test_everything_that_a_client_sends_is_explained():
    from retrieval.service.api_page import _says

    found = document()
    sent = [
        (f"{one['operationId']} {parameter['name']}", parameter["schema"])
        for methods in found["paths"].values()
        for one in methods.values()
        for parameter in one["parameters"]
    ]
    bodies = [(name, one) for name, one in found["components"]["schemas"].items() if name.endswith("Body")]
    sent += [(f"{name} {field}", schema) for name, body in bodies for field, schema in body["properties"].items()]
    assert len(sent) > 60
    assert [name for name, schema in sent if not _says(schema)] == []
