"""JSON from files of unknown origin: every mistake in it raises ValueError."""

from __future__ import annotations

import json
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
