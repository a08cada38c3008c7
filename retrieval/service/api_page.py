"""The documentation of the API as a page of its own: the OpenAPI document, readable without network or JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from retrieval.service.examples import ServedNames, curl
from retrieval.service.openapi import document

TEMPLATE = Path(__file__).parent / "api_page.html"


@dataclass(frozen=True)
class Field:
    """A field of a body, reply or query string."""

    name: str
    kind: str
    required: bool
    says: str


@dataclass(frozen=True)
class Part:
    """A struct with its fields."""

    name: str
    says: str
    fields: list[Field]


@dataclass(frozen=True)
class Described:
    """One operation."""

    name: str
    method: str
    path: str
    summary: str
    parameters: list[Field]
    body: str
    reply: str
    example: str


@lru_cache(8)
def api_page(served: ServedNames) -> str:
    """Return the page, with examples that name what is served."""
    from jinja2 import Environment, StrictUndefined

    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = made.from_string(TEMPLATE.read_text(encoding="utf-8"))
    openapi = document()
    schemas = openapi["components"]["schemas"]
    return template.render(
        version=openapi["info"]["version"],
        operations=[
            _described(path, method, operation, served)
            for path, methods in openapi["paths"].items()
            for method, operation in methods.items()
        ],
        parts=[
            Part(name, schema.get("description", ""), _fields(schema))
            for name, schema in sorted(schemas.items())
            if "properties" in schema
        ],
        problems=_problems(openapi),
    )


def _problems(openapi: dict[str, Any]) -> list[tuple[str, str]]:
    responses = openapi["paths"]["/v1/collections"]["get"]["responses"]
    return [(status, response["description"]) for status, response in responses.items() if status != "200"]


def _described(path: str, method: str, operation: dict[str, Any], served: ServedNames) -> Described:
    content = operation["responses"]["200"]["content"]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    kinds = [_kind(one["schema"]) if name == "application/json" else name for name, one in content.items()]
    return Described(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        parameters=[
            Field(one["name"], _kind(one["schema"]), one["required"], _says(one["schema"]))
            for one in operation["parameters"]
        ],
        body=_kind(body["schema"]) if body else "",
        reply=" or ".join(kinds),
        example=curl(operation["operationId"], served),
    )


def _fields(schema: dict[str, Any]) -> list[Field]:
    required = schema.get("required", ())
    return [Field(name, _kind(one), name in required, _says(one)) for name, one in schema["properties"].items()]


def _says(schema: dict[str, Any]) -> str:
    """Return what a schema says in words, or one of those that it allows, or that of its entries.

    Examples
    --------
    >>> _says({"anyOf": [{"type": "string", "description": "Words."}, {"type": "null"}]})
    'Words.'
    """
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]
    return str(schema.get("description") or next(filter(None, map(_says, inner)), ""))


def _kind(schema: dict[str, Any]) -> str:
    """Return what a schema asks for, in a few words.

    Examples
    --------
    >>> _kind({"type": "integer", "minimum": 1, "maximum": 9}), _kind({"type": "array", "items": {"type": "string"}})
    ('integer, 1 to 9', 'list of string')
    >>> _kind({"anyOf": [{"$ref": "#/components/schemas/Hit"}, {"type": "null"}]})
    'Hit'
    """
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        kinds = [_kind(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_kind(schema['additionalProperties'])}"
    if schema.get("contentEncoding") == "base64":
        return "base64"
    if "minimum" in schema and "maximum" in schema:
        return f"{kind}, {schema['minimum']:,} to {schema['maximum']:,}"
    return kind
