"""The grammar of corpus addresses: ``name-or-path?key=value&key=value``."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from encoders import options
from encoders.errors import OptionError, SpecError, UnknownNameError


class Address(NamedTuple):
    """A name or path, and its options, still text."""

    target: str
    options: dict[str, str]


def parse_address(text: str) -> Address:
    """Read an address; a path that exists as it stands is taken whole, question mark and all.

    In values ``%26`` stands for ``&`` and so on; ``+`` stands for itself.

    Raises
    ------
    SpecError
        When an option is not ``key=value`` or is given twice.

    Examples
    --------
    >>> parse_address("articles.csv?text=body&id=key")
    Address(target='articles.csv', options={'text': 'body', 'id': 'key'})
    >>> parse_address("articles.csv?body")
    Traceback (most recent call last):
    encoders.errors.SpecError: expected key=value after '?' in 'articles.csv?body', found 'body'
    """
    target, mark, tail = text.partition("?")
    if not mark or exists(text):
        return Address(text, {})
    if "?" in tail and exists(text.rpartition("?")[0]):
        target, _, tail = text.rpartition("?")
    given: dict[str, str] = {}
    for part in tail.split("&"):
        key, equals, value = part.partition("=")
        if not key or not equals:
            raise SpecError(f"expected key=value after '?' in '{text}', found '{part}'")
        if key in given:
            raise SpecError(f"the option '{key}' is given twice in '{text}'")
        given[key] = unquote(value)
    return Address(target, given)


def exists(path: str) -> bool:
    """Tell whether a path exists; False for what no path can be (too long, with a NUL in it)."""
    try:
        return bool(path) and Path(path).expanduser().exists()
    except (OSError, ValueError):
        return False


def option_names(cls: type[Any]) -> set[str]:
    """Return the names of the options of a class, as they are written in an address."""
    return set(_declared(cls))


def read_options(cls: type[Any], what: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Turn the text of options into values for the fields of `cls` that were declared with ``option()``.

    Raises
    ------
    UnknownNameError
        For a key that `cls` has no option for, with the closest one it has.
    OptionError
        For a value of the wrong sort.
    """
    hints = typing.get_type_hints(cls)
    known = _declared(cls)
    values = {}
    for key, text in given.items():
        name = known.get(key.replace("_", "-"), "")
        if not name:
            if not known:
                raise OptionError(f"{what} takes no options; got '{key}'")
            raise UnknownNameError(f"option of {what}", key, known)
        values[name] = options.convert(text, hints[name], f"{what}: {key}")
    return values


def _declared(cls: type[Any]) -> dict[str, str]:
    """Return the fields that are options, by the names that a user writes."""
    # A field is written with a trailing underscore where a property of every corpus has its name (size).
    names = [field.name for field in dataclasses.fields(cls) if "help" in field.metadata]
    return {name.rstrip("_").replace("_", "-"): name for name in names}
