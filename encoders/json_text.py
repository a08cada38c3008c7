"""JSON from files of unknown origin: every mistake in it raises ValueError."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import orjson


def parse_json(text: str | bytes, made: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Return the value of a JSON text.

    Parameters
    ----------
    text : str or bytes
    made : callable, optional
        Makes an object of its names and values; by default a dict, in which the last value of a name counts.

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
        return json.loads(text.decode("utf-8") if isinstance(text, bytes) else text, object_pairs_hook=made)
    except RecursionError:
        raise ValueError("its JSON is nested too deep") from None


def require_names_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of its names and values.

    Raises
    ------
    ValueError
        When a name is given twice.

    Examples
    --------
    >>> parse_json('{"amount": 1, "amount": 2}', require_names_once)
    Traceback (most recent call last):
    ValueError: the name 'amount' is given twice in one object: give it once
    """
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the name '{name[:100]}' is given twice in one object: give it once")
    return made


#: A whole number this long may be 2^64 or more, which orjson reads as a float: digits are lost.
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
    except (ValueError, RecursionError):  # a number of thousands of digits: the float is kept
        return value


def fault_of(error: orjson.JSONDecodeError) -> str:
    """Return what is wrong with a line of JSON, as a part of a sentence.

    A number such as 1e999 is valid JSON, but orjson refuses it as it refuses a line that is not JSON.

    Examples
    --------
    >>> import orjson
    >>> for line in (b'{"amount": 1e999}', b'{"amount": NaN}'):
    ...     try:
    ...         json_line(line)
    ...     except orjson.JSONDecodeError as error:
    ...         print(fault_of(error))
    the number at column 12 is beyond float64
    not valid JSON at column 12: unexpected character, expected a JSON value
    """
    if error.msg.startswith("number is infinity"):
        return f"the number at column {error.colno} is beyond float64"
    return f"not valid JSON at column {error.colno}: {error.msg}"
