"""The grammar of specs: ``name:argument,key=value+name:argument``.

A spec is one or more stages joined by ``+``. A stage is a name, then optionally ``:`` and its options separated by
``,``: at most one without a key (the first option of the encoder), the others as ``key=value``. A value with one of
``+ , = : "`` in it stands in double quotes; inside them ``\\"`` and ``\\\\`` stand for a quote and a backslash.
A ``+`` that ends a value, with no stage behind it, needs no quotes: ``bm25:method=bm25+``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from encoders.errors import SpecError


class Stage(NamedTuple):
    """One stage of a spec: its name, its positional argument and its named options, all still text."""

    name: str
    argument: str | None
    named: dict[str, str]


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
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
        With the place marked.

    Examples
    --------
    >>> parse("tfidf:min-df=2+lsa:128")
    [Stage(name='tfidf', argument=None, named={'min-df': '2'}), Stage(name='lsa', argument='128', named={})]
    >>> parse('sbert:"my+model"')[0].argument
    'my+model'
    >>> parse("bm25:method=bm25+,delta=1")[0].named
    {'method': 'bm25+', 'delta': '1'}
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
        self.place = 0

    def stages(self) -> list[Stage]:
        found = [self.stage()]
        while self.peek() == "+":
            self.place += 1
            found.append(self.stage())
        if self.peek() in (",", "=") and ":" not in self.text[self.text.rfind("+", 0, self.place) + 1 : self.place]:
            raise self.error(f"':' before the first option of '{found[-1].name}'")
        if self.place < len(self.text):
            raise self.error("'+' or the end")
        return found

    def stage(self) -> Stage:
        name = self.word("an encoder name", allow_colon=False)
        argument: str | None = None
        named: dict[str, str] = {}
        if self.peek() != ":":
            return Stage(name, argument, named)
        self.place += 1
        while True:
            start = self.place
            value = self.word("an option")
            if self.peek() == "=":
                self.place += 1
                key, value = value, self.word(f"a value for '{value}'")
                if key in named:
                    self.place = start
                    raise self.error(f"'{key}' only once")
                named[key] = value
            elif argument is None and not named:
                argument = value
            else:
                self.place = start
                raise self.error("key=value")
            if self.peek() != ",":
                return Stage(name, argument, named)
            self.place += 1

    def word(self, wanted: str, allow_colon: bool = True) -> str:
        if self.peek() == '"':
            match = _QUOTED.match(self.text, self.place)
            if match is None:
                raise self.error("a closing double quote")
            self.place = match.end()
            return re.sub(r"\\(.)", r"\1", match.group(1))
        # a plus that no stage follows belongs to the value: method=bm25+
        pattern = r'[^+,="\s]+(?:\+(?=[,+]|$))?' if allow_colon else r'[^+,=:"\s]+'
        match = re.compile(pattern).match(self.text, self.place)
        if match is None:
            raise self.error(wanted)
        self.place = match.end()
        return match.group()

    def peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def error(self, wanted: str) -> SpecError:
        found = f"'{self.peek()}'" if self.peek() else "the end"
        return SpecError(f"expected {wanted}, found {found} in the spec\n  {self.text}\n  {' ' * self.place}^")
