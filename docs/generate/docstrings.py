"""Docstrings in numpydoc form, as Markdown."""

from __future__ import annotations

import inspect
import re
from typing import Any, NamedTuple

_HEADING = re.compile(r"^([A-Z][A-Za-z ]+)\n-{3,}\n", re.MULTILINE)


class Docstring(NamedTuple):
    """The parts of a docstring that a page shows."""

    summary: str
    details: str
    source: str


def read(thing: Any) -> Docstring:
    """Read the docstring of a class or function.

    Examples
    --------
    >>> def f():
    ...     '''Return ``1``.
    ...
    ...     More.
    ...
    ...     References
    ...     ----------
    ...     A, B, 1901.
    ...     '''
    >>> read(f)
    Docstring(summary='Return `1`.', details='More.', source='A, B, 1901.')
    """
    text = inspect.getdoc(thing) or ""
    first, *rest = _HEADING.split(text)
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    summary, _, details = first.strip().partition("\n\n")
    return Docstring(
        _markdown(summary), _markdown(details), " ".join(_markdown(sections.get("References", "")).split())
    )


def _markdown(text: str) -> str:
    """Return reStructuredText's double backquotes as Markdown's single ones, and bars that mean an absolute value."""
    return text.replace("``", "`").strip()
