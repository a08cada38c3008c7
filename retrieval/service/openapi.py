"""The OpenAPI document, from the table of operations and the structs that read and write what it describes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from encoders.version import version
from retrieval.service.bodies import EmbeddingsBody
from retrieval.service.endpoints.table import OPERATIONS
from retrieval.service.examples import curl
from retrieval.service.operations import Media, Operation
from retrieval.service.problem import MEDIA_TYPE, ProblemDocument
from retrieval.service.replies import Collections, Document, EmbeddingsReply, Health, Models, Progress

REF = "#/components/schemas/{name}"
BELOW = "/v1/collections/{collection}"
#: Status codes of problems, with what they mean for every operation.
PROBLEMS = {
    400: "The body is no JSON.",
    401: "The token is missing or wrong.",
    403: "Another page asked.",
    404: "There is no such collection, space or item.",
    405: "Another method is needed.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    414: "The address or its query string is too long.",
    415: "The body is no application/json.",
    421: "The service has another name.",
    422: "What is asked for cannot be answered; the detail says why.",
    500: "The service failed; its log says why.",
    502: "The server that holds the collection failed.",
    503: "The service is busy or stopping; Retry-After says when to ask again.",
    504: "The answer took too long.",
    505: "Another version of HTTP is needed: 1.1.",
}
#: Operations that are not on one collection: path, method, name, summary, body, reply.
GLOBAL: tuple[tuple[str, str, str, str, type | None, type | None], ...] = (
    ("/v1/collections", "get", "collections", "List the collections", None, Collections),
    ("/v1/embeddings", "post", "embeddings", "Embed texts, as OpenAI's clients ask", EmbeddingsBody, EmbeddingsReply),
    ("/v1/models", "get", "models", "List the spaces, as OpenAI's clients ask", None, Models),
    ("/health", "get", "health", "Say whether the service lives", None, Health),
    ("/metrics", "get", "metrics", "Count requests, for Prometheus", None, None),
)


@cache
def document(names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the OpenAPI document (version 3.1) of the API; with names, those of the collections that are served."""
    bodies = [one.body for one in OPERATIONS] + [row[4] for row in GLOBAL]
    replies = [one.reply for one in OPERATIONS if one.reply not in (Media, Document)] + [row[5] for row in GLOBAL]
    kinds = list(dict.fromkeys(kind for kind in (*bodies, *replies, ProblemDocument, Progress) if kind is not None))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    found = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, name, summary, body, reply in GLOBAL:
        content = {"text/plain": {"schema": {"type": "string"}}} if reply is None else _json(found[reply])
        paths.setdefault(path, {})[method] = _described(name, summary, [], found[body] if body else None, content)
    for one in OPERATIONS:
        body_schema = None if one.body is None else found[one.body]
        paths.setdefault(BELOW + one.path, {})[one.method.lower()] = _described(
            one.name, one.summary, _parameters(one, names), body_schema, _content(one, found)
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "nearby",
            "version": version(),
            "description": "Search, compare and look at spaces of a collection. Ids in a path are percent-encoded.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _described(
    name: str, summary: str, parameters: list[dict[str, Any]], body: dict[str, Any] | None, content: dict[str, Any]
) -> dict[str, Any]:
    problem = {MEDIA_TYPE: {"schema": {"$ref": REF.format(name=ProblemDocument.__name__)}}}
    described: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "x-example": curl(name),
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer.", "content": content},
            **{str(status): {"description": said, "content": problem} for status, said in PROBLEMS.items()},
        },
    }
    if body is not None:
        described["requestBody"] = {"required": True, "content": _json(body)}
    return described


def _content(one: Operation, found: dict[type, dict[str, Any]]) -> dict[str, Any]:
    if one.reply is Media:
        return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in one.media}
    schema = (one.schema() if one.schema else {"type": "object"}) if one.reply is Document else found[one.reply]
    events = {"text/event-stream": {"schema": {"type": "string"}}} if one.long else {}
    return {**_json({key: value for key, value in schema.items() if key not in ("$id",)}), **events}


def _parameters(one: Operation, collections: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the parameters of the path, and of the query string as its struct describes them."""
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", BELOW + one.path)
    ]
    if collections:
        found[0]["schema"]["enum"] = list(collections)
    if one.parameters is None:
        return found
    (schema,), components = msgspec.json.schema_components([one.parameters], ref_template=REF)
    described = components[one.parameters.__name__] if "$ref" in schema else schema
    for name, field in described["properties"].items():
        found.append({"name": name, "in": "query", "required": name in described.get("required", ()), "schema": field})
    return found
