"""JSON from files of unknown origin: every mistake in it raises ValueError."""

from __future__ import annotations

import json
import re
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        When the text is not JSON or UTF-8, is nested too deep, or contains a number of thousands of digits.

    Examples
    --------
    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: its JSON is nested too deep
    """
    try:
        return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
    except RecursionError:
        raise ValueError("its JSON is nested too deep") from None


#: So many digits may be a whole number that orjson reads as a float, which loses digits: from 2^64 on.
_LONG = re.compile(rb"[0-9]{19}")


def json_line(line: bytes) -> Any:
    """Return the value of a line of JSON, fast; whole numbers are exact, however long they are.

    Raises
    ------
    orjson.JSONDecodeError
        When the line is not JSON.

    Examples
    --------
    >>> json_line(b'{"id": 18446744073709551617, "amount": 1.5}')
    {'id': 18446744073709551617, 'amount': 1.5}
    """
    import orjson

    value = orjson.loads(line)
    if _LONG.search(line) is None:
        return value
    try:
        return json.loads(line)
    except (ValueError, RecursionError):  # a number of thousands of digits: a float is what can be had
        return value
