"""Long specs in little room: broken into lines between their parts, or cut in the middle."""

from __future__ import annotations

import re

#: The separator of spec and index in the label of a row.
AT = " @ "


def joints(spec: str) -> list[str]:
    """Split a spec after every ``+``, ``,``, ``-`` and ``:``, where a line may end.

    Examples
    --------
    >>> joints("bow:2000+lsa:10")
    ['bow:', '2000+', 'lsa:', '10']
    """
    return re.findall(r"[^+,\-:]*[+,\-:]|[^+,\-:]+", spec)


def middle_cut(words: str, width: int) -> str:
    """Shorten text in the middle, where specs differ least.

    Examples
    --------
    >>> middle_cut("pixels+deep-ae:1000-500-250-30", 20)
    'pixels+dee…00-250-30'
    >>> middle_cut("pca:30", 20)
    'pca:30'
    """
    if len(words) <= width:
        return words
    tail = (width - 1) // 2
    return f"{words[: width - 1 - tail]}…{words[len(words) - tail :]}"


def wrapped(label: str, width: int) -> list[str]:
    """Break a spec into lines between its parts; only a part longer than a line is cut, in the middle.

    A label ``spec @ index`` that is too long has its index on a line of its own.

    Examples
    --------
    >>> wrapped("pixels+deep-ae:1000-500-250-30", 20)
    ['pixels+deep-ae:1000-', '  500-250-30']
    >>> wrapped("pixels+pca:30 @ faiss:HNSW32", 20)
    ['pixels+pca:30', '  @ faiss:HNSW32']
    """
    spec, at, index = label.partition(AT)
    if len(label) <= width or not at:
        return _lines(label, width, "")
    return _lines(spec, width, "") + _lines(f"@ {index}", width, "  ")


def _lines(spec: str, width: int, start: str) -> list[str]:
    lines = [start]
    for part in joints(spec):
        part = middle_cut(part, width)
        if len(lines[-1]) + len(part) > width:
            lines.append("  ")
            part = middle_cut(part, width - 2)
        lines[-1] += part
    return lines
