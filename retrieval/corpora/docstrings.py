"""Removing the "See Also" links from a docstring, in four styles:
numpydoc sections, reStructuredText ``.. seealso::`` directives, Google-style ``See Also:`` blocks, and "see also"
within a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_TITLE = re.compile(r"^\s*see also\s*$", re.IGNORECASE)
_RULE = re.compile(r"^\s*[-=~_]{3,}\s*$")
_DIRECTIVE = re.compile(r"^(\s*)\.\. ?seealso:+\s*(.*)$", re.IGNORECASE)
_BLOCK = re.compile(r"^(\s*)see also:?:?\s*$", re.IGNORECASE)
_SENTENCE = re.compile(r"\bsee\s*also\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\.(?=\s|$)|\n\s*\n")
_NAME = r"[A-Za-z_]\w*(?:\.\w+)*"
#: As in ``:func:`~numpy.sin```; roles such as :ref: and :doc: link to pages, not objects.
_ROLE = re.compile(rf":(?:py:)?(?:func|class|meth|obj|data|attr|exc):`(?:[^`<]*<)?[~!.]?({_NAME})(?:\(\))?>?`")
#: A dotted name in backticks; a name without dots is often a parameter.
_QUOTED = re.compile(r"(?<![:\w`])``?[~.]?([A-Za-z_]\w*(?:\.\w+)+)(?:\(\))?``?")
_ENTRY = re.compile(
    r"^((?::[\w:]+:)?[`~.]*[A-Za-z_][\w.]*(?:\(\))?`*(?:\s*,\s*(?::[\w:]+:)?[`~.\w()]+)*)\s*[,.]?\s*(?::|--|$)"
)


def split_see_also(docstring: str) -> tuple[str, list[str]]:
    r"""Split a docstring into its text without links, and the names that it links to.

    Parameters
    ----------
    docstring : str
        Without common indentation (`inspect.cleandoc`).

    Returns
    -------
    text : str
        Without any "see also".
    names : list of str
        As written, in order, each once; not all of them may exist.

    Examples
    --------
    >>> split_see_also("The sine.\n\nSee Also\n--------\narcsin, cos : More.\n    Yes.\n\nNotes\n-----\nOdd.")
    ('The sine.\n\nNotes\n-----\nOdd.', ['arcsin', 'cos'])
    >>> split_see_also("Split it.\n\n.. seealso::\n\n    :func:`torch.cat` joins\n\nArgs:\n    x")
    ('Split it.\n\nArgs:\n    x', ['torch.cat'])
    >>> split_see_also("The mean (see also :func:`numpy.median`). It is an average.")
    ('The mean. It is an average.', ['numpy.median'])
    """
    names: list[str] = []
    lines = docstring.split("\n")
    kept: list[str] = []
    start = 0
    while start < len(lines):
        stop = _section_end(lines, start)
        if stop is not None:
            names += _entries(lines[start + 2 : stop])
        else:
            stop = _block_end(lines, start)
            if stop is None:
                kept.append(lines[start])
                start += 1
                continue
            names += _block_names(lines[start:stop])
        start = stop
    text, inline = _without_sentences("\n".join(kept))
    tidy = re.sub(r"\n{3,}", "\n\n", text).strip()
    return tidy, list(dict.fromkeys(names + inline))


def _section_end(lines: Sequence[str], start: int) -> int | None:
    """Return the end of the numpydoc section that begins at `start`; None if none begins there."""
    if not _TITLE.match(lines[start]) or start + 1 >= len(lines) or not _RULE.match(lines[start + 1]):
        return None
    for stop in range(start + 2, len(lines) - 1):
        if lines[stop].strip() and not _RULE.match(lines[stop]) and _RULE.match(lines[stop + 1]):
            return stop
        if _DIRECTIVE.match(lines[stop]):
            return stop
    return len(lines)


def _block_end(lines: Sequence[str], start: int) -> int | None:
    """Return the end of the block under a directive or Google-style heading; None if none begins at `start`."""
    match = _DIRECTIVE.match(lines[start]) or _BLOCK.match(lines[start])
    if match is None:
        return None
    indent = len(match[1])
    stop = start + 1
    while stop < len(lines) and (not lines[stop].strip() or _indent(lines[stop]) > indent):
        stop += 1
    while stop > start + 1 and not lines[stop - 1].strip():
        stop -= 1  # blank lines at the end belong to the following text
    return stop


def _entries(lines: Sequence[str]) -> list[str]:
    """Return the names of numpydoc entries: ``name, name : description``, descriptions indented."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return []
    margin = min(map(_indent, filled))
    names: list[str] = []
    for line in filled:
        if _indent(line) > margin:
            continue  # a description, whose names are not links
        match = _ENTRY.match(line.strip())
        if match is not None:
            names += re.findall(_NAME, re.sub(r":[\w:]+:(?=`)", "", match[1]))
        else:
            names += _linked(line)
    return names


def _block_names(lines: Sequence[str]) -> list[str]:
    head, *rest = lines
    inline = _DIRECTIVE.match(head)
    names = _linked("\n".join([inline[2] if inline else "", *rest]))
    return names or _entries(rest)


def _linked(text: str) -> list[str]:
    """Return the names in roles, or else the dotted ones in backticks."""
    return _ROLE.findall(text) or _QUOTED.findall(text)


def _without_sentences(text: str) -> tuple[str, list[str]]:
    names: list[str] = []
    while (match := _SENTENCE.search(text)) is not None:
        start, stop = match.start(), _stop_of_sentence(text, match.end())
        opening = _unclosed_parenthesis(text, start)
        if opening is not None:
            stop = _closing_parenthesis(text, match.end())
            start = (
                opening if not text[opening + 1 : start].strip(" ,;\n") else start - len(_gap(text[:start], " ,;\n"))
            )
            stop += start == opening
        names += _linked(text[match.end() : stop])
        start -= len(_gap(text[:start], " "))
        text = text[:start] + text[stop:]
    return text, names


def _stop_of_sentence(text: str, start: int) -> int:
    end = _SENTENCE_END.search(text, start)
    if end is None:
        return len(text)
    return end.end() if end[0] == "." else end.start()


def _unclosed_parenthesis(text: str, start: int) -> int | None:
    """Return the position of the parenthesis that is open at `start`, within its paragraph."""
    depth = 0
    for position in range(start - 1, text.rfind("\n\n", 0, start), -1):
        depth += (text[position] == ")") - (text[position] == "(")
        if depth < 0:
            return position
    return None


def _closing_parenthesis(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] == "(") - (text[position] == ")")
        if depth < 0:
            return position
        if text.startswith("\n\n", position):
            return position
    return len(text)


def _gap(text: str, characters: str) -> str:
    return text[len(text.rstrip(characters)) :]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
