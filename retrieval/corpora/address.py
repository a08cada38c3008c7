"""The grammar of a corpus address, ``name-or-path?key=value&key=value``, and the options of a corpus class."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from encoders import options
from encoders.errors import OptionError
from encoders.query_string import parse_query_string, unknown_option, write_query_string

#: Before the name of a corpus, where a file or folder here has the same name.
NAME_PREFIX = "corpus:"


class CorpusAddress(NamedTuple):
    """A name or path, and its options by key; the values are still text."""

    target: str
    options: dict[str, str]


def parse_address(text: str) -> CorpusAddress:
    """Read the address of a corpus; a path that exists as it is written is taken whole, with its question mark.

    Keys may be written with ``-`` or ``_``. The options follow `encoders.query_string`.

    Raises
    ------
    OptionError
        When an option is not ``key=value``, or is given twice.

    Examples
    --------
    >>> parse_address("articles.csv?text=body&max_bytes=5")
    CorpusAddress(target='articles.csv', options={'text': 'body', 'max-bytes': '5'})
    >>> parse_address("articles.csv?body")
    Traceback (most recent call last):
    encoders.errors.OptionError: expected key=value after '?' in 'articles.csv?body', found 'body'
    """
    target, mark, tail = text.partition("?")
    if not mark or exists(text):
        return CorpusAddress(text, {})
    if "?" in tail and exists(text.rpartition("?")[0]):
        target, _, tail = text.rpartition("?")
    return CorpusAddress(target, parse_query_string(tail, text, hyphens=True))


def exists(path: str) -> bool:
    """Return whether a path exists; False for a text that no path can be (too long, or with a NUL)."""
    try:
        return bool(path) and Path(path).expanduser().exists()
    except (OSError, ValueError):
        return False


def option_names(cls: type[Any]) -> set[str]:
    """Return the names of the options of a class, as a user writes them in an address."""
    return set(_declared(cls))


def read_options(cls: type[Any], what: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Turn the text of options into checked values for the fields of `cls` that ``option()`` declares.

    Nothing of the corpus is read for it, so that a wrong option is refused before any work.

    Parameters
    ----------
    cls : type
        The class of the corpus.
    what : str
        Its name, for the error.
    given : mapping
        Key -> text.

    Raises
    ------
    OptionError
        For a key that `cls` has no option for, with the nearest one and all that it has; for a value of the wrong
        type or out of range.
    """
    hints = typing.get_type_hints(cls)
    declared = _declared(cls)
    values = {}
    for key, text in given.items():
        if key not in declared:
            raise unknown_option(what, key, declared)
        field, label = declared[key], f"{what}: {key}"
        value = options.convert(text, hints[field.name], label)
        options.check_value(value, field, hints[field.name], label)
        values[field.name] = value
    return values


def _declared(cls: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    """Return the fields that are options, by the names that a user writes."""
    # A field has a trailing underscore where a property of every corpus has its name (size).
    fields = [field for field in dataclasses.fields(cls) if "help" in field.metadata]
    return {options.written_name(field.name): field for field in fields}


def stated_options(name: str) -> dict[str, str]:
    """Return the options that the name of a corpus states after its last ``?``; none where it states none.

    Examples
    --------
    >>> stated_options("photos/?size=96x96&white=4095"), stated_options("photos/"), stated_options("what?/")
    ({'size': '96x96', 'white': '4095'}, {}, {})
    """
    _, mark, tail = name.rpartition("?")
    try:
        return parse_query_string(tail, name) if mark else {}
    except OptionError:  # the question mark belongs to the path
        return {}


def with_options(name: str, chosen: Mapping[str, str]) -> str:
    """Return the name of a corpus with further options behind it: those that nearby chose.

    Examples
    --------
    >>> with_options("photos/", {"size": "96x96"}), with_options("photos/?grey=true", {"size": "96x96"})
    ('photos/?size=96x96', 'photos/?grey=true&size=96x96')
    """
    return f"{name}{'&' if stated_options(name) else '?'}{write_query_string(chosen)}" if chosen else name
