"""The answer of an embeddings endpoint, checked."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.errors import EndpointError


class Embedded(NamedTuple):
    """The embeddings of the texts of one request, float32 (n, dim), and the tokens that they cost."""

    codes: NDArray[np.float32]
    tokens: int


def read_answer(url: str, body: bytes, count: int) -> Embedded:
    """Read an answer to `count` texts.

    Raises
    ------
    EndpointError
        When it is not JSON, has another form, or has not one vector of finite numbers and of one width for each text.
    """
    import orjson

    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise EndpointError(
            f"{url} answers with something other than JSON ({error}): is it the address of an embeddings endpoint?"
        ) from None
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, list):
        raise EndpointError(f"{url} gives no embeddings (a list 'data'): is it the address of an embeddings endpoint?")
    if len(data) != count:
        raise EndpointError(f"{url} gives {len(data):,} embeddings for {count:,} texts: try a smaller batch-size=")
    rows: list[Any] = [None] * count
    for position, one in enumerate(data):
        index = one.get("index", position) if isinstance(one, dict) else None
        vector = one.get("embedding") if isinstance(one, dict) else None
        if type(index) is not int or not 0 <= index < count or rows[index] is not None or not isinstance(vector, list):
            raise EndpointError(f"{url} gives an embedding without a list of numbers, or with a wrong index")
        rows[index] = vector
    widths = sorted({len(row) for row in rows})
    if len(widths) != 1 or not widths[0]:
        raise EndpointError(f"{url} gives embeddings of different widths ({', '.join(map(str, widths))}) for one model")
    try:
        with np.errstate(over="ignore"):
            codes = np.array(rows, dtype=np.float64).astype(np.float32)
    except (TypeError, ValueError):
        raise EndpointError(f"{url} gives embeddings that are not numbers") from None
    if not np.isfinite(codes).all():
        raise EndpointError(f"{url} gives embeddings with NaN or infinite numbers")
    return Embedded(codes, _tokens(value.get("usage")))


def _tokens(usage: Any) -> int:
    known = usage if isinstance(usage, dict) else {}
    tokens = known.get("total_tokens", known.get("prompt_tokens", 0))
    return tokens if type(tokens) is int and tokens >= 0 else 0
