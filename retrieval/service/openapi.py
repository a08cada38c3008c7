"""The OpenAPI document, from the table of operations and the structs that read and write what it describes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from encoders.version import version
from retrieval.service.bodies import SearchBody
from retrieval.service.endpoints.table import BELOW, OPERATIONS, SERVICE_OPERATIONS
from retrieval.service.operations import Media, Operation, ServiceOperation
from retrieval.service.problem import MEDIA_TYPE, ProblemDocument
from retrieval.service.replies.base import Document, Progress

REF = "#/components/schemas/{name}"
#: What the parts of a path are.
PATH_PARTS = {"collection": "Name of the collection.", "id": "Id of the item, percent-encoded."}
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


@cache
def document(names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the OpenAPI document (version 3.1) of the API; with names, those of the collections that are served."""
    every = (*OPERATIONS, *SERVICE_OPERATIONS)
    bodies = [one.body for one in every]
    replies = [one.reply for one in every if one.reply not in (Media, Document)]
    kinds = list(dict.fromkeys(kind for kind in (*bodies, *replies, ProblemDocument, Progress) if kind is not None))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    components[SearchBody.__name__]["oneOf"] = [{"required": ["query"]}, {"required": ["queries"]}]
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for whole in SERVICE_OPERATIONS:
        paths.setdefault(whole.path, {})[whole.method.lower()] = _described(whole, [], schema_of)
    for one in OPERATIONS:
        paths.setdefault(BELOW + one.path, {})[one.method.lower()] = _described(one, _parameters(one, names), schema_of)
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
    one: Operation | ServiceOperation, parameters: list[dict[str, Any]], schema_of: dict[type, dict[str, Any]]
) -> dict[str, Any]:
    problem = {MEDIA_TYPE: {"schema": {"$ref": REF.format(name=ProblemDocument.__name__)}}}
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": "The answer.", "content": _content(one, schema_of)},
            **{str(status): {"description": text, "content": problem} for status, text in PROBLEMS.items()},
        },
    }
    if one.body is not None:
        described["requestBody"] = {"required": True, "content": _json(schema_of[one.body])}
    return described


def _content(one: Operation | ServiceOperation, schema_of: dict[type, dict[str, Any]]) -> dict[str, Any]:
    if isinstance(one, ServiceOperation):
        if one.reply is Media:
            return {kind: {"schema": {"type": "string"}} for kind in one.media}
        return _json(schema_of[one.reply])
    if one.reply is Media:
        return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in one.media}
    schema = (one.schema() if one.schema else {"type": "object"}) if one.reply is Document else schema_of[one.reply]
    events = {"text/event-stream": {"schema": {"type": "string"}}} if one.long else {}
    return {**_json({key: value for key, value in schema.items() if key not in ("$id",)}), **events}


def _parameters(one: Operation, collections: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the parameters of the path, and of the query string as its struct describes them."""
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "description": PATH_PARTS[name]},
        }
        for name in re.findall(r"\{(\w+)\}", BELOW + one.path)
    ]
    if collections:
        parameters[0]["schema"]["enum"] = list(collections)
    if one.parameters is None:
        return parameters
    (schema,), components = msgspec.json.schema_components([one.parameters], ref_template=REF)
    described = components[one.parameters.__name__] if "$ref" in schema else schema
    for name, field in described["properties"].items():
        parameters.append(
            {"name": name, "in": "query", "required": name in described.get("required", ()), "schema": field}
        )
    return parameters
