"""JSON from a file that somebody else may have written: whatever is wrong with it is a ValueError."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Return the value that a JSON text holds.

    Raises
    ------
    ValueError
        When it is no JSON or no UTF-8, nested deeper than Python reads, or holds a number of thousands of digits.

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
