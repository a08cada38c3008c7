"""Regions of a page that are written from the code: ``<!-- generated: NAME -->`` to ``<!-- end of NAME -->``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Writer = Callable[[], str]
_REGION = re.compile(r"(<!-- generated: ([a-z-]+)[^>]* -->\n)(.*?)(<!-- end of \2 -->)", re.DOTALL)


def names(page: str) -> list[str]:
    """Return the names of the regions of a page.

    Examples
    --------
    >>> names("<!-- generated: measures -->\\nold\\n<!-- end of measures -->")
    ['measures']
    """
    return [match[2] for match in _REGION.finditer(page)]


def filled(page: str, writers: Mapping[str, Writer]) -> str:
    """Return a page with every region written again; the rest stays as it is.

    Raises
    ------
    KeyError
        For a region that no writer makes.

    Examples
    --------
    >>> filled("# A\\n<!-- generated: b -->\\nold\\n<!-- end of b -->\\n", {"b": lambda: "new"})
    '# A\\n<!-- generated: b -->\\nnew\\n<!-- end of b -->\\n'
    """
    return _REGION.sub(lambda match: f"{match[1]}{writers[match[2]]().strip()}\n{match[4]}", page)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped.

    Examples
    --------
    >>> print(table(["a", "b"], [["1", "2|3"]]))
    | a | b |
    | --- | --- |
    | 1 | 2\\|3 |
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|") or " "
