"""Bodies and query strings of requests, read as the structs that describe them."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request

from encoders.errors import one_line
from retrieval.service.json_body import decoded
from retrieval.service.problem import Problem
from retrieval.service.refusals import refusal


async def read_body(request: Request, kind: type[Any] | None) -> Any:
    """Read the JSON body of a request.

    Raises
    ------
    Problem
        400 for what is no JSON, 422 for JSON of another form.
    """
    if kind is None:
        return None
    try:
        raw = await request.body()
    except ClientDisconnect:
        raise Problem(400, "the client left before its body was complete") from None
    try:
        given = decoded(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"the body is no JSON: {one_line(error)}") from None
    except ValueError as error:
        raise Problem(422, f"the body: {one_line(error)}") from None
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Problem(422, refusal(error, kind, "the body")) from None


def pairs(query: str) -> list[tuple[str, str]]:
    """Return the names and values of a query string; the + of a spec is one, that of other values a space.

    Examples
    --------
    >>> pairs("space=tfidf+lsa:2&space=sbert:a%20b&id=a+b")
    [('space', 'tfidf+lsa:2'), ('space', 'sbert:a b'), ('id', 'a b')]
    """
    as_form = parse_qsl(query, keep_blank_values=True)
    as_written = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)
    return [written if form[0] == "space" else form for form, written in zip(as_form, as_written, strict=True)]


def read_parameters(request: Request, kind: Any) -> Any:
    """Read the query string of a request.

    Raises
    ------
    Problem
        422 for a parameter that is unknown, missing, repeated, or of another form.
    """
    given: dict[str, list[str]] = {}
    for name, value in pairs(request.url.query):
        given.setdefault(name, []).append(value)
    lists: frozenset[str] = frozenset() if kind is None else list_fields(kind)
    values: dict[str, Any] = {}
    for name, several in given.items():
        if name not in lists and len(several) > 1:
            raise Problem(422, f"the parameter '{name[:100]}' is given {len(several):,} times: give it once")
        values[name] = several if name in lists else several[0]
    if kind is None:
        if values:
            raise Problem(422, f"this operation has no parameter '{next(iter(values))[:100]}'")
        return None
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(422, refusal(error, kind, "the query string")) from None


@cache
def list_fields(kind: Any) -> frozenset[str]:
    """Return the fields of a struct that are lists: parameters that may be repeated."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101
    return frozenset(
        one.encode_name
        for one in info.fields
        if isinstance(getattr(one.type, "type", one.type), msgspec.inspect.ListType)
    )
