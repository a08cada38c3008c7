"""The JSON of a body. No object has a name twice: the library would keep the last value and say nothing."""

from __future__ import annotations

from typing import Any

import msgspec

from encoders.json_text import parse_json, require_names_once


def decoded(raw: bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        When an object has a name twice.
    msgspec.DecodeError
        When the text is no JSON.

    Examples
    --------
    >>> decoded(b'{"query": {"text": "a: b"}, "k": 1}')
    {'query': {'text': 'a: b'}, 'k': 1}
    >>> decoded(b'{"queries": [{"text": "a", "text": "b"}]}')
    Traceback (most recent call last):
    ValueError: the name 'text' is given twice in one object: give it once
    """
    value = msgspec.json.decode(raw)
    # A colon of JSON is after a name or inside a text. If the body has more colons than its value, a name may have been
    # dropped. An escaped colon (\u003a) makes the count useless.
    if raw.count(b":") != _colons(value) or b"\\u003" in raw:
        parse_json(raw, require_names_once)
    return value


def _colons(value: Any) -> int:
    """Return the number of names in a JSON value, and of colons in its names and texts."""
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if type(one) is dict:
            count += len(one) + sum(name.count(":") for name in one)
            waiting += one.values()
        elif type(one) is str:
            count += one.count(":")
        elif type(one) is list and not {dict, list, str}.isdisjoint(map(type, one)):  # no list of numbers
            waiting += one
    return count
