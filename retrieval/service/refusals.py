"""Why a body or query string does not fit, in plain sentences; the library that reads them knows only its own words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from encoders.errors import closest, one_line

_KINDS = {
    "object": "an object", "array": "a list", "str": "a text", "int": "a whole number", "float": "a number",
    "bool": "true or false", "null": "null", "bytes": "a file in base64",
}  # fmt: skip
_AT = re.compile(r" - at `(?:key in )?\$\.?(?P<path>.*)`$")
_QUERY = re.compile(r"(?:query|queries\[\d+\])")
#: What to send where a text stands for a query, and where a file is not base64 alone.
_QUERY_HINT = """: write {"text": "..."}, or another field of a query, such as {"id": "..."}"""
_FILE_HINT = ": send the bytes of the file in base64, without  data:image/png;base64,  before them"


@dataclass(frozen=True)
class _Place:
    """Where something does not fit: its name and path in a struct, and what the parts of the whole are called."""

    name: str
    path: str
    kind: type[Any]
    part: str


def refusal(error: msgspec.ValidationError, kind: type[Any], whole: str, part: str = "field") -> str:
    """Return why something does not fit a struct.

    Parameters
    ----------
    error : msgspec.ValidationError
    kind : type
        The struct.
    whole : str
        What was read: the body, or the query string.
    part : str
        What the parts of the whole are called.

    Examples
    --------
    >>> class Search(msgspec.Struct, forbid_unknown_fields=True):
    ...     spaces: list[str] = []
    ...     k: int = 10
    >>> for body in (b'{"k": "ten"}', b'{"spacess": []}', b"[]", b'{"spaces": [1]}'):
    ...     try:
    ...         msgspec.json.decode(body, type=Search)
    ...     except msgspec.ValidationError as error:
    ...         print(refusal(error, Search, "the body"))
    k should be a whole number; got a text
    the body has no field 'spacess'; did you mean 'spaces'?
    the body should be an object; got a list
    spaces[0] should be a text; got a whole number
    """
    text = str(error)
    at = _AT.search(text)
    path = at["path"] if at else ""
    place = _Place(path or whole, path, kind, "field" if path else part)
    text = text[: at.start()] if at else text
    for pattern, sentence in _SENTENCES:
        if match := re.fullmatch(pattern, text):
            return sentence(match, place)
    return f"{place.name}: {one_line(text)}"


def _wrong_kind(match: re.Match[str], place: _Place) -> str:
    got = _kind(match[2])
    hint = _QUERY_HINT if _QUERY.fullmatch(place.path) and match[2] == "str" else ""
    return f"{place.name} should be {_kind(match[1])}; got {got}{hint}"


def _kind(names: str) -> str:
    return " or ".join(_KINDS.get(name, name) for name in names.split(" | ") if name != "null") or "null"


def _out_of_range(match: re.Match[str], place: _Place) -> str:
    bound = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}[match[2]]
    return f"{place.name} should be {bound} {_number(match[3])}"


def _of_length(match: re.Match[str], place: _Place) -> str:
    bound = {">=": "at least", "<=": "at most"}.get(match[2], "exactly")
    what = {"str": "letter", "array": "entry", "object": "field"}.get(match[1].split(" | ")[0], "entry")
    several = what if match[3] == "1" else {"entry": "entries"}.get(what, f"{what}s")
    return f"{place.name} should have {bound} {_number(match[3])} {several}"


def _number(text: str) -> str:
    return f"{int(text):,}" if text.lstrip("-").isdecimal() else text


def _unknown(match: re.Match[str], place: _Place) -> str:
    known = _fields(msgspec.inspect.type_info(place.kind), place.path)
    near = closest(match[1][:100], known)
    hint = f"did you mean '{near}'?" if near else f"it has {', '.join(known)}"
    return f"{place.name} has no {place.part} '{match[1][:100]}'; {hint}"


def _fields(info: Any, path: str) -> list[str]:
    """Return the fields of the struct at a path."""
    for step in re.findall(r"\w+|\[", path):
        if step == "[":
            info = next((one.item_type for one in _alternatives(info) if hasattr(one, "item_type")), info)
        elif not step.isdecimal():
            fields = next((one.fields for one in _alternatives(info) if hasattr(one, "fields")), ())
            info = next((field.type for field in fields if field.encode_name == step), info)
    fields = next((one.fields for one in _alternatives(info) if hasattr(one, "fields")), ())
    return [field.encode_name for field in fields]


def _alternatives(info: Any) -> list[Any]:
    while isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    if isinstance(info, msgspec.inspect.UnionType):
        return [one for part in info.types for one in _alternatives(part)]
    return [info]


#: What the library says, and how it is said here.
_SENTENCES: tuple[tuple[str, Callable[[re.Match[str], _Place], str]], ...] = (
    (r"Expected `([^`]+)`, got `([^`]+)`", _wrong_kind),
    (r"Expected `([^`]+)` (>=|<=|>|<) (\S+)", _out_of_range),
    (r"Expected `([^`]+)` of length (>=|<=|==)? ?(\d+)", _of_length),
    (
        r"Expected `str` matching regex '\^\((.+)\)\$'",
        lambda match, place: f"{place.name} should be {match[1].replace('|', ' or ')}",
    ),
    (r"Object contains unknown field `(.*)`", _unknown),
    (r"Object missing required field `(.*)`", lambda match, place: f"{place.name} lacks the {place.part} '{match[1]}'"),
    (r"Invalid base64 encoded string", lambda match, place: f"{place.name} is no base64{_FILE_HINT}"),
)
