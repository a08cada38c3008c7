"""The grammar of specs: ``name:argument,key=value+name:argument``.

A spec is one or more stages joined by ``+``. A stage is a name, then optionally ``:`` and its options separated by
``,``: at most one without a key (the first option of the encoder), the others as ``key=value``. A value that
contains one of ``+ , = : "`` is in double quotes; inside them ``\\"`` and ``\\\\`` mean a quote and a backslash.
A ``+`` at the end of a value with a key, without a stage after it, needs no quotes: ``bm25:method=bm25+``.

A stage that reads a file or an address may have its options behind a ``?``, as the address of a corpus has
(`encoders.query_string`): ``given:openai.npy?ids=ids.txt&metric=dot`` is ``given:openai.npy,ids=ids.txt,metric=dot``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from encoders.errors import SpecError
from encoders.query_string import parse_query_string


class Stage(NamedTuple):
    """One stage of a spec: its name, its positional argument and its named options, all still text."""

    name: str
    argument: str | None
    named: dict[str, str]


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
#: A file or address, and what is behind its ``?`` up to the next stage.
_ADDRESS = re.compile(r'([^+,="\s?]+)\?([^+,="\s?&]+=[^+"]*)')
_NEEDS_QUOTES = re.compile(r'[+,="\s]|^$')


def parse(text: str) -> list[Stage]:
    """Read a spec.

    Parameters
    ----------
    text : str
        For instance ``pixels+deep-ae:1000-500-250-30,epochs=40``.

    Returns
    -------
    list of Stage
        At least one.

    Raises
    ------
    SpecError
        With a mark at the position of the mistake.

    Examples
    --------
    >>> parse("tfidf:min-df=2+lsa:128")
    [Stage(name='tfidf', argument=None, named={'min-df': '2'}), Stage(name='lsa', argument='128', named={})]
    >>> parse('sbert:"my+model"')[0].argument
    'my+model'
    >>> parse("bm25:method=bm25+,delta=1")[0].named
    {'method': 'bm25+', 'delta': '1'}
    >>> parse("given:v.npy?ids=ids.txt&metric=dot+truncate:8")[0].named
    {'ids': 'ids.txt', 'metric': 'dot'}
    >>> parse("pca,seed=1")
    Traceback (most recent call last):
    encoders.errors.SpecError: expected ':' before the first option of 'pca', found ',' in the spec
      pca,seed=1
         ^
    >>> parse("tfidf++lsa")
    Traceback (most recent call last):
    encoders.errors.SpecError: expected an encoder name, found '+' in the spec
      tfidf++lsa
            ^
    """
    return _Parser(text).stages()


def write_stage(name: str, argument: str | None, named: dict[str, str]) -> str:
    """Write one stage so that `parse` reads the same back.

    Examples
    --------
    >>> write_stage("bow", "2000", {"stop": "none"})
    'bow:2000,stop=none'
    """
    parts = [] if argument is None else [_quoted(argument)]
    parts += [f"{key}={_quoted(value)}" for key, value in named.items()]
    return f"{name}:{','.join(parts)}" if parts else name


def _quoted(value: str) -> str:
    if not _NEEDS_QUOTES.search(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def stages(self) -> list[Stage]:
        stages = [self.stage()]
        while self.peek() == "+":
            self.position += 1
            stages.append(self.stage())
        if (
            self.peek() in (",", "=")
            and ":" not in self.text[self.text.rfind("+", 0, self.position) + 1 : self.position]
        ):
            raise self.error(f"':' before the first option of '{stages[-1].name}'")
        if self.position < len(self.text):
            raise self.error("'+' or the end")
        return stages

    def stage(self) -> Stage:
        name = self.word("an encoder name", allow_colon=False)
        argument: str | None = None
        named: dict[str, str] = {}
        if self.peek() != ":":
            return Stage(name, argument, named)
        self.position += 1
        address = _ADDRESS.match(self.text, self.position)
        if address is not None:
            self.position = address.end()
            return Stage(name, address[1], parse_query_string(address[2], address[0], hyphens=True))
        while True:
            start = self.position
            value = self.word("an option", allow_plus=False)
            if self.peek() == "=":
                self.position += 1
                key, value = value, self.word(f"a value for '{value}'")
                if key in named:
                    self.position = start
                    raise self.error(f"'{key}' only once")
                named[key] = value
            elif argument is None and not named:
                argument = value
            else:
                self.position = start
                raise self.error("key=value")
            if self.peek() != ",":
                return Stage(name, argument, named)
            self.position += 1

    def word(self, expected: str, allow_colon: bool = True, allow_plus: bool = True) -> str:
        if self.peek() == '"':
            match = _QUOTED.match(self.text, self.position)
            if match is None:
                raise self.error("a closing double quote")
            self.position = match.end()
            return re.sub(r"\\(.)", r"\1", match.group(1))
        pattern = r'[^+,="\s]+' if allow_colon else r'[^+,=:"\s]+'
        if allow_colon and allow_plus:  # a plus without a stage after it belongs to the value: method=bm25+
            pattern += r"(?:\+(?=[,+]|$))?"
        match = re.compile(pattern).match(self.text, self.position)
        if match is None:
            raise self.error(expected)
        self.position = match.end()
        return match.group()

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def error(self, expected: str) -> SpecError:
        actual = f"'{self.peek()}'" if self.peek() else "the end"
        return SpecError(f"expected {expected}, found {actual} in the spec\n  {self.text}\n  {' ' * self.position}^")
