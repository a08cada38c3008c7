"""The grammar of an index's description: ``name[:backend][?key=value&...]``, as in ``faiss:IVF256,PQ16?nprobe=16``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from encoders.query_string import parse_query_string, write_query_string


class Description(NamedTuple):
    """The parts of a description.

    Attributes
    ----------
    name : str
        The name in the registry.
    backend : str
        The backend's own language, such as FAISS's factory string; empty for most indexes.
    parameters : mapping of str to str
        Search parameters by the backend's own names.

    Examples
    --------
    >>> str(Description("exact", "what?", {"note": "a&b"}))
    'exact:what??note=a%26b'
    """

    name: str
    backend: str
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        settings = write_query_string(self.parameters)
        # A '?' in the backend string needs one more '?', so that the rest is not read as search parameters.
        mark = "?" if settings or "?" in self.backend else ""
        return f"{self.name}{':' if self.backend else ''}{self.backend}{mark}{settings}"


def parse_description(text: str) -> Description:
    """Split the description of an index; the backend string is not parsed further.

    The name ends at the first ``:``; the search parameters begin at the last ``?``. A backend string that
    holds a ``?`` of its own and has no search parameters ends with one more ``?``.

    Raises
    ------
    OptionError
        For a parameter that is not ``key=value``, or is given twice; for a password in an address.

    Examples
    --------
    >>> parse_description("faiss:IVF256,PQ16?nprobe=16")
    Description(name='faiss', backend='IVF256,PQ16', parameters={'nprobe': '16'})
    >>> parse_description("elasticsearch:http://localhost:9200/news?num_candidates=200").backend
    'http://localhost:9200/news'
    """
    if text.startswith("elasticsearch:"):
        from indexers.elasticsearch.address import require_no_password

        require_no_password(text)
    head, mark, tail = text.rpartition("?")
    if not mark:
        head, tail = text, ""
    name, _, backend = head.partition(":")
    # The error repeats the name alone: an address may hold a password.
    return Description(name, backend, parse_query_string(tail, name) if tail else {})
