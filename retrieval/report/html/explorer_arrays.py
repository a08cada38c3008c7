"""Arrays inside a page: little-endian bytes in base64, as short as their values allow."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrieval.report.figures.markup import Markup, printable

#: What stands for no number in an unsigned array of a width: its largest value.
NONE = {2: 0xFFFF, 4: 0xFFFFFFFF}


def whole_numbers(values: ArrayLike, limit: int) -> str:
    """Return numbers from -1 (none) to below `limit` as ``u16:...``, or ``u32:...`` where 16 bits are too few.

    Examples
    --------
    >>> whole_numbers([1, -1], 10), whole_numbers([1], 70_000)
    ('u16:AQD//w==', 'u32:AQAAAA==')
    """
    width = 2 if limit <= NONE[2] else 4
    numbers = np.asarray(values, np.int64)
    return f"u{8 * width}:{_base64(np.where(numbers < 0, NONE[width], numbers).astype(f'<u{width}'))}"


def shares(values: ArrayLike, low: float, high: float) -> str:
    """Return values between `low` and `high` as ``u16:...``: 0 is `low`, 65535 is `high`.

    Examples
    --------
    >>> shares([0.0, 1.0], 0, 1)
    'u16:AAD//w=='
    """
    scaled = (np.asarray(values, np.float64) - low) / (high - low)
    return f"u16:{_base64(np.rint(np.clip(scaled, 0, 1) * 65535).astype('<u2'))}"


def bits(values: ArrayLike) -> str:
    """Return true and false as ``u8:...``, eight to a byte, the first in the lowest bit.

    Examples
    --------
    >>> bits([True, False, True])
    'u8:BQ=='
    """
    return f"u8:{_base64(np.packbits(np.asarray(values, bool).ravel(), bitorder='little'))}"


def json_block(value: Any) -> Markup:
    """Return a value as JSON that may stand inside a ``<script type="application/json">``: no ``<`` ends it.

    Examples
    --------
    >>> json_block({"title": "</script>"})
    '{"title":"\\\\u003c/script>"}'
    """
    import orjson

    text = orjson.dumps(_clean(value)).decode()
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _clean(value: Any) -> Any:
    """Replace characters that a page cannot contain, in texts at any depth."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _clean(part) for key, part in value.items()}
    return [_clean(part) for part in value] if isinstance(value, list | tuple) else value


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
