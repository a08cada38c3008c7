"""Bodies and query strings of requests, read as the structs that describe them."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from encoders.errors import one_line
from retrieval.service.problem import Problem


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
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise Problem(422, f"the body does not fit: {one_line(error)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"the body is no JSON: {one_line(error)}") from None


def read_parameters(request: Request, kind: Any) -> Any:
    """Read the query string of a request.

    Raises
    ------
    Problem
        422 for a parameter that is unknown, missing, repeated, or of another form.
    """
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    lists: frozenset[str] = frozenset() if kind is None else list_fields(kind)
    values: dict[str, Any] = {}
    for name, several in given.items():
        if name not in lists and len(several) > 1:
            raise Problem(422, f"the parameter '{name[:100]}' is given {len(several):,} times: give it once")
        if name == "space":  # a form's + is a space, which no spec has
            several = [value.replace(" ", "+") for value in several]
        values[name] = several if name in lists else several[0]
    if kind is None:
        if values:
            raise Problem(422, f"this operation has no parameter '{next(iter(values))[:100]}'")
        return None
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(422, f"the query string does not fit: {one_line(error)}") from None


@cache
def list_fields(kind: Any) -> frozenset[str]:
    """Return the fields of a struct that are lists: parameters that may be repeated."""
    found = msgspec.inspect.type_info(kind)
    assert isinstance(found, msgspec.inspect.StructType)  # noqa: S101
    return frozenset(
        one.encode_name
        for one in found.fields
        if isinstance(getattr(one.type, "type", one.type), msgspec.inspect.ListType)
    )
