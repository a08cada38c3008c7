"""The text form of an index: ``name[:backend][?key=value&...]``, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from encoders.errors import OptionError

#: Characters of a key or value that have a meaning in a description, and what stands for each; '%' first.
_ESCAPES = {"%": "%25", "?": "%3F", "&": "%26", "=": "%3D"}


class Description(NamedTuple):
    """An index in words: its registry name, the backend's own string, and search parameters.

    `str` gives the text that `parse_description` reads.
    """

    name: str
    backend: str
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        settings = "&".join(f"{_escaped(key)}={_escaped(value)}" for key, value in self.parameters.items())
        # A backend string that holds a '?' needs one more behind it, or its own would begin the parameters.
        mark = "?" if settings or "?" in self.backend else ""
        return f"{self.name}{':' if self.backend else ''}{self.backend}{mark}{settings}"


def parse_description(text: str) -> Description:
    """Read the description of an index; the backend's own string stays as it is.

    The name ends at the first ``:``, the parameters begin at the last ``?``. A backend string that holds a ``?`` of
    its own, and has no parameters, ends with one more ``?``. In keys and values ``%3F`` stands for ``?``, ``%26`` for
    ``&``, ``%3D`` for ``=`` and ``%25`` for ``%``.

    Raises
    ------
    OptionError
        For a parameter that is not ``key=value``, or is given twice, and for a password in an address.

    Examples
    --------
    >>> parse_description("faiss:IVF256,PQ16?nprobe=16")
    Description(name='faiss', backend='IVF256,PQ16', parameters={'nprobe': '16'})
    >>> parse_description("elasticsearch:http://localhost:9200/news?num_candidates=200").backend
    'http://localhost:9200/news'
    >>> str(Description("exact", "what?", {"note": "a&b"}))
    'exact:what??note=a%26b'
    """
    if text.startswith("elasticsearch:"):
        from indexers.elasticsearch.address import require_no_password

        require_no_password(text)
    head, mark, tail = text.rpartition("?")
    if not mark:
        head, tail = text, ""
    name, _, backend = head.partition(":")
    parameters: dict[str, str] = {}
    for setting in tail.split("&") if tail else ():
        key, equals, value = setting.partition("=")
        if not key or not equals or not value:
            raise OptionError(f"expected key=value after '?' in the index '{text.partition(':')[0]}'; got '{setting}'")
        key = unquote(key)
        if key in parameters:
            raise OptionError(f"'{key}' is given twice in the index '{text.partition(':')[0]}'")
        parameters[key] = unquote(value)
    return Description(name, backend, parameters)


def _escaped(text: str) -> str:
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text
