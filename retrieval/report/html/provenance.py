"""Command, versions and machine as a list of names and values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from retrieval.report.json import plain


def provenance_data(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return names and values: each value is a text, lines, or names and values again.

    Examples
    --------
    >>> provenance_data({"git_commit": "1f3a"})
    [{'name': 'git commit', 'text': '1f3a', 'code': True}]
    """
    return [_entry(str(name), plain(value)) for name, value in made.items()]


def _entry(name: str, value: Any) -> dict[str, Any]:
    code = bool(re.search(r"command|digest|commit", name)) and isinstance(value, str)
    return {"name": name.replace("_", " "), **_value(value), "code": code}


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {"entries": provenance_data(value)} if value else {"text": "none"}
    if isinstance(value, list):
        return {"lines": [_value(part) for part in value]} if value else {"text": "none"}
    if value is None or isinstance(value, bool):
        return {"text": {None: "–", True: "yes", False: "no"}[value]}
    return {"text": str(value)}
